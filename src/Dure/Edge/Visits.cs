using System.Collections.Concurrent;

namespace Dure.Edge;

/// <summary>When each app was last asked for through a door, and how many are asking now.</summary>
public sealed class Visits(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Counter> _counters = new(StringComparer.Ordinal);

    /// <summary>Somebody asks; until the answer is disposed of, and with a WebSocket that is until it closes.</summary>
    public IDisposable Begin(string id)
    {
        var counter = Of(id);
        Interlocked.Increment(ref counter.Open);
        return new Visit(counter, time);
    }

    /// <summary>Somebody was seen asking elsewhere.</summary>
    public void Touch(string id) => Of(id).Last = time.GetTimestamp();

    /// <summary>For how long nobody has asked. What was never asked for counts from the first time that this is called.</summary>
    public TimeSpan Quiet(string id)
    {
        var counter = Of(id);
        return Volatile.Read(ref counter.Open) > 0 ? TimeSpan.Zero : time.GetElapsedTime(Volatile.Read(ref counter.Last));
    }

    private Counter Of(string id) => _counters.GetOrAdd(id, _ => new Counter { Last = time.GetTimestamp() });

    private sealed class Counter
    {
        public int Open;
        public long Last;
    }

    private sealed class Visit(Counter counter, TimeProvider time) : IDisposable
    {
        private int _ended;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _ended, 1) != 0)
                return;
            Volatile.Write(ref counter.Last, time.GetTimestamp());
            Interlocked.Decrement(ref counter.Open);
        }
    }
}
