using System.Collections.Concurrent;

namespace Dure.Edge;

/// <summary>When each app was last asked for through a door, and how many are asking now.</summary>
public sealed class Visits(TimeProvider time)
{
    private static readonly TimeSpan ProbeSeenWithin = TimeSpan.FromSeconds(5);

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

    /// <summary>Dure itself looks at the app through the edge, until the answer is disposed of: one connection that is no visit.</summary>
    public IDisposable Probe(string id)
    {
        var counter = Of(id);
        lock (counter)
        {
            counter.Probing++;
            counter.Unseen++;
            counter.Probed = time.GetTimestamp();
        }

        return new Look(counter);
    }

    /// <summary>Whether these connections from elsewhere are more than Dure's own looks.</summary>
    /// <param name="open">How many are open now.</param>
    /// <param name="closed">How many have ended since this was last asked.</param>
    public bool AreVisits(string id, int open, int closed)
    {
        var counter = Of(id);
        lock (counter)
        {
            // A look that never came to the app leaves no end to be seen.
            if (counter.Probing == 0 && time.GetElapsedTime(counter.Probed) > ProbeSeenWithin)
                counter.Unseen = 0;
            var own = Math.Min(counter.Unseen, closed);
            counter.Unseen -= own;
            return open > counter.Probing || closed > own;
        }
    }

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
        public int Probing;
        public int Unseen;
        public long Probed;
    }

    private sealed class Look(Counter counter) : IDisposable
    {
        private int _ended;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _ended, 1) != 0)
                return;
            lock (counter)
                counter.Probing--;
        }
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
