namespace Dure.Functions.Dispatch;

/// <summary>Room for starts: idle processes of other versions make way.</summary>
internal sealed partial class Dispatcher
{
    private static readonly TimeSpan RoomAfter = TimeSpan.FromMilliseconds(100);

    private (Pool Hungry, long Since)? _roomSoon;
    private int _makingRoom;

    private void BeginMakingRoom(Pool hungry)
    {
        // Not under the hungry pool's lock: another pool may be looking at this one just so.
        if (Interlocked.Exchange(ref _makingRoom, 1) == 0)
            _ = Task.Run(() => MakeRoom(hungry));
    }

    // A process that ends takes a processor for milliseconds, and shall not take them from the start that filled the last place.
    private void MakeRoomSoon(Pool hungry)
    {
        lock (_gate)
            _roomSoon = (hungry, _time.GetTimestamp());
    }

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
}
