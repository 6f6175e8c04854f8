namespace Dure.Functions.Trends;

/// <summary>
/// Buckets of what has ended. Those that nothing can be added to any more are read once and kept in memory, so that a refresh reads the
/// rows of the last moments only; and who asks at the same time shares the reading.
/// </summary>
internal sealed class TrendCache(TrendStore store, TimeProvider time) : IDisposable
{
    private const int LinesMost = 48;
    private const int BucketsMost = 4000;

    /// <summary>Rows appear later than the time they carry, by this much at most.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _one = new(1);
    private readonly Dictionary<(long Function, long Step), Line> _lines = [];

    /// <summary>Buckets read from rows so far; for tests of what a refresh costs.</summary>
    public long BucketsRead { get; private set; }

    /// <summary>The buckets of a grid, those of the future included, which are empty.</summary>
    /// <param name="function">0 for all functions.</param>
    public async ValueTask<TrendBucket[]> ReadAsync(long function, TrendGrid grid, CancellationToken cancel)
    {
        await _one.WaitAsync(cancel);
        try
        {
            var line = LineOf(function, grid.StepMs);
            var settled = (time.GetUtcNow() - Settle).ToUnixTimeMilliseconds() / grid.StepMs;
            await FillAsync(function, grid, line, settled, cancel);
            var open = line.OpenFrom;
            return [.. Enumerable.Range(0, grid.Count).Select(i => grid.First + i).Select(number =>
                line.Closed.TryGetValue(number, out var closed) ? closed : number >= open && number - open < line.Open.Length ? line.Open[number - open] : TrendBucket.Empty)];
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private Line LineOf(long function, long step)
    {
        if (!_lines.TryGetValue((function, step), out var line))
        {
            if (_lines.Count >= LinesMost)
                _lines.Remove(_lines.MinBy(l => l.Value.Used).Key);
            _lines[(function, step)] = line = new Line();
        }
        line.Used = time.GetTimestamp();
        if (line.Closed.Count > BucketsMost)
            line.Closed.Clear();
        return line;
    }

    private async ValueTask FillAsync(long function, TrendGrid grid, Line line, long settled, CancellationToken cancel)
    {
        var end = grid.First + grid.Count;
        var missing = Enumerable.Range(0, grid.Count).Select(i => grid.First + i).Where(number => number < settled && !line.Closed.ContainsKey(number)).ToList();
        if (missing.Count > 0)
        {
            // In parts: the times of an eighth of the span at most are in memory at once, and what was read stays read when the viewer goes away.
            var part = Math.Max(1, grid.Count / 8);
            for (var first = missing[0]; first <= missing[^1]; first += part)
            {
                var count = (int)Math.Min(part, missing[^1] + 1 - first);
                var read = await store.BucketsAsync(function, grid.StepMs, first, count, cancel);
                BucketsRead += count;
                for (var i = 0; i < count; i++)
                    line.Closed[first + i] = read[i];
            }
        }
        var now = time.GetUtcNow().ToUnixTimeMilliseconds() / grid.StepMs;
        if (end <= settled || (line.OpenFrom == settled && line.OpenAt != 0 && time.GetElapsedTime(line.OpenAt) < Fresh))
            return;
        line.Open = await store.BucketsAsync(function, grid.StepMs, settled, (int)Math.Clamp(now + 1 - settled, 1, BucketsMost), cancel);
        BucketsRead += line.Open.Length;
        (line.OpenFrom, line.OpenAt) = (settled, time.GetTimestamp());
    }

    private sealed class Line
    {
        public Dictionary<long, TrendBucket> Closed { get; } = [];

        /// <summary>Those that may still change, from <see cref="OpenFrom"/> on.</summary>
        public TrendBucket[] Open { get; set; } = [];

        public long OpenFrom { get; set; } = long.MaxValue;

        public long OpenAt { get; set; }

        public long Used { get; set; }
    }
}
