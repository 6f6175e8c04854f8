using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Dure.Functions.Worker.Cgroups;
using Dure.Functions.Worker.Native;
using Dure.Host;

namespace Dure.Functions.Worker;

/// <summary>The worker: one process that starts, limits, watches and ends sandboxes. It outlives the server.</summary>
public static partial class WorkerProcess
{
    private const string Bubblewrap = "/usr/bin/bwrap";
    private static readonly TimeSpan TermGrace = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan BeatEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>Runs as the command line says: <c>--data DIR --id NAME [--runtimes DIR] [--devices DIR] [--parked N] [--keep KIND=N,...] [--idle-seconds N] [--sandbox-uid N] [--niceness N] [--no-cgroups]</c>.</summary>
    public static Task<int> RunAsync(IReadOnlyList<string> words, CancellationToken cancel)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < words.Count; i++)
            given[words[i]] = i + 1 < words.Count && !words[i + 1].StartsWith("--", StringComparison.Ordinal) ? words[++i] : "";
        int Number(string name, int otherwise) => given.TryGetValue(name, out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
        var plain = new WorkerOptions(given.GetValueOrDefault("--data", "."), given.GetValueOrDefault("--id", "w1"));
        return RunAsync(plain with
        {
            RuntimesSource = given.GetValueOrDefault("--runtimes"),
            DeviceDirectory = given.GetValueOrDefault("--devices", plain.DeviceDirectory),
            Parked = Number("--parked", plain.Parked),
            Keep = [.. given.GetValueOrDefault("--keep", "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(pool => pool.Split('='))
                .Select(pool => new KeepPool(pool[0], int.Parse(pool[1], CultureInfo.InvariantCulture)))],
            IdleExit = TimeSpan.FromSeconds(Number("--idle-seconds", (int)plain.IdleExit.TotalSeconds)),
            SandboxUid = Number("--sandbox-uid", plain.SandboxUid),
            Niceness = given.ContainsKey("--niceness") ? Number("--niceness", 0) : null,
            ControlGroups = !given.ContainsKey("--no-cgroups"),
        }, cancel);
    }

    /// <summary>Runs until it is told to end, has nothing to do for long, or <paramref name="cancel"/>; then every sandbox is ended.</summary>
    /// <returns>An exit code of <see cref="ExitCodes"/>; what went wrong was said on standard error.</returns>
    public static async Task<int> RunAsync(WorkerOptions options, CancellationToken cancel)
    {
        // Nothing in a start takes longer than the serializers; they are wanted when the server says hello.
        _ = Task.Run(WorkerJson.Warm, cancel);
        using var lines = new PlainLog(options.Time);
        using var loggers = new LoggerFactory([lines]);
        var prepared = await PrepareAsync(options, cancel);
        if (!prepared.Ok)
        {
            var problem = prepared.Problem;
            await Console.Error.WriteLineAsync($"{problem.Kind.Id} {problem.Kind.Title}: {problem.Detail}\n{problem.Kind.Remedy}".AsMemory(), cancel);
            return problem.Kind.ExitCode;
        }

        await using var held = prepared.Value.Lock;
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() => Serve(prepared.Value.Ground, loggers, ended, cancel)) { Name = "sandboxes", IsBackground = false };
        thread.Start();
        await ended.Task;
        var groups = prepared.Value.Ground.Groups;
        var left = await CgroupTree.EndLeftoversAsync(groups.Folders, options.Time, CancellationToken.None);
        await CgroupTree.RemoveAsync(left, options.Time, CancellationToken.None);
        groups.Remove();
        return ExitCodes.Ok;
    }

    /// <summary>The thread that owns all sandboxes. They die with it: the kernel is told so when each is started.</summary>
    private static void Serve(SandboxGround ground, ILoggerFactory loggers, TaskCompletionSource ended, CancellationToken cancel)
    {
        var options = ground.Options;
        var log = loggers.CreateLogger("worker");
        try
        {
            using var reactor = new Reactor(options.Time, e => Fault(log, e));
            var outbox = new Outbox(options.Time);
            var host = new SandboxHost(ground, reactor, outbox, loggers) { Emptied = reactor.Stop };
            using var control = new ControlServer(SocketPath(options), reactor, outbox, log);
            var idle = new IdleClock(options, host, control);
            var boot = Guid.CreateVersion7(options.Time.GetUtcNow()).ToString("N");
            control.Greeting = () => new WorkerHello(1, options.Id, Environment.ProcessId, boot, [.. host.Live, .. outbox.Ended], Machine.MemoryBytes(),
                Environment.ProcessorCount * 1000, ground.Gpus.Indices, ground.Groups.Enforced);
            control.Received = message => Take(message, host);
            void Beat()
            {
                outbox.Add(new WorkerBeat());
                if (idle.Expired()) host.End(TimeSpan.Zero);
                else reactor.After(BeatEvery, Beat);
            }

            reactor.After(BeatEvery, Beat);
            // Before the first sandbox, which would inherit it.
            if (options.Niceness is { } niceness) EndPrecedence(niceness);
            host.Begin();
            void End(TimeSpan grace) => _ = reactor.PostAsync(() => host.End(grace), CancellationToken.None).AsTask();
            using var cancelled = cancel.Register(() => End(TimeSpan.Zero));
            using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
            {
                signal.Cancel = true;
                End(TermGrace);
            });
            Ready(log, options.Id, SocketPath(options));
            reactor.Run();
            ended.SetResult();
        }
        catch (Exception e)
        {
            ended.SetException(e);
        }
    }

    // Threads that others were making meanwhile have it from them: until a look finds none.
    private static void EndPrecedence(int niceness)
    {
        bool changed;
        do
        {
            changed = false;
            foreach (var task in Directory.EnumerateDirectories("/proc/self/task"))
            {
                var thread = int.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture);
                changed |= Libc.getpriority(0, thread) != niceness && Libc.setpriority(0, thread, niceness) == 0;
            }
        }
        while (changed);
    }

    private static void Take(ToWorker message, SandboxHost host)
    {
        switch (message)
        {
            case StartSandbox start: host.Start(start); break;
            case StopSandbox stop: host.Stop(stop); break;
            case KeepPool keep: host.Keep(keep); break;
            case EndWorker end: host.End(TimeSpan.FromMilliseconds(end.GraceMs)); break;
        }
    }

    private static string SocketPath(WorkerOptions options) => $"{options.DataDirectory}/run/w/{options.Id}.sock";

    private static async Task<Outcome<(SandboxGround Ground, FileStream Lock)>> PrepareAsync(WorkerOptions options, CancellationToken cancel)
    {
        options = options with { DataDirectory = Path.GetFullPath(options.DataDirectory).TrimEnd('/') };
        var (data, run) = (options.DataDirectory, options.DataDirectory + "/run");
        if (!SlotFolder.IsName(options.Id)) return WorkerErrors.BadId.With($"\"{options.Id}\"");
        // A fork's, which lies in its interpreter's folder and has the worker's pid and a count in its name.
        var longest = $"{run}/z/{options.Id}/_{options.Id}.3fffff.z9999/slots/_{options.Id}.3fffff.f999999/io/fn.sock";
        if (Encoding.UTF8.GetByteCount(longest) > SlotFolder.SocketPathMost)
            return WorkerErrors.PathTooLong.With($"{data} has {Encoding.UTF8.GetByteCount(data)} bytes, at most {SlotFolder.SocketPathMost - (longest.Length - data.Length)} fit");
        if (!File.Exists(Bubblewrap)) return WorkerErrors.NoBubblewrap.With($"{Bubblewrap} does not exist");
        _ = Libc.umask(0x12);
        // Away from the server's terminal: an interrupt typed there is for the server alone.
        _ = Libc.setsid();
        SlotFolder.CreatePassable(run);
        SlotFolder.CreatePassable(run + "/s");
        SlotFolder.CreatePrivate(run + "/w");
        FileStream held;
        try
        {
            // No sharing is an exclusive flock, which the kernel gives up when this process ends.
            held = new FileStream($"{run}/w/{options.Id}.pid", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return WorkerErrors.AlreadyRunning.With($"{run}/w/{options.Id}.pid is locked by a running worker");
        }

        held.SetLength(0);
        await held.WriteAsync(Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"), cancel);
        await held.FlushAsync(cancel);
        var ground = await GroundAsync(options, run, cancel);
        if (ground.Ok) return (ground.Value, held);
        await held.DisposeAsync();
        return ground.Problem;
    }

    private static async Task<Outcome<SandboxGround>> GroundAsync(WorkerOptions options, string run, CancellationToken cancel)
    {
        var root = Libc.geteuid() == 0;
        var (uid, gid) = root ? (options.SandboxUid, options.SandboxUid) : ((int)Libc.geteuid(), (int)Libc.getegid());
        // Side by side: while a worker starts, lost work waits.
        var groups = Task.Run(() => GroupsAsync(options, run, cancel), cancel);
        var system = Task.Run(() => SystemView.CreateAsync($"{run}/{options.Id}.etc", uid, gid, cancel), cancel);
        var gpus = GpuInventory.FindAsync(options.DeviceDirectory, cancel);
        var runtimes = await RuntimesFolder.PrepareAsync(options.DataDirectory, options.RuntimesSource, cancel);
        var problem = !runtimes.Ok ? runtimes.Problem
            : root ? await Machine.CanReachAsync(runtimes.Value + "/dure-spawn", uid, runtimes.Value, cancel) : null;
        SlotFolder.CreatePassable(run + "/z");
        SlotFolder.CreatePassable($"{run}/z/{options.Id}");
        string[] left = [.. Directory.EnumerateDirectories($"{run}/z/{options.Id}"), .. Directory.EnumerateDirectories(run + "/s", $"_{options.Id}.*")];
        _ = Task.Run(() => Task.WhenAll(left.Select(folder => SlotFolder.RemoveAsync(folder, cancel))), cancel);
        var ground = (Groups: await groups, System: await system, Gpus: await gpus);
        return problem is not null ? problem : new SandboxGround(options, uid, run, runtimes.Value, Bubblewrap, ground.System, ground.Groups, ground.Gpus);
    }

    private static async Task<CgroupTree> GroupsAsync(WorkerOptions options, string run, CancellationToken cancel)
    {
        var mine = "dure-" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(options.DataDirectory + "\0" + options.Id)).AsSpan(0, 6));
        var groups = options.ControlGroups ? CgroupTree.Create(CgroupMounts.Read(), mine) : CgroupTree.None;
        var record = $"{run}/w/{options.Id}.cgroups";
        var before = File.Exists(record) ? await File.ReadAllLinesAsync(record, cancel) : [];
        // Only folders that bear our own name are ever touched.
        var known = before.Where(f => string.Equals(Path.GetFileName(f), mine, StringComparison.Ordinal)).Union(groups.Folders, StringComparer.Ordinal).ToList();
#if !DURE_BREAK_FENCING
        var left = await CgroupTree.EndLeftoversAsync(known, options.Time, cancel);
        _ = Task.Run(() => CgroupTree.RemoveAsync(left, options.Time, cancel), cancel);
#endif
        await File.WriteAllLinesAsync(record, known.Where(Directory.Exists), cancel);
        return groups;
    }

    [LoggerMessage(20, LogLevel.Information, "Worker {Id} listens at {Path}")]
    private static partial void Ready(ILogger log, string id, string path);

    [LoggerMessage(21, LogLevel.Error, "A fault in the worker")]
    private static partial void Fault(ILogger log, Exception e);

    /// <summary>Tells when nobody has needed the worker for long.</summary>
    private sealed class IdleClock(WorkerOptions options, SandboxHost host, ControlServer control)
    {
        private long _since = options.Time.GetTimestamp();

        public bool Expired()
        {
            if (control.Connected || host.Live.Count > 0) _since = options.Time.GetTimestamp();
            return options.Time.GetElapsedTime(_since) >= options.IdleExit;
        }
    }
}
