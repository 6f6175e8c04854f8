using System.Diagnostics;

namespace Dure.Functions.Dispatch;

/// <summary>
/// A second worker process, kept while there is work: started, it waits for the lock of the one that runs and goes on the moment that one is
/// dead, so that lost work waits for no process to start. It ends by itself when its standard input does: with this server, or when it is idle.
/// </summary>
/// <param name="start">Starts one; its standard input is a pipe.</param>
internal sealed class StandbyWorker(Func<Process> start, TimeProvider time)
{
    private static readonly TimeSpan AfterWorkFor = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Gap = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LeaveAfter = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AfterTakeover = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan AfterDeath = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private Process? _process;
    private long _busySince = time.GetTimestamp();
    private long? _busyAt;
    private long? _notBefore;
    private bool _ended;

    /// <summary>The process that waits, or has taken over and was not heard yet; null when there is none.</summary>
    public int? Pid
    {
        get
        {
            lock (_gate)
                return _process is { HasExited: false } ? _process.Id : null;
        }
    }

    /// <summary>Starts or ends it by what there is to do; asked several times a second.</summary>
    public void Look(bool busy)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            if (busy)
            {
                if (_busyAt is not { } before || time.GetElapsedTime(before, now) > Gap)
                    _busySince = now;
                _busyAt = now;
            }
            if (_process is { HasExited: true })
                Leave(AfterDeath);
            if (_process is not null && time.GetElapsedTime(_busyAt ?? _busySince, now) > LeaveAfter)
                Leave(TimeSpan.Zero);
            if (_process is null && !_ended && busy && time.GetElapsedTime(_busySince, now) >= AfterWorkFor && (_notBefore is not { } at || at <= now))
                _process = start();
        }
    }

    /// <summary>It is the worker now, and no longer ends with this server.</summary>
    public void TookOver()
    {
        lock (_gate)
            Leave(AfterTakeover);
    }

    /// <summary>Ends it for good.</summary>
    /// <param name="forever">No other is started either.</param>
    public async Task EndAsync(bool forever, CancellationToken cancel)
    {
        int? pid;
        lock (_gate)
        {
            _ended |= forever;
            pid = Pid;
            Leave(AfterDeath);
        }
        if (pid is { } waiting)
            await EndProcess.KillAsync(waiting, time, cancel);
    }

    private void Leave(TimeSpan pause)
    {
        if (_process is null)
            return;
        _process.StandardInput.Close();
        _process.Dispose();
        _process = null;
        _notBefore = time.GetTimestamp() + (long)(pause.TotalSeconds * time.TimestampFrequency);
    }
}
