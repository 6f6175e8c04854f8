using Dure.Functions.Worker;

namespace Dure.Functions.Dispatch;

/// <summary>
/// One version's processes on this machine and the invocations that wait for them. An invocation is <em>claimed</em> when its
/// attempt is recorded, and only then sent; claims run ahead of free processes only for functions that take milliseconds, so
/// that PROCESSING means what it says.
/// </summary>
internal sealed partial class Pool(FunctionVersion version, Dispatcher dispatcher, Finisher finisher, TimeProvider time)
{
    private const int ClaimsAhead = 256;
    private const double FastMs = 10;
    private const double StartMs = 100;

    private static readonly TimeSpan GreetWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LingerMost = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan DrainedIdle = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan StartPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ClaimAgainAfter = TimeSpan.FromMilliseconds(200);

    private readonly Lock _gate = new();
    private readonly List<FunctionProcess> _processes = [];
    private readonly Queue<ActiveInvocation> _ready = new();
    private readonly FairQueue _waiting = new(dispatcher.Shares);
    private int _starting;
    private int _claiming;
    private int _startFailures;
    private int _toReplace;
    private long _startFailedAt;
    private double _meanMs = double.NaN;

    /// <summary>The version it runs.</summary>
    public FunctionVersion Version => version;

    /// <summary>Takes in a new invocation before it is stored.</summary>
    /// <returns>True when its first attempt may be recorded with it.</returns>
    public bool Admit(ActiveInvocation invocation)
    {
        invocation.QueuedTimestamp = time.GetTimestamp();
        lock (_gate)
        {
            if (dispatcher.Drain is not null || (Budget() <= 0 && !(WantsMore(1, onEveryCore: true) && StartOne(invocation.Owner))))
                return false;
            _claiming++;
            dispatcher.Shares.Serve(invocation.Owner);
            invocation.Attempt = 1;
            invocation.State = InvocationState.Processing;
            invocation.StartedAt = invocation.CreatedAt;
            invocation.Cold = _processes.Count == 0;
            return true;
        }
    }

    /// <summary>The invocation is stored: send it, or let it wait.</summary>
    public void Enter(ActiveInvocation invocation)
    {
        if (invocation.State == InvocationState.Processing)
        {
            SendOrHold(invocation);
            return;
        }
        lock (_gate)
            _waiting.Enqueue(invocation);
        Pump();
    }

    /// <summary>An admitted invocation was not stored after all.</summary>
    public void Withdraw(ActiveInvocation invocation)
    {
        if (invocation.State != InvocationState.Processing)
            return;
        lock (_gate)
            _claiming--;
        Pump();
    }

    /// <summary>Claims what may be claimed and starts processes that are wanted.</summary>
    public void Pump()
    {
        while (true)
        {
            ActiveInvocation? next;
            lock (_gate)
            {
                // A worker that is drained works off what is claimed already, and what waits waits on.
                var draining = dispatcher.Drain is not null;
                var claimable = !draining && Budget() > 0;
                next = claimable ? _waiting.Dequeue() : null;
                if (next is null)
                {
                    // Claims run ahead of processes for fast functions: what is held then needs another process only when
                    // none will come for it, or when those that are busy turn out to be slow.
                    if ((draining ? 0 : _waiting.Count) + _ready.Count > 0 && WantsMore(0, onEveryCore: !claimable || NobodyComes()) && StartOne(NextOwner()!))
                        continue;
                    return;
                }
                _claiming++;
                next.Cold = _processes.Count == 0;
            }
            _ = ClaimAsync(next);
        }
    }

    /// <summary>Takes a waiting invocation out, for cancellation.</summary>
    /// <returns>What it was: waiting, held (claimed but not sent), running, or null when it is not here.</returns>
    public CancelPoint? BeginCancel(long id, AttemptEnd end, out ActiveInvocation? invocation, out FunctionProcess? process)
    {
        lock (_gate)
        {
            process = null;
            invocation = _ready.FirstOrDefault(i => i.Id == id);
            if (invocation is not null)
            {
                var rest = _ready.Where(i => i.Id != id).ToList();
                _ready.Clear();
                rest.ForEach(_ready.Enqueue);
                return CancelPoint.Held;
            }
            if (_waiting.Remove(id))
                return CancelPoint.Waiting;
            foreach (var candidate in _processes)
            {
                if (!candidate.Running.TryGetValue(id, out invocation))
                    continue;
                invocation.CancelRequested = true;
                invocation.Ending = end;
                candidate.Closing = true;
                candidate.EndedFor ??= $"its process also ran invocation {InvocationId.Format(id)}, which was cancelled";
                process = candidate;
                return CancelPoint.Running;
            }
            return null;
        }
    }

    /// <summary>Counts for status pages.</summary>
    public (int Waiting, int Held, int Running, int Processes) Count()
    {
        lock (_gate)
            return (_waiting.Count, _ready.Count + _claiming, _processes.Sum(p => p.Running.Count), _processes.Count);
    }

    /// <summary>Everything it is running, with the process that runs it.</summary>
    public List<(FunctionProcess Process, ActiveInvocation? Invocation)> Snapshot()
    {
        lock (_gate)
            return [.. _processes.SelectMany(p => p.Running.Count == 0
                ? [(p, (ActiveInvocation?)null)]
                : p.Running.Values.Select(i => (p, (ActiveInvocation?)i)))];
    }

    /// <summary>What a process has been running for at least so long; null for nothing.</summary>
    public List<ActiveInvocation>? RunningFor(FunctionProcess process, TimeSpan atLeast)
    {
        List<ActiveInvocation>? found = null;
        lock (_gate)
        {
            foreach (var invocation in process.Running.Values)
            {
                if (time.GetElapsedTime(invocation.AttemptTimestamp) >= atLeast)
                    (found ??= []).Add(invocation);
            }
        }
        return found;
    }

    /// <summary>What a process is doing.</summary>
    public ProcessFacts Facts(FunctionProcess process)
    {
        lock (_gate)
        {
            return new ProcessFacts(process.Ready, process.Closing, process.Adopted, process.Served, time.GetElapsedTime(process.AttachedAt),
                process.Running.Count == 0 ? time.GetElapsedTime(process.IdleSince) : null,
                [.. process.Running.Values.Select(i => new RunningFacts(i.Id, i.Attempt, i.Owner, time.GetElapsedTime(i.AttemptTimestamp)))]);
        }
    }

    // The memory and the GPUs of a worker that is drained shall become free.
    private TimeSpan IdleMost() => dispatcher.Drain is not null ? DrainedIdle : version.Spec.IdleTimeout ?? dispatcher.IdleTimeout;

    private async Task ClaimAsync(ActiveInvocation invocation)
    {
        var attempt = invocation.Attempt + 1;
        bool claimed;
        try
        {
            claimed = !invocation.Recorded || await dispatcher.ClaimAsync(invocation, attempt);
        }
        catch (System.Data.Common.DbException)
        {
            // The disk is full or the database away: it waits, like everything that is asked of this server meanwhile.
            lock (_gate)
                _claiming--;
            invocation.NextAt = time.GetUtcNow() + ClaimAgainAfter;
            dispatcher.Resubmit(invocation, ClaimAgainAfter);
            return;
        }
        if (!claimed)
        {
            lock (_gate)
                _claiming--;
            Pump();
            return;
        }
        invocation.Attempt = attempt;
        invocation.State = InvocationState.Processing;
        SendOrHold(invocation);
    }

    private void SendOrHold(ActiveInvocation invocation)
    {
        FunctionProcess? process = null;
        lock (_gate)
        {
            _claiming--;
            if (!invocation.CancelRequested)
            {
                process = FreeProcess();
                if (process is null)
                    _ready.Enqueue(invocation);
                else
                    Assign(process, invocation);
            }
        }
        if (process is not null)
        {
            finisher.Send(process, invocation);
            return;
        }
        // A cancellation that arrived while the claim was being written.
        if (invocation.CancelRequested)
            finisher.End(this, null, invocation, new AttemptEnd(AttemptOutcome.Cancelled, "cancelled", null));
        Pump();
    }

    // Places that could take a claimed invocation now or soon.
    private int Budget()
    {
        // While nothing can be started, waiting invocations are claimed all the same, so that each ends with the reason.
        var free = _starting * version.Spec.Concurrency - _ready.Count - _claiming + (_startFailures > 0 ? ClaimsAhead : 0);
        var alive = false;
        foreach (var process in _processes)
        {
            if (!process.Ready || process.Closing)
                continue;
            alive = true;
            free += version.Spec.Concurrency - process.Running.Count;
        }
        return alive && _meanMs < FastMs && !version.Spec.AtMostOnce ? free + ClaimsAhead : free;
    }

    private bool NobodyComes() => _starting == 0 && _processes.All(p => p.Closing);

    private FunctionProcess? FreeProcess()
    {
        foreach (var process in _processes)
        {
            if (process.Ready && !process.Closing && process.Running.Count < version.Spec.Concurrency)
                return process;
        }
        return null;
    }

    private void Assign(FunctionProcess process, ActiveInvocation invocation)
    {
        process.Running.Add(invocation.Id, invocation);
        invocation.Slot = process.Slot;
        invocation.AttemptTimestamp = time.GetTimestamp();
        dispatcher.Shares.Begin(invocation.Owner);
    }

    // As many as were busy when the worker was lost, for their work waits again. Else one process per core is always worth it. More are when
    // the line takes longer to work off than a process takes to start;
    // few start at once, so that starting them is not what makes the line slow.
    private bool WantsMore(int arriving, bool onEveryCore)
    {
        var count = _starting;
        foreach (var process in _processes)
            count += process.Closing ? 0 : 1;
        if (version.Spec.Instances > 0 && count >= version.Spec.Instances)
            return false;
        if (_startFailures > 0 && time.GetElapsedTime(_startFailedAt) < StartPause * (1 << Math.Min(_startFailures, 6)))
            return false;
        var queued = _ready.Count + _waiting.Count + _claiming + arriving;
        if (queued <= _starting * version.Spec.Concurrency || _starting >= Environment.ProcessorCount)
            return false;
        return _toReplace > 0 || (onEveryCore && count < Environment.ProcessorCount) || queued * ServiceMs() / (count * version.Spec.Concurrency) > StartMs;
    }

    // What has ended tells how long it takes; what runs tells that it takes at least so long.
    private double ServiceMs()
    {
        var longest = double.IsNaN(_meanMs) ? 0 : _meanMs;
        foreach (var process in _processes)
        {
            foreach (var invocation in process.Running.Values)
                longest = Math.Max(longest, time.GetElapsedTime(invocation.AttemptTimestamp).TotalMilliseconds);
        }
        return longest;
    }

    /// <summary>Whose invocation waits here next; null when none waits.</summary>
    public string? Next()
    {
        lock (_gate)
            return NextOwner();
    }

    private string? NextOwner() => (_ready.TryPeek(out var held) ? held : _waiting.Peek())?.Owner;

    private bool StartOne(string owner)
    {
        if (!dispatcher.TryStart(this, owner))
            return false;
        _starting++;
        _toReplace = Math.Max(0, _toReplace - 1);
        return true;
    }
}

/// <summary>How far an invocation had come when it was cancelled.</summary>
internal enum CancelPoint
{
    Waiting,
    Held,
    Running,
}
