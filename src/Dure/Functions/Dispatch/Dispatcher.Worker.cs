using System.Collections.Concurrent;
using Dure.Functions.Worker;

namespace Dure.Functions.Dispatch;

/// <content>Start, restart and what the worker reports.</content>
internal sealed partial class Dispatcher
{
    private readonly ConcurrentDictionary<long, IReadOnlyDictionary<string, string>> _environments = new();
    private readonly ConcurrentDictionary<long, ActiveInvocation> _orphans = new();
    private readonly ConcurrentDictionary<string, bool> _warm = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unanswered = new(StringComparer.Ordinal);
    private readonly long _memoryAllowed;
    private readonly IReadOnlyList<int>? _gpusAllowed;
    private static readonly TimeSpan DieWithin = TimeSpan.FromSeconds(5);

    /// <summary>Takes the lease, takes up what former servers left, then runs until cancelled.</summary>
    /// <param name="open">Every invocation that has not ended.</param>
    /// <param name="epoch">This server's fencing number.</param>
    public async Task RunAsync(IReadOnlyList<ActiveInvocation> open, long epoch, CancellationToken cancel)
    {
        (_cancel, Epoch) = (cancel, epoch);
        foreach (var invocation in open)
        {
            _active[invocation.Id] = invocation;
            if (invocation.State == InvocationState.Processing)
                _orphans[invocation.Id] = invocation;
            else
                Resubmit(invocation, (invocation.NextAt ?? default) - _time.GetUtcNow());
        }
        await Task.WhenAll(_link.RunAsync(cancel), TickAsync(cancel));
    }

    /// <summary>Starts nothing new; what runs goes on.</summary>
    public void StopClaiming() => _stopping = true;

    /// <summary>Ends the worker and with it every sandbox; completes when it is gone.</summary>
    public Task EndWorkerAsync() => _link.EndAsync(_cancel);

    /// <summary>Attempts that run now.</summary>
    public int RunningCount => _pools.Values.Sum(p => p.Count().Running);

    /// <summary>Takes over an attempt that a former server had recorded, when this frame's process has it.</summary>
    public ActiveInvocation? Adopt(FrameKey key, FunctionVersion version)
    {
        if (!_orphans.TryGetValue(key.Invocation, out var invocation) || invocation.Attempt != key.Attempt || invocation.Version.Id != version.Id)
            return null;
        return _orphans.TryRemove(key.Invocation, out _) ? invocation : null;
    }

    /// <summary>A process that was here before has said what it holds.</summary>
    public void Answered(string slot)
    {
        lock (_gate)
        {
            if (!_unanswered.Remove(slot))
                return;
        }
        ResolveOrphans();
    }

    /// <summary>Runs a command in a sandbox to its end (builds).</summary>
    /// <param name="onLine">Hears its output.</param>
    public async Task<SandboxExited> RunToEndAsync(SandboxSpec spec, Action<string> onLine, CancellationToken cancel)
    {
        var done = new TaskCompletionSource<SandboxExited>(TaskCreationOptions.RunContinuationsAsynchronously);
        while (!_connected)
            await Task.Delay(TickEvery, _time, cancel);
        var slot = $"b-{Epoch}-{Interlocked.Increment(ref _nextSlot)}";
        _slots[slot] = new SlotEntry(null)
        {
            Listener = message =>
            {
                if (message is SandboxLog log)
                    onLine(log.Text);
                else if (message is SandboxExited exited)
                    done.TrySetResult(exited);
                else if (message is SandboxStartFailed failed)
                    done.TrySetResult(new SandboxExited(slot, -1, 0, failed.Error, failed.Detail, 0, 0));
            },
        };
        _link.Send(new StartSandbox(slot, spec));
        await using var stop = cancel.Register(() => _link.Send(new StopSandbox(slot, 0)));
        return await done.Task;
    }

    private void OnWorker(WorkerHello hello)
    {
        lock (_gate)
        {
            _capacity.SetGpus(_gpusAllowed is null ? hello.Gpus : hello.Gpus.Intersect(_gpusAllowed));
            _capacity.MemoryBytes = _memoryAllowed > 0 ? _memoryAllowed : hello.MemoryBytes;
        }
        foreach (var live in hello.Slots.Where(s => !_slots.ContainsKey(s.Slot)))
        {
            if (SlotName.TryParse(live.Slot, out var name) && _needs.VersionById(name.Version) is { } version)
                AdoptSlot(live, name, version);
            else
                _link.Send(new StopSandbox(live.Slot, 0));
        }
        AllGone(_slots.Where(s => hello.Slots.All(live => live.Slot != s.Key)), "the worker no longer has the sandbox");
        ClearFolders(hello);
        // Only now: a sandbox asked for earlier would have been taken for one that this worker has lost.
        _connected = true;
        foreach (var pool in Kept)
            _link.Send(pool);
        _finisher.AnnounceWorkers();
        ResolveOrphans();
        PumpAll();
    }

    /// <summary>How many pre-started processes of a kind are kept once a function can use them.</summary>
    public IReadOnlyDictionary<string, int> Prewarm { get; init; } = new Dictionary<string, int>(StringComparer.Ordinal);

    /// <summary>The pools that a worker should keep from its first moment.</summary>
    public IEnumerable<KeepPool> Kept => _warm.Keys.Select(kind => new KeepPool(kind, Prewarm[kind]));

    /// <summary>A version that may be called from now on: processes of its kind are kept started, which costs memory, so not before.</summary>
    public void Expect(FunctionVersion version)
    {
        var kind = version.Built.Prewarm is { } pool && pool.StartsWith("python:", StringComparison.Ordinal) ? "python:" : version.Built.Prewarm;
        if (kind is not null && Prewarm.TryGetValue(kind, out var size) && _warm.TryAdd(kind, true) && _connected)
            _link.Send(new KeepPool(kind, size));
    }

    /// <summary>GPUs that no sandbox has.</summary>
    public IReadOnlyList<int> FreeGpus
    {
        get
        {
            lock (_gate)
                return [.. _capacity.FreeGpus];
        }
    }

    private void AdoptSlot(LiveSlot live, SlotName name, FunctionVersion version)
    {
        var pool = PoolOf(version);
        var entry = new SlotEntry(pool) { Adopted = true };
        if (!_slots.TryAdd(live.Slot, entry))
            return;
        lock (_gate)
        {
            _capacity.Adopt(live.Slot, version.Spec.Limits.MemoryBytes, name.Gpus);
            _unanswered.Add(live.Slot);
        }
        // One that is still starting reports `started` later. READY tells whether it was ever assigned; an assigned one would hang up on a second ASSIGN.
        if (live.Started)
            entry.Process = pool.Attach(live.Slot, IoFolder(live.Slot), generic: false, adopted: true, _cancel);
    }

    private void OnMessage(FromWorker message)
    {
        if (message is SandboxUsage usage)
        {
            OnUsage(usage);
            return;
        }
        var slot = message switch
        {
            SandboxStarted m => m.Slot,
            SandboxStartFailed m => m.Slot,
            SandboxExited m => m.Slot,
            SandboxLog m => m.Slot,
            _ => null,
        };
        if (slot is null || !_slots.TryGetValue(slot, out var entry))
        {
            // Asked for just before another worker came: nobody waits for it any more.
            if (message is SandboxStarted stray)
                _link.Send(new StopSandbox(stray.Slot, 0));
            else if (message is SandboxExited or SandboxStartFailed && slot is not null)
                RemoveFolder(slot!);
            return;
        }
        entry.Listener?.Invoke(message);
        switch (message)
        {
            case SandboxStarted started when entry is { Pool: not null, Process: null }:
                bool adopted;
                lock (_gate)
                    adopted = _unanswered.Contains(slot);
                entry.Process = entry.Pool.Attach(slot, IoFolder(slot), started.Generic && !adopted, adopted, _cancel);
                break;
            case SandboxLog log when entry.Process is not null:
                entry.Pool!.OnRawLog(entry.Process, log.Stream switch { "out" => LogStream.Out, "err" => LogStream.Error, _ => LogStream.System }, log.Ts, log.Text);
                break;
            case SandboxStartFailed failed:
                Free(slot);
                NotStarted(entry, new AttemptEnd(AttemptOutcome.StartFailed, $"{failed.Error}: {failed.Detail}", null));
                Answered(slot);
                break;
            case SandboxExited exited:
                LogExited(slot, exited.Code, exited.Reason, exited.Detail);
                Gone(slot, entry, EndOf(exited));
                break;
        }
    }

    private async Task OnWorkerLostAsync()
    {
        _connected = false;
#if !DURE_BREAK_FENCING
        // The kernel ends the sandboxes after their worker, not with it: each is heard to close its connection before its work begins again.
        var closed = Task.WhenAll(_slots.Values.Select(s => s.Process?.Closed ?? Task.CompletedTask));
        await Task.WhenAny(closed, Task.Delay(DieWithin, _time, _cancel));
#endif
        AllGone(_slots, "its worker was lost");
        ResolveOrphans();
    }

    // Those that were still starting go first: else what the others ran is claimed for them, and lost with them once more.
    private void AllGone(IEnumerable<KeyValuePair<string, SlotEntry>> slots, string why)
    {
        var end = WorkerGone(why);
        foreach (var (slot, entry) in slots.OrderBy(static slot => slot.Value.Process is { Ready: true }))
            Gone(slot, entry, end, withWorker: true);
    }

    private void Gone(string slot, SlotEntry entry, AttemptEnd end, bool withWorker = false)
    {
        Free(slot);
        entry.Listener?.Invoke(new SandboxExited(slot, -1, 0, "signal", end.Reason ?? "", 0, 0));
        if (entry.Process is not null)
            entry.Pool!.OnExited(entry.Process, end);
        else
            NotStarted(entry, end with { Outcome = AttemptOutcome.WorkerLost }, withWorker);
        RemoveFolder(slot);
        Answered(slot);
        PumpAll();
    }

    // One that a former server had asked for says nothing about whether this one's starts succeed, and nobody here waits for it.
    private static void NotStarted(SlotEntry entry, AttemptEnd end, bool withWorker = false)
    {
        if (!entry.Adopted)
            entry.Pool?.OnStartFailed(end, withWorker);
    }

    private static AttemptEnd WorkerGone(string why) => new(AttemptOutcome.WorkerLost, why, null);

    private static AttemptEnd EndOf(SandboxExited exited) => exited.Reason switch
    {
        "memory" or "processes" => new(AttemptOutcome.Limit, exited.Detail, null),
        "exit" => new(AttemptOutcome.Error, $"the process exited with code {exited.Code}", null),
        _ => new(AttemptOutcome.WorkerLost, $"its process was lost: {exited.Detail}", null),
    };

    // What no living process of its version holds was lost with the server or the worker.
    private void ResolveOrphans()
    {
        if (_orphans.IsEmpty || _link.Hello is null)
            return;
        HashSet<long> open = [];
        lock (_gate)
        {
            foreach (var slot in _unanswered)
            {
                if (SlotName.TryParse(slot, out var name))
                    open.Add(name.Version);
            }
        }
        foreach (var (id, invocation) in _orphans)
        {
            if (open.Contains(invocation.Version.Id) || !_orphans.TryRemove(id, out _))
                continue;
            invocation.MayHaveRun = true;
            _finisher.End(PoolOf(invocation.Version), null, invocation,
                new AttemptEnd(AttemptOutcome.ControllerLost, "the server was lost while the attempt ran, and so was its process", null));
        }
    }

    private async Task TickAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            var busy = true;
            try
            {
                busy = TickOnce();
            }
            catch (Exception bug) when (bug is not OperationCanceledException)
            {
                LogTickFailed(bug);
            }
            await Task.Delay(busy ? TickEvery : IdleTickEvery, _time, cancel);
        }
    }

    private bool TickOnce()
    {
        var busy = false;
        _finisher.Tick();
        ForgetFed();
        foreach (var pool in _pools.Values)
            busy |= pool.Tick();
        foreach (var due in TakeDue())
            PoolOf(due.Version).Enter(due);
        if (TakeRoomDue() is { } hungry)
            BeginMakingRoom(hungry);
        _link.LookAfterStandby(busy);
        lock (_gate)
            return busy || _later.Count > 0;
    }

    private List<ActiveInvocation> TakeDue()
    {
        List<ActiveInvocation> due = [];
        var now = _time.GetTimestamp();
        lock (_gate)
        {
            while (_later.TryPeek(out var next, out var at) && at <= now)
            {
                _later.Dequeue();
                // A cancelled one has left `_active` already.
                if (_active.ContainsKey(next.Id))
                    due.Add(next);
            }
        }
        return due;
    }

    private void PumpAll()
    {
        foreach (var pool in _pools.Values.OrderBy(p => p.Next() is { } owner ? Shares.Of(owner) : (int.MaxValue, 0)))
            pool.Pump();
    }

    private string IoFolder(string slot) => Path.Combine(_slotsFolder, slot, "io");

    // Folders of sandboxes that ended while no server was there: with a lost worker, or with the whole machine.
    private void ClearFolders(WorkerHello hello)
    {
        if (!Directory.Exists(_slotsFolder))
            return;
        foreach (var slot in Directory.EnumerateDirectories(_slotsFolder).Select(folder => Path.GetFileName(folder)))
        {
            // Those that begin with an underscore are the worker's own.
            if (slot[0] != '_' && !_slots.ContainsKey(slot) && hello.Slots.All(live => live.Slot != slot))
                RemoveFolder(slot);
        }
    }

    // Checkpoints and results were taken out when the process's work was ended; what a former server had running is taken out here.
    private void RemoveFolder(string slot)
    {
        if (!_orphans.IsEmpty && SlotName.TryParse(slot, out var name))
        {
            foreach (var orphan in _orphans.Values.Where(o => o.Version.Id == name.Version))
                _finisher.KeepCheckpoint(IoFolder(slot), orphan);
        }
        _ = Task.Run(() => RemoveFolderAsync(slot), CancellationToken.None);
    }

    private async Task RemoveFolderAsync(string slot)
    {
        try
        {
            await SlotFolder.RemoveAsync(Path.Combine(_slotsFolder, slot), CancellationToken.None);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            LogLeftFolder(slot, error.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Sandbox {Slot} ended with code {Code} ({Reason}): {Detail}")]
    private partial void LogExited(string slot, int code, string reason, string detail);

    [LoggerMessage(Level = LogLevel.Error, Message = "Looking after timeouts and waiting work failed; it is tried again.")]
    private partial void LogTickFailed(Exception bug);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The folder of sandbox {Slot} could not be removed: {Why}")]
    private partial void LogLeftFolder(string slot, string why);
}
