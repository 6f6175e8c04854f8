using System.Buffers;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;
using Dure.Functions.Worker;

namespace Dure.Functions.Dispatch;

/// <summary>What the link tells its owner. Called one at a time.</summary>
/// <param name="Connected">A worker process answered; what it holds.</param>
/// <param name="Message">Any later line.</param>
/// <param name="Lost">The worker process is gone; everything it ran is dying with it.</param>
internal sealed record WorkerEvents(Action<WorkerHello> Connected, Action<FromWorker> Message, Func<Task> Lost);

/// <summary>
/// The server's end of the worker protocol: finds the worker that runs or starts one, keeps the connection, notices within
/// the lease that it hangs and at once that it died, and then ends it for good before anyone runs its work again.
/// </summary>
internal sealed partial class WorkerLink(string socketPath, Func<bool, Process> start, WorkerEvents events, TimeSpan lease, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan BeatEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ConnectEvery = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan TakeoverPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(5);

    private readonly StandbyWorkers _standby = new(socketPath, () => start(true), time);
    private FrameSender? _sender;
    private long _heard = time.GetTimestamp();
    private int _started;
    private long? _startedAt;
    private bool _takesOver;
    private volatile bool _ending;
    private volatile bool _silent;

    /// <summary>What the connected worker said of itself; null while none is connected.</summary>
    public WorkerHello? Hello { get; private set; }

    /// <summary>Process ids of the workers that stand by.</summary>
    public IReadOnlyList<int> StandbyPids => _standby.Pids;

    /// <summary>How long ago the worker was last heard.</summary>
    public TimeSpan Age => time.GetElapsedTime(Volatile.Read(ref _heard));

    /// <summary>Keeps further workers ready while there is work; asked several times a second.</summary>
    public void LookAfterStandby(bool busy)
    {
#if !DURE_BREAK_FENCING
        if (Hello is not null)
            _standby.Look(busy);
#endif
    }

    /// <summary>
    /// Sends a line, on the caller's own thread as a rule. What cannot be sent because no worker is connected, or because it died, is
    /// answered by <see cref="WorkerEvents.Lost"/> or asked for again at <see cref="WorkerEvents.Connected"/>.
    /// </summary>
    public void Send(ToWorker message)
    {
        if (Volatile.Read(ref _sender) is not { } sender)
            return;
        Queue(sender, message);
        sender.Flush();
    }

    /// <summary>Keeps a worker connected until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested && !_ending)
        {
            try
            {
                using var socket = await ConnectAsync(cancel);
                if (socket is null)
                    return;
                await TalkAsync(socket, cancel);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (error is SocketException or IOException or JsonException or OperationCanceledException)
            {
                LogDisconnected(error.Message);
            }
            catch (Exception bug)
            {
                // Without a link nothing would ever end again: better a new worker and its work once more.
                LogBug(bug);
            }
            if (Hello is not { } hello)
            {
                await EndSilentAsync(cancel);
                continue;
            }
            // Only one that is surely dead may have its work run again.
#if DURE_BREAK_FENCING
            File.Delete(socketPath);
            File.Delete(Path.ChangeExtension(socketPath, ".pid"));
#else
            await EndProcess.KillAsync(hello.Pid, time, cancel);
#endif
            // The next one comes up while the kernel still ends what this one ran.
            if (!_ending && !cancel.IsCancellationRequested)
                Start();
            (Hello, _silent) = (null, false);
            await events.Lost();
        }
    }

    // One that hung before it could answer this server: its socket is there, so none would be started beside it.
    private async Task EndSilentAsync(CancellationToken cancel)
    {
        if (!_silent)
            return;
        _silent = false;
        await EndHolderAsync(cancel);
        await events.Lost();
    }

    // Also one that hung while it was starting: as long as it has its lock no other can begin.
    private async Task EndHolderAsync(CancellationToken cancel)
    {
        if (LeftWorker.ReadPid(Path.ChangeExtension(socketPath, ".pid")) is not { } pid || !EndProcess.IsAlive(pid))
            return;
        LogReplaced(pid);
        await EndProcess.KillAsync(pid, time, cancel);
    }

    /// <summary>Ends the worker with all its sandboxes, also one that is still starting, and returns when it is gone; there will be no other.</summary>
    public async Task EndAsync(CancellationToken cancel)
    {
        _ending = true;
        await _standby.EndAsync(forever: true, cancel);
        if (Hello is not { } hello)
        {
            if (_started > 0)
                await EndProcess.KillAsync(_started, time, cancel);
            return;
        }
        Send(new EndWorker(0));
        var begun = time.GetTimestamp();
        while (EndProcess.IsAlive(hello.Pid) && time.GetElapsedTime(begun) < EndPatience)
            await Task.Delay(ConnectEvery, time, cancel);
        await EndProcess.KillAsync(hello.Pid, time, cancel);
    }

    // Null when it is to end.
    private async Task<Socket?> ConnectAsync(CancellationToken cancel)
    {
        while (true)
        {
            if (await TryConnectAsync(cancel) is { } socket)
            {
                _startedAt = null;
                return socket;
            }

            if (_ending)
                return null;
            var gone = _takesOver && !_standby.Any;
            if (gone || (_startedAt is { } at && time.GetElapsedTime(at) > (_takesOver ? TakeoverPatience : StartPatience)))
            {
                await _standby.EndAsync(forever: false, cancel);
                await EndHolderAsync(cancel);
                _startedAt = null;
            }
            if (_startedAt is null)
                Start();
            await Task.Delay(ConnectEvery, time, cancel);
        }
    }

    private async Task<Socket?> TryConnectAsync(CancellationToken cancel)
    {
        // A failed try costs a hundred times this look: while a worker starts there are many.
        if (!File.Exists(socketPath))
            return null;
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancel);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    private void Start()
    {
        _startedAt = time.GetTimestamp();
        _takesOver = _standby.Hurry();
        if (_takesOver)
            return;
        using var process = start(false);
        _started = process.Id;
    }

    private async Task TalkAsync(Socket socket, CancellationToken cancel)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await using var stream = new NetworkStream(socket, ownsSocket: false);
        Volatile.Write(ref _heard, time.GetTimestamp());
        var sender = new FrameSender(socket);
        Queue(sender, new ServerHello(1, Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        sender.Flush();
        Volatile.Write(ref _sender, sender);
        var beating = BeatAsync(over.Token);
        var watching = WatchAsync(socket, over);
        try
        {
            using var reader = new StreamReader(stream);
            while (await reader.ReadLineAsync(over.Token) is { } line)
            {
                Volatile.Write(ref _heard, time.GetTimestamp());
                Handle(WorkerWire.ReadFromWorker(line));
            }
        }
        finally
        {
            Volatile.Write(ref _sender, null);
            await over.CancelAsync();
            await Task.WhenAll(beating, watching).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Handle(FromWorker message)
    {
        switch (message)
        {
            case WorkerBeat:
                break;
            case WorkerHello hello:
                _standby.TookOver(hello.Pid);
                Hello = hello;
                LogConnected(hello.Worker, hello.Pid, hello.Slots.Count);
                events.Connected(hello);
                break;
            default:
                events.Message(message);
                break;
        }
    }

    private async Task BeatAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            await Task.Delay(BeatEvery, time, cancel);
            Send(new ServerBeat());
        }
    }

    private static void Queue(FrameSender sender, ToWorker message) =>
        sender.Queue(WorkerWire.Line(message), static (output, line) => output.Write(line));

    // A stopped worker keeps its socket open; only silence tells.
    private async Task WatchAsync(Socket socket, CancellationTokenSource over)
    {
        while (!over.IsCancellationRequested)
        {
            var looked = time.GetTimestamp();
            await Task.Delay(BeatEvery, time, over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // Who slept through the lease himself (stopped, suspended) has not listened: what the worker said meanwhile is still to be read.
#if DURE_BREAK_LEASE
            if (lease > TimeSpan.Zero)
                continue;
#endif
            // Nor is it silent whose words wait here unread, while a slow disk holds up the thread that would read them.
            if (Age <= lease || time.GetElapsedTime(looked) > 4 * BeatEvery || socket.Available > 0)
                continue;
            LogSilent(Age);
            _silent = true;
            await over.CancelAsync();
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Worker} (pid {Pid}) is connected and holds {Slots} sandboxes.")]
    private partial void LogConnected(string worker, int pid, int slots);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The connection to the worker ended: {Why}")]
    private partial void LogDisconnected(string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "A report of the worker was not understood; the worker is replaced.")]
    private partial void LogBug(Exception bug);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The worker that was here (pid {Pid}) answers nobody; it is ended and replaced.")]
    private partial void LogReplaced(int pid);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The worker was silent for {Age}; it is given up.")]
    private partial void LogSilent(TimeSpan age);
}
