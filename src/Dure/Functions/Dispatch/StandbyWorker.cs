using System.Diagnostics;
using System.Net.Sockets;
using Dure.Functions.Worker;

namespace Dure.Functions.Dispatch;

/// <summary>
/// A second worker process, kept while there is work: started, it waits for the lock of the one that runs and goes on the moment that one is
/// dead, so that lost work waits for no process to start. It stays as long as this is connected to it (<see cref="StandbyDoor"/>); one that a
/// former server had started is found the same way.
/// </summary>
/// <param name="path">Its socket.</param>
/// <param name="start">Starts one.</param>
internal sealed class StandbyWorker(string path, Func<Process> start, TimeProvider time)
{
    private static readonly TimeSpan AfterWorkFor = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Gap = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LeaveAfter = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AfterTakeover = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan AfterStart = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private Socket? _door;
    private int _pid;
    private int? _starting;
    // At first since ever: what this server finds running has run for long.
    private long? _busySince = 0;
    private long? _busyAt;
    private long? _notBefore;
    private bool _ended;

    /// <summary>The process that starts, waits, or has taken over and was not heard yet; null when there is none.</summary>
    public int? Pid
    {
        get
        {
            lock (_gate)
                return Find();
        }
    }

    /// <summary>The worker is gone: whether this one goes on in its place. One that still starts is given precedence.</summary>
    public bool Hurry()
    {
        lock (_gate)
        {
            if (Find() is not { } pid)
                return false;
            if (_door is null && Precedence.IsAllowed)
                Precedence.Set(pid, Precedence.OfStart);
            return true;
        }
    }

    /// <summary>Finds, starts or leaves it by what there is to do; asked several times a second.</summary>
    public void Look(bool busy)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            Observe(busy, now);
            var there = IsThere();
            if (there && (_busyAt is not { } last || time.GetElapsedTime(last, now) > LeaveAfter))
                Leave(TimeSpan.Zero);
            if (there || _ended || !busy || TryConnect())
                return;
            if (time.GetElapsedTime(_busySince!.Value, now) < AfterWorkFor || (_notBefore is { } at && now < at))
                return;
            _notBefore = now + Ticks(AfterStart);
            using var process = start();
            _starting = process.Id;
        }
    }

    /// <summary>It is the worker now.</summary>
    public void TookOver()
    {
        lock (_gate)
            Leave(AfterTakeover);
    }

    /// <summary>Ends it.</summary>
    /// <param name="forever">No other is started either.</param>
    public async Task EndAsync(bool forever, CancellationToken cancel)
    {
        int? pid;
        lock (_gate)
        {
            _ended |= forever;
            pid = Find();
            Leave(TimeSpan.Zero);
        }
        if (pid is { } waiting)
            await EndProcess.KillAsync(waiting, time, cancel);
    }

    // Only idleness that was seen counts: who was stopped meanwhile knows nothing of it.
    private void Observe(bool busy, long now)
    {
        if (busy)
            (_busySince, _busyAt) = (_busySince ?? now, now);
        else if (_busyAt is not { } before || time.GetElapsedTime(before, now) > Gap)
            _busySince = null;
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    private int? Find() => IsThere() || TryConnect() ? _pid : _starting is { } pid && EndProcess.IsAlive(pid) ? pid : null;

    // Nothing is ever sent: what can be read is the end.
    private bool IsThere()
    {
        if (_door is { } door && door.Poll(0, SelectMode.SelectRead))
            Leave(AfterStart);
        return _door is not null;
    }

    private bool TryConnect()
    {
        if (StandbyDoor.Connect(path) is not { } found)
            return false;
        (_door, _pid) = found;
        _starting = null;
        return true;
    }

    private void Leave(TimeSpan pause)
    {
        _door?.Dispose();
        (_door, _starting) = (null, null);
        _notBefore = time.GetTimestamp() + Ticks(pause);
    }
}
