using System.Globalization;
using System.Text;
using Dure.Host;

namespace Dure.Functions.Worker;

/// <summary>Host folders that a sandbox is built from.</summary>
/// <param name="Slot">The slot's folder.</param>
/// <param name="Runtimes">Shown at <c>/dure/rt</c>.</param>
internal sealed record SandboxFolders(string Slot, string Runtimes, SystemView System);

/// <summary>Turns a spec into bubblewrap's arguments. They hold secrets: they go through a descriptor, never through argv.</summary>
internal static class BwrapArguments
{
    /// <summary>Descriptor that holds the arguments.</summary>
    public const string ArgumentsFd = "4";

    /// <summary>Descriptor that is readable once the outer bubblewrap is gone, as it is when its worker was killed.</summary>
    private const string LifelineFd = "6";

    private const int OnePage = 4096;

    private static readonly string[] Fixed =
    [
        "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
        "--die-with-parent", "--new-session", "--hostname", "dure", "--cap-drop", "ALL", "--json-status-fd", "3", "--clearenv",
    ];

    /// <summary>Finds what is wrong with a spec before anything is started.</summary>
    public static Problem? Check(SandboxSpec spec)
    {
        if (spec is not { Command: not null, Environment: not null, Mounts: not null, Limits: not null, Gpus: not null })
            return WorkerErrors.BadSpec.With("the spec is not complete: command, environment, mounts, limits and gpus must be there");
        if (spec.Command.Count == 0) return WorkerErrors.BadSpec.With("the command is empty");
        foreach (var (name, value) in spec.Environment)
        {
            if (name.Length == 0 || name.Contains('=', StringComparison.Ordinal) || name.Contains('\0', StringComparison.Ordinal) || value.Contains('\0', StringComparison.Ordinal))
                return WorkerErrors.BadSpec.With($"the environment variable \"{name.Replace("\0", "\\0", StringComparison.Ordinal)}\" has a name or value that no process can have");
        }

        foreach (var path in spec.Command.Concat(spec.Mounts.SelectMany(m => new[] { m.Source, m.Target })).Append(spec.CodeDirectory ?? "/").Append(spec.DepsDirectory ?? "/"))
            if (path.Contains('\0', StringComparison.Ordinal)) return WorkerErrors.BadSpec.With("a path or argument holds a NUL byte");
        foreach (var mount in spec.Mounts)
        {
            if (!Path.IsPathFullyQualified(mount.Source) || !Path.IsPathFullyQualified(mount.Target))
                return WorkerErrors.BadSpec.With($"the mount {mount.Source} -> {mount.Target} is not absolute");
            if (!Path.Exists(mount.Source)) return WorkerErrors.BadSpec.With($"the folder {mount.Source} to mount does not exist");
        }

        foreach (var folder in new[] { spec.CodeDirectory, spec.DepsDirectory })
            if (folder is not null && !Directory.Exists(folder)) return WorkerErrors.BadSpec.With($"the folder {folder} does not exist");
        return null;
    }

    /// <summary>All options, in order; the payload's command line is not among them.</summary>
    /// <param name="more">Further options (devices, folders) that go last.</param>
    public static List<string> Options(SandboxSpec spec, SandboxFolders folders, IReadOnlyList<string> more)
    {
        var list = new List<string>(256);
        list.AddRange(Fixed);
        if (spec.Network != SandboxNetwork.Host) list.Add("--unshare-net");
        list.AddRange(folders.System.Arguments);
        list.AddRange(folders.System.EtcArguments(spec.Network));
        list.AddRange(["--proc", "/proc", "--dev", "/dev"]);
        var size = Math.Max(OnePage, spec.Limits.TmpBytes).ToString(CultureInfo.InvariantCulture);
        list.AddRange(["--perms", "1777", "--size", size, "--tmpfs", "/tmp", "--perms", "1777", "--size", size, "--tmpfs", "/dev/shm"]);
        list.AddRange(["--ro-bind", spec.CodeDirectory ?? folders.Slot + "/code", "/code"]);
        list.AddRange(["--ro-bind", spec.DepsDirectory ?? folders.Slot + "/deps", "/deps", "--symlink", "deps/node_modules", "/node_modules"]);
        list.AddRange(["--bind", folders.Slot + "/io", "/dure/io", "--ro-bind", folders.Slot + "/in", "/dure/in", "--ro-bind", folders.Runtimes, "/dure/rt"]);
        foreach (var mount in spec.Mounts) list.AddRange([mount.Writable ? "--bind" : "--ro-bind", mount.Source, mount.Target]);
        list.AddRange(more);
        list.AddRange(["--remount-ro", "/", "--remount-ro", "/dev", "--chdir", spec.CodeDirectory is null ? "/tmp" : "/code"]);
        if (!spec.Environment.ContainsKey("HOME")) list.AddRange(["--setenv", "HOME", "/tmp"]);
        if (!spec.Environment.ContainsKey("PATH")) list.AddRange(["--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin"]);
        foreach (var (name, value) in spec.Environment) list.AddRange(["--setenv", name, value]);
        if (spec.Network == SandboxNetwork.Egress) list.AddRange(["--block-fd", "5"]);
        return list;
    }

    /// <summary>The payload: <c>dure-init</c>, which confines itself and becomes or starts the command.</summary>
    /// <param name="mode">The mode when it is none of <see cref="SandboxMode"/>.</param>
    /// <param name="processes">
    /// Process limit where no control group can set it; 0 for none. It is set inside, where the kernel counts this sandbox's
    /// processes only, not all of the user's.
    /// </param>
    public static List<string> Payload(SandboxSpec spec, string? mode = null, int processes = 0)
    {
        var list = new List<string>();
        if (processes > 0) list.AddRange(["/dure/rt/dure-spawn", "--nproc", processes.ToString(CultureInfo.InvariantCulture), "--"]);
        list.AddRange(["/dure/rt/dure-init", "--mode", mode ?? ModeName(spec.Mode), "--lifeline", LifelineFd]);
        if (spec.Limits.OpenFiles > 0) list.AddRange(["--open-files", spec.Limits.OpenFiles.ToString(CultureInfo.InvariantCulture)]);
        list.Add("--");
        list.AddRange(spec.Command);
        return list;
    }

    /// <summary>The form in which bubblewrap reads options from a descriptor.</summary>
    public static byte[] Encode(IEnumerable<string> options)
    {
        using var bytes = new MemoryStream();
        foreach (var option in options)
        {
            bytes.Write(Encoding.UTF8.GetBytes(option));
            bytes.WriteByte(0);
        }

        return bytes.ToArray();
    }

    private static string ModeName(SandboxMode mode) => mode switch
    {
        SandboxMode.Shim => "shim",
        SandboxMode.Plain => "plain",
        SandboxMode.RuntimeApi => "runtime-api",
        SandboxMode.Run => "run",
        _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, null),
    };
}
