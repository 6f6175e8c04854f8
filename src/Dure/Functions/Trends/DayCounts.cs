namespace Dure.Functions.Trends;

/// <summary>How many invocations ended in the last 24 hours, by state. Minutes that are over are counted once.</summary>
internal sealed class DayCounts(TrendStore store, TimeProvider time)
{
    private const int Minutes = 24 * 60;

    /// <summary>Rows appear later than the time they carry, by so many minutes at most.</summary>
    private const int Settle = 1;

    private readonly Dictionary<long, long[]> _closed = [];
    private long _closedUntil;

    /// <summary>Counts, by the number of the state; not for two at once.</summary>
    /// <returns>The first moment that is counted.</returns>
    public async ValueTask<(DateTimeOffset Since, long[] Counts)> ReadAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds() / 60_000;
        var (first, closedUntil) = (now - Minutes + 1, now - Settle);
        if (_closedUntil < first)
            _closedUntil = first;
        var open = new long[(int)InvocationState.Unknown + 1];
        foreach (var (minute, state, count) in await store.MinutesAsync(_closedUntil, now + 2, cancel))
        {
            if (minute >= closedUntil)
                open[(int)state] += count;
            else
                (_closed.TryGetValue(minute, out var counts) ? counts : _closed[minute] = new long[open.Length])[(int)state] = count;
        }
        _closedUntil = closedUntil;
        foreach (var old in _closed.Keys.Where(minute => minute < first).ToList())
            _closed.Remove(old);
        foreach (var counts in _closed.Values)
        {
            for (var i = 0; i < open.Length; i++)
                open[i] += counts[i];
        }
        return (DateTimeOffset.FromUnixTimeMilliseconds(first * 60_000), open);
    }
}
