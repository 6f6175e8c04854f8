using System.Diagnostics;
using Dure.Functions.Worker;

namespace Dure.Functions.Dispatch;

/// <summary>
/// Further worker processes, kept while there is work: started, they wait for the lock of the one that runs, and one goes on the moment that
/// is dead, so that lost work waits for no process to start. There are two, since the next death may come before another has started. Those
/// that a former server had started are found by their sockets.
/// </summary>
/// <param name="workerSocket">The worker's control socket.</param>
/// <param name="start">Starts one.</param>
internal sealed class StandbyWorkers(string workerSocket, Func<Process> start, TimeProvider time)
{
    /// <summary>How many are kept.</summary>
    public const int Kept = 2;
    private static readonly TimeSpan AfterWorkFor = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Gap = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LeaveAfter = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AfterTakeover = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly List<StandbyWorker> _all = [];
    // At first since ever: what this server finds running has run for long.
    private long? _busySince = 0;
    private long? _busyAt;
    private long? _notBefore;
    private bool _ended;

    /// <summary>Whether there is one that starts, waits, or has taken over and was not heard yet.</summary>
    public bool Any
    {
        get
        {
            lock (_gate)
                return Find().Count > 0;
        }
    }

    /// <summary>Process ids of those that are there.</summary>
    public IReadOnlyList<int> Pids
    {
        get
        {
            lock (_gate)
                return [.. Find().Select(one => one.Pid)];
        }
    }

    /// <summary>The worker is gone: whether one of these goes on in its place.</summary>
    public bool Hurry()
    {
        lock (_gate)
        {
            // The kernel gives the lock to who has waited longest.
            var next = Find().OrderBy(one => one.Starts).ThenBy(one => one.Since).FirstOrDefault();
            next?.Hurry();
            return next is not null;
        }
    }

    /// <summary>Finds, starts or leaves them by what there is to do; asked several times a second.</summary>
    public void Look(bool busy)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            Observe(busy, now);
            if (_busyAt is not { } last || time.GetElapsedTime(last, now) > LeaveAfter)
                LeaveAll();
            // One after the other: two that start take each other's processor, and the work's.
            if (_ended || !busy || Find().Count >= Kept || _all.Any(one => one.Starts))
                return;
            if (time.GetElapsedTime(_busySince!.Value, now) < AfterWorkFor || (_notBefore is { } at && now < at))
                return;
            using var process = start();
            _all.Add(new StandbyWorker(process.Id, StandbyDoor.PathOf(workerSocket, process.Id), time));
        }
    }

    /// <summary>This process is the worker now; nothing changes when it is none of these.</summary>
    public void TookOver(int pid)
    {
        lock (_gate)
        {
            if (_all.Find(one => one.Pid == pid) is not { } winner)
                return;
            winner.Arrived();
            Remove(winner, AfterTakeover);
        }
    }

    /// <summary>Ends them.</summary>
    /// <param name="forever">No other is started either.</param>
    public async Task EndAsync(bool forever, CancellationToken cancel)
    {
        List<int> waiting;
        lock (_gate)
        {
            _ended |= forever;
            waiting = [.. Find().Select(one => one.Pid)];
            LeaveAll();
        }
        foreach (var pid in waiting)
            await EndProcess.KillAsync(pid, time, cancel);
    }

    // Only idleness that was seen counts: who was stopped meanwhile knows nothing of it.
    private void Observe(bool busy, long now)
    {
        if (busy)
            (_busySince, _busyAt) = (_busySince ?? now, now);
        else if (_busyAt is not { } before || time.GetElapsedTime(before, now) > Gap)
            _busySince = null;
    }

    private List<StandbyWorker> Find()
    {
        foreach (var gone in _all.FindAll(one => !one.IsThere))
            Remove(gone, gone.Starts ? AfterFailure : AfterTakeover);
        foreach (var (path, pid) in StandbyDoor.Find(workerSocket))
        {
            if (_all.Exists(one => one.Pid == pid))
                continue;
            var found = new StandbyWorker(pid, path, time);
            if (found.TryConnect())
                _all.Add(found);
        }
        return _all;
    }

    private void Remove(StandbyWorker one, TimeSpan pause)
    {
        _all.Remove(one);
        one.Dispose();
        _notBefore = time.GetTimestamp() + (long)(pause.TotalSeconds * time.TimestampFrequency);
    }

    private void LeaveAll()
    {
        _all.ForEach(one => one.Dispose());
        _all.Clear();
    }
}
