namespace Dure.Functions.Dispatch;

/// <summary>
/// Room for starts. Idle processes of other versions make way at once. Busy ones make way between two invocations once another owner,
/// whose turn it is, has waited for a while: then a function with a long line does not hold the machine until its line is worked off.
/// </summary>
internal sealed partial class Dispatcher
{
    private static readonly TimeSpan RoomAfter = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan HungryAfter = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan HungryUntil = TimeSpan.FromSeconds(1);

    private volatile IReadOnlyList<Hungry> _hungry = [];
    private (Pool Hungry, long Since)? _roomSoon;
    private int _makingRoom;

    /// <summary>Whether a start found no room of late.</summary>
    public bool IsShort => _hungry.Count > 0;

    /// <summary>Whether a process that has become free should end for the sake of another owner's function.</summary>
    /// <param name="owner">Whose invocation it would run next.</param>
    public bool MakesWay(Pool pool, string owner) => _hungry.Any(h => IsBefore(h, pool, owner));

    // Room that one start is not enough for gathers for whoever has waited long and whose turn it is.
    private bool IsKeptForAnother(Pool pool, string owner)
    {
        var spec = pool.Version.Spec;
        return _hungry.Any(h => IsBefore(h, pool, owner)
            && !_capacity.FitsWithout([], spec.Limits.MemoryBytes + h.Pool.Version.Spec.Limits.MemoryBytes, spec.Gpus + h.Pool.Version.Spec.Gpus, starts: 2));
    }

    private bool IsBefore(Hungry hungry, Pool pool, string owner) => hungry.Pool != pool
        && _time.GetElapsedTime(hungry.Since) > HungryAfter && Shares.Of(hungry.Owner).CompareTo(Shares.Of(owner)) < 0;

    // Under the lock. Who is hungry asks again at every tick; who does not any more is not hungry.
    private void SetHungry(Pool pool, string? owner)
    {
        if (owner is null && _hungry.Count == 0)
            return;
        var now = _time.GetTimestamp();
        var since = _hungry.FirstOrDefault(h => h.Pool == pool)?.Since ?? now;
        var others = _hungry.Where(h => h.Pool != pool);
        _hungry = [.. owner is null ? others : others.Append(new Hungry(pool, owner, since, now))];
    }

    private void ForgetFed()
    {
        lock (_gate)
        {
            if (_hungry.Count > 0)
                _hungry = [.. _hungry.Where(h => _time.GetElapsedTime(h.Asked) < HungryUntil)];
        }
    }

    private void BeginMakingRoom(Pool hungry)
    {
        // Not under the hungry pool's lock: another pool may be looking at this one just so.
        if (Interlocked.Exchange(ref _makingRoom, 1) == 0)
            _ = Task.Run(() => MakeRoom(hungry));
    }

    // A process that ends takes a processor for milliseconds, and shall not take them from the start that filled the last place.
    private Pool? TakeRoomDue()
    {
        lock (_gate)
        {
            if (_roomSoon is not { } soon || _time.GetElapsedTime(soon.Since) < RoomAfter)
                return null;
            _roomSoon = null;
            return _capacity.FitsWithout([], soon.Hungry.Version.Spec.Limits.MemoryBytes, 0) ? null : soon.Hungry;
        }
    }

    private void MakeRoom(Pool hungry)
    {
        try
        {
            MakeRoomFor(hungry);
        }
        finally
        {
            Volatile.Write(ref _makingRoom, 0);
        }
    }

    // What has been idle longest, of other versions, makes way, but only when that is enough: its exit pumps the pools that wait.
    private void MakeRoomFor(Pool hungry)
    {
        var spec = hungry.Version.Spec;
        var idle = _pools.Values.Where(p => p != hungry).SelectMany(pool => pool.Idle().Select(process => (Process: process, Pool: pool))).OrderBy(i => i.Process.IdleSince).ToList();
        var leaving = _pools.Values.SelectMany(p => p.Leaving()).ToList();
        var enough = -1;
        lock (_gate)
        {
            for (var n = 0; n <= idle.Count && enough < 0; n++)
            {
                if (_capacity.FitsWithout(leaving.Concat(idle.Take(n).Select(i => i.Process.Slot)), spec.Limits.MemoryBytes, spec.Gpus))
                    enough = n;
            }
        }
        foreach (var (process, pool) in idle.Take(enough))
        {
            if (pool.Retire(process))
                Stop(process, TimeSpan.FromSeconds(1));
        }
    }

    /// <summary>A pool whose start found no room.</summary>
    /// <param name="Since">When that was first so.</param>
    /// <param name="Asked">When it last was.</param>
    private sealed record Hungry(Pool Pool, string Owner, long Since, long Asked);
}
