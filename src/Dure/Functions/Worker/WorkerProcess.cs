using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Dure.Functions.Worker.Cgroups;
using Dure.Host;

namespace Dure.Functions.Worker;

/// <summary>The worker: one process that starts, limits, watches and ends sandboxes. It outlives the server.</summary>
public static partial class WorkerProcess
{
    private static readonly TimeSpan TermGrace = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan StandbyPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BeatEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>Runs as the command line says: <c>--data DIR --id NAME [--runtimes DIR] [--devices DIR] [--parked N] [--keep KIND=N,...] [--idle-seconds N] [--sandbox-uid N] [--niceness N] [--standby] [--no-cgroups]</c>.</summary>
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
            Standby = given.ContainsKey("--standby"),
            ControlGroups = !given.ContainsKey("--no-cgroups"),
        }, cancel);
    }

    /// <summary>Runs until it is told to end, has nothing to do for long, or <paramref name="cancel"/>; then every sandbox is ended.</summary>
    /// <returns>An exit code of <see cref="ExitCodes"/>; what went wrong was said on standard error.</returns>
    public static async Task<int> RunAsync(WorkerOptions options, CancellationToken cancel)
    {
        _ = Task.Run(WorkerWire.Warm, cancel);
        using var lines = new PlainLog(options.Time);
        using var loggers = new LoggerFactory([lines]);
        options = options with { DataDirectory = Path.GetFullPath(options.DataDirectory).TrimEnd('/') };
        var start = new WorkerStart(options);
        if (start.PrepareFolders() is { } impossible) return Refuse(impossible);
        // What its threads were started with, until it takes sandboxes.
        if (options.Niceness is not null && Precedence.IsAllowed) Precedence.SetSession(Environment.ProcessId, Precedence.Own);
        var taken = options.Standby ? null : WorkerLock.TryTake(start.PidFile);
        if (taken is null && !options.Standby) return Refuse(WorkerErrors.AlreadyRunning.With($"{start.PidFile} is locked by a running worker"));
        await using var held = taken;
        StandbyDoor.Remove(options.SocketPath, Environment.ProcessId);
        // Heard from the first moment: a server that wants another looks here.
        using var door = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var unwanted = options.Standby ? StandbyDoor.KeepAsync(StandbyDoor.PathOf(options.SocketPath, Environment.ProcessId), StandbyPatience, options.Time, door.Token) : Task.CompletedTask;
        var prepared = await start.GroundAsync(cancel);
        if (!prepared.Ok) return Refuse(prepared.Problem);
        var turn = options.Standby ? start.StandByAsync(unwanted, door) : Task.FromResult(held);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() => Serve(prepared.Value, turn, loggers, ended, cancel)) { Name = "sandboxes", IsBackground = false };
        thread.Start();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var resting = IdleMemory.RunAsync(options.Time, over.Token);
        await ended.Task;
        await over.CancelAsync();
        await resting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // One that only stood by leaves to the worker what is the worker's.
        await using var won = turn.IsCompleted ? await turn : null;
        if (won is null) return ExitCodes.Ok;
        var groups = prepared.Value.Groups;
        var left = await CgroupTree.EndLeftoversAsync(groups.Folders, _ => true, options.Time, CancellationToken.None);
        await CgroupTree.RemoveAsync(left, options.Time, CancellationToken.None);
        groups.Remove();
        return ExitCodes.Ok;
    }

    private static int Refuse(Problem problem)
    {
        Console.Error.WriteLine($"{problem.Kind.Id} {problem.Kind.Title}: {problem.Detail}\n{problem.Kind.Remedy}");
        return problem.Kind.ExitCode;
    }

    /// <summary>The thread that owns all sandboxes. They die with it: the kernel is told so when each is started.</summary>
    /// <param name="turn">Ends when this is the worker, or with null when it never will be.</param>
    private static void Serve(SandboxGround ground, Task<FileStream?> turn, ILoggerFactory loggers, TaskCompletionSource ended, CancellationToken cancel)
    {
        var options = ground.Options;
        var log = loggers.CreateLogger("worker");
        try
        {
            using var reactor = new Reactor(options.Time, e => Fault(log, e));
            var outbox = new Outbox(options.Time);
            var host = new SandboxHost(ground, reactor, outbox, loggers) { Emptied = reactor.Stop };
            // What is left of its start is as much the work's as its own.
            if (options.Niceness is { } niceness) Precedence.Set(Environment.ProcessId, niceness);
            host.Begin();
            ControlServer? control = null;
            async Task OpenAsync()
            {
                var won = false;
                try
                {
                    won = await turn is not null;
                }
                finally
                {
                    await reactor.PostAsync(() =>
                    {
                        if (won) control = Open(ground, host, log);
                        else host.End(TimeSpan.Zero);
                    }, CancellationToken.None);
                }
            }

            _ = Task.Run(OpenAsync, cancel);
            void End(TimeSpan grace) => _ = reactor.PostAsync(() => host.End(grace), CancellationToken.None).AsTask();
            using var cancelled = cancel.Register(() => End(TimeSpan.Zero));
            using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
            {
                signal.Cancel = true;
                End(TermGrace);
            });
            reactor.Run();
            control?.Dispose();
            ended.SetResult();
        }
        catch (Exception e)
        {
            ended.SetException(e);
        }
    }

    /// <returns>Null when nothing can listen there: the worker ends.</returns>
    private static ControlServer? Open(SandboxGround ground, SandboxHost host, ILogger log)
    {
        var options = ground.Options;
        ControlServer control;
        try
        {
            control = new ControlServer(options.SocketPath, host.Reactor, host.Outbox, log);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            Fault(log, e);
            host.End(TimeSpan.Zero);
            return null;
        }

        var idle = new IdleClock(options, host, control);
        var boot = Guid.CreateVersion7(options.Time.GetUtcNow()).ToString("N");
        control.Greeting = () => new WorkerHello(1, options.Id, Environment.ProcessId, boot, [.. host.Live, .. host.Outbox.Ended], Machine.MemoryBytes(),
            Environment.ProcessorCount * 1000, ground.Gpus.Indices, ground.Groups.Enforced);
        control.Received = message => Take(message, host);
        void Beat()
        {
            host.Outbox.Add(new WorkerBeat());
            if (idle.Expired()) host.End(TimeSpan.Zero);
            else host.Reactor.After(BeatEvery, Beat);
        }

        host.Reactor.After(BeatEvery, Beat);
        // Again: it may have been given precedence while it stood by.
        if (options.Niceness is { } niceness) Precedence.Set(Environment.ProcessId, niceness);
        host.Fill();
        Ready(log, options.Id, options.SocketPath);
        return control;
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
