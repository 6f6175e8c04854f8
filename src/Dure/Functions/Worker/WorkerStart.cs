using System.Globalization;
using System.Text;
using Dure.Functions.Worker.Cgroups;
using Dure.Functions.Worker.Native;
using Dure.Host;

namespace Dure.Functions.Worker;

/// <summary>What a worker does before it listens. Most of it harms no worker that runs; the rest waits until there is none.</summary>
internal sealed class WorkerStart(WorkerOptions options)
{
    private const string Bubblewrap = "/usr/bin/bwrap";
    private readonly string _run = options.DataDirectory + "/run";
    private readonly string _tree = "dure-" + NameOf(options.DataDirectory + "\0" + options.Id);
    private readonly string _names = $"_{options.Id}.";
    private readonly string _prefix = $"_{options.Id}.{Environment.ProcessId:x}.";

    /// <summary>See <see cref="WorkerLock"/>.</summary>
    public string PidFile => $"{_run}/w/{options.Id}.pid";

    /// <summary>Why no worker of this name can have its sockets below a data folder; null when it can.</summary>
    public static Problem? FindTooLong(string data, string id)
    {
        // A fork's, which lies in its interpreter's folder and has the worker's pid and a count in its name.
        var below = $"/run/z/{id}/_{id}.3fffff.z9999/slots/_{id}.3fffff.f999999/io/fn.sock";
        var (bytes, most) = (Encoding.UTF8.GetByteCount(data), SlotFolder.SocketPathMost - below.Length);
        return bytes > most ? WorkerErrors.PathTooLong.With($"{data} has {bytes} bytes, at most {most} fit") : null;
    }

    /// <summary>Makes the folders that everything else lies in.</summary>
    /// <returns>Why no worker can run here.</returns>
    public Problem? PrepareFolders()
    {
        if (!SlotFolder.IsName(options.Id)) return WorkerErrors.BadId.With($"\"{options.Id}\"");
        if (FindTooLong(options.DataDirectory, options.Id) is { } tooLong) return tooLong;
        if (!File.Exists(Bubblewrap)) return WorkerErrors.NoBubblewrap.With($"{Bubblewrap} does not exist");
        _ = Libc.umask(0x12);
        // Away from the server's terminal: an interrupt typed there is for the server alone.
        _ = Libc.setsid();
        SlotFolder.CreatePassable(_run);
        SlotFolder.CreatePassable(_run + "/s");
        SlotFolder.CreatePassable(_run + "/z");
        SlotFolder.CreatePassable($"{_run}/z/{options.Id}");
        SlotFolder.CreatePrivate(_run + "/w");
        return null;
    }

    /// <summary>Makes the ground that sandboxes stand on, cleared of what former workers left.</summary>
    public async Task<Outcome<SandboxGround>> GroundAsync(CancellationToken cancel)
    {
        var root = Libc.geteuid() == 0;
        var (uid, gid) = root ? (options.SandboxUid, options.SandboxUid) : ((int)Libc.geteuid(), (int)Libc.getegid());
        // Side by side: while a worker starts, lost work waits. Beside a living worker only what a dead one of the same process id left is not its.
        var groups = Task.Run(() => ClearAsync(name => options.Standby ? IsOwn(name) : IsLeft(name), cancel), cancel);
        var system = Task.Run(() => SystemView.CreateAsync($"{_run}/{options.Id}.etc", $"{_run}/s/{_prefix}etc", uid, gid, cancel), cancel);
        var gpus = GpuInventory.FindAsync(options.DeviceDirectory, cancel);
        var runtimes = await RuntimesFolder.PrepareAsync(options.DataDirectory, options.RuntimesSource, cancel);
        var problem = !runtimes.Ok ? runtimes.Problem
            : root ? await Machine.CanReachAsync(runtimes.Value + "/dure-spawn", uid, runtimes.Value, cancel) : null;
        var made = (Groups: await groups, System: await system, Gpus: await gpus);
        return problem is not null ? problem : new SandboxGround(options, uid, _run, _prefix, runtimes.Value, Bubblewrap, made.System, made.Groups, made.Gpus);
    }

    /// <summary>Waits for the end of the worker that runs, and of everything it ran.</summary>
    /// <param name="unwanted">See <see cref="StandbyDoor"/>.</param>
    /// <param name="door">Cancelled closes the door: who has the lock is no longer at it, the next that stands by is.</param>
    /// <returns>The lock; null when this one is not needed any more.</returns>
    public async Task<FileStream?> StandByAsync(Task unwanted, CancellationTokenSource door)
    {
        var held = await WorkerLock.WaitAsync(PidFile, unwanted);
        if (held is not null) await ClearAsync(IsLeft, CancellationToken.None);
        await door.CancelAsync();
        return held;
    }

    // FNV-1a of 64 bits: the system's library for hashes would be a tenth of an idle worker's memory.
    private static string NameOf(string text) =>
        Encoding.UTF8.GetBytes(text).Aggregate(14695981039346656037UL, static (hash, one) => unchecked((hash ^ one) * 1099511628211UL)).ToString("x16", CultureInfo.InvariantCulture);

    private bool IsOwn(string name) => name.StartsWith(_prefix, StringComparison.Ordinal);

    // Nobody's who stands by: that one may be needed next, and has run nothing, since its door is gone before it does.
    private bool IsLeft(string name)
    {
        if (!name.StartsWith(_names, StringComparison.Ordinal)) return true;
        var rest = name.AsSpan(_names.Length);
        var pid = int.TryParse(rest[..Math.Max(0, rest.IndexOf('.'))], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var number) ? number : 0;
        return !File.Exists(StandbyDoor.PathOf(options.SocketPath, pid));
    }

    private async Task<CgroupTree> ClearAsync(Predicate<string> which, CancellationToken cancel)
    {
        StandbyDoor.RemoveLeft(options.SocketPath);
        var groups = options.ControlGroups ? CgroupTree.Create(CgroupMounts.Read(), _tree) : CgroupTree.None;
        var record = $"{_run}/w/{options.Id}.cgroups";
        var before = File.Exists(record) ? await File.ReadAllLinesAsync(record, cancel) : [];
        // Only folders that bear our own name are ever touched.
        var known = before.Where(f => string.Equals(Path.GetFileName(f), _tree, StringComparison.Ordinal)).Union(groups.Folders, StringComparer.Ordinal).ToList();
#if !DURE_BREAK_FENCING
        var left = await CgroupTree.EndLeftoversAsync(known, which, options.Time, cancel);
        _ = Task.Run(() => CgroupTree.RemoveAsync(left, options.Time, cancel), cancel);
#endif
        await File.WriteAllLinesAsync(record, known.Where(Directory.Exists), cancel);
        var folders = Directory.EnumerateDirectories($"{_run}/z/{options.Id}").Concat(Directory.EnumerateDirectories(_run + "/s", $"_{options.Id}.*"))
            .Where(folder => which(Path.GetFileName(folder))).ToList();
        _ = Task.Run(() => Task.WhenAll(folders.Select(folder => SlotFolder.RemoveAsync(folder, cancel))), cancel);
        return groups;
    }
}
