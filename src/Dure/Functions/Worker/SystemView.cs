using System.Diagnostics;
using System.Globalization;

namespace Dure.Functions.Worker;

/// <summary>What a sandbox sees of the system: which top folders exist and a small <c>/etc</c> made for it.</summary>
internal sealed class SystemView
{
    private static readonly string[] TopFolders = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];

    private static readonly string[] Copied =
    [
        "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "timezone", "alternatives", "ssl/certs", "ssl/openssl.cnf", "ca-certificates.conf",
        "pki", "mime.types", "protocols", "services", "debian_version", "os-release", "lsb-release", "magic", "magic.mime", "dotnet",
        "python3", "python3.11", "python3.12", "python3.13", "java-11-openjdk", "java-17-openjdk", "java-21-openjdk", "perl", "fonts", "R", "OpenCL", "vulkan", "glvnd",
    ];

    private readonly string _folder;

    private SystemView(string folder, IReadOnlyList<string> arguments) => (_folder, Arguments) = (folder, arguments);

    /// <summary>bubblewrap arguments for <c>/usr</c> and its companions.</summary>
    public IReadOnlyList<string> Arguments { get; }

    /// <summary>bubblewrap arguments for <c>/etc</c>.</summary>
    public IReadOnlyList<string> EtcArguments(SandboxNetwork network) => network switch
    {
        SandboxNetwork.Egress => ["--ro-bind", _folder + "/etc", "/etc", "--ro-bind", _folder + "/resolv.conf", "/etc/resolv.conf"],
        SandboxNetwork.Host => ["--ro-bind", _folder + "/etc", "/etc", "--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf", "--ro-bind-try", "/etc/hosts", "/etc/hosts"],
        _ => ["--ro-bind", _folder + "/etc", "/etc"],
    };

    /// <summary>Builds <c>/etc</c> under <paramref name="folder"/>, unless it stands there from last time and the system has not changed.</summary>
    /// <param name="retired">Where one goes that is out of date: sandboxes of a living worker may still see it.</param>
    /// <param name="uid">User id in the sandbox.</param>
    public static async Task<SystemView> CreateAsync(string folder, string retired, int uid, int gid, CancellationToken cancel)
    {
        var view = new SystemView(folder, TopArguments());
        var sources = Copied.Where(name => Path.Exists("/etc/" + name)).ToList();
        var stamp = string.Join('\n', sources.Select(name => $"{name} {File.GetLastWriteTimeUtc("/etc/" + name).Ticks}").Append($"{uid} {gid} 2"));
        if (File.Exists(folder + "/stamp") && await File.ReadAllTextAsync(folder + "/stamp", cancel) == stamp) return view;
        // Whole before it is seen: a living worker starts sandboxes meanwhile.
        var draft = folder + ".new";
        if (Directory.Exists(draft)) Directory.Delete(draft, recursive: true);
        await FillAsync(draft, sources, uid, gid, cancel);
        await File.WriteAllTextAsync(draft + "/stamp", stamp, cancel);
        if (Directory.Exists(folder)) Directory.Move(folder, retired);
        Directory.Move(draft, folder);
        return view;
    }

    private static async Task FillAsync(string folder, IEnumerable<string> sources, int uid, int gid, CancellationToken cancel)
    {
        SlotFolder.CreatePassable(folder);
        Directory.CreateDirectory(folder + "/etc");
        var copy = new ProcessStartInfo("/bin/cp", ["-a", "--parents", "--", .. sources, folder + "/etc"])
        {
            WorkingDirectory = "/etc", UseShellExecute = false, RedirectStandardError = true,
        };
        using (var process = Process.Start(copy)!)
        {
            // What this user may not read is left out; nothing depends on any single file.
            _ = await process.StandardError.ReadToEndAsync(cancel);
            await process.WaitForExitAsync(cancel);
        }

        WriteAccounts(folder + "/etc", uid, gid);
        // The address is slirp4netns's own. The empty file is the place to mount it over.
        await File.WriteAllTextAsync(folder + "/etc/resolv.conf", "", cancel);
        await File.WriteAllTextAsync(folder + "/resolv.conf", "nameserver 10.0.2.3\n", cancel);
    }

    private static List<string> TopArguments()
    {
        var arguments = new List<string> { "--ro-bind", "/usr", "/usr" };
        foreach (var name in TopFolders)
        {
            var folder = new DirectoryInfo("/" + name);
            if (folder.LinkTarget is { } link) arguments.AddRange(["--symlink", link.TrimStart('/'), "/" + name]);
            else if (folder.Exists) arguments.AddRange(["--ro-bind", "/" + name, "/" + name]);
        }

        return arguments;
    }

    private static void WriteAccounts(string etc, int uid, int gid)
    {
        var (u, g) = (uid.ToString(CultureInfo.InvariantCulture), gid.ToString(CultureInfo.InvariantCulture));
        File.WriteAllText(etc + "/passwd",
            $"root:x:0:0:root:/nonexistent:/usr/sbin/nologin\ndure:x:{u}:{g}:function:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
        File.WriteAllText(etc + "/group", $"root:x:0:\ndure:x:{g}:\nnogroup:x:65534:\n");
        File.WriteAllText(etc + "/hosts", "127.0.0.1 localhost dure\n::1 localhost ip6-localhost\n");
        File.WriteAllText(etc + "/hostname", "dure\n");
        File.WriteAllText(etc + "/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\nprotocols: files\nservices: files\n");
        File.WriteAllText(etc + "/host.conf", "multi on\n");
    }
}
