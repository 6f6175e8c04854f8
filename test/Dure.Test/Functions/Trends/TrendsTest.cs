using Dure.Functions;
using Dure.Functions.Trends;
using Dure.Test.Host.Identity;
using Xunit;

namespace Dure.Test.Functions.Trends;

/// <summary>Charts against the plainest way to work them out, for rows and spans by chance.</summary>
public sealed class TrendsTest
{
    private const int Rounds = 60;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Buckets_are_what_the_rows_say_however_often_and_in_whatever_order_they_are_asked_for()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var data = await StoredData.OpenAsync();
        using var cache = new TrendCache(new TrendStore(data.Database), data.Clock);
        var rows = new List<Ended>();
        for (var round = 0; round < Rounds; round++)
        {
            await AddAsync(data, rows, random, random.Next(40));
            // Time passes, now and then by much; what ends now is there within the time that rows may be late.
            data.Clock.Now += TimeSpan.FromMilliseconds(random.Next(10) == 0 ? random.Next(40_000_000) : random.Next(1001, 20_000));
            var now = data.Clock.Now.ToUnixTimeMilliseconds();
            var to = now - random.Next(0, 3_600_000) * (long)random.Next(2);
            var grid = TrendGrid.Of(to - random.Next(1000, 100_000_000), to, random.Next(1, 300));
            var function = random.Next(3);
            var read = await cache.ReadAsync(function, grid, Cancel);
            Assert.Equal(grid.Count, read.Length);
            for (var i = 0; i < read.Length; i++)
                Assert.Equal(Oracle(rows, function, (grid.First + i) * grid.StepMs, (grid.First + i + 1) * grid.StepMs), read[i]);
        }
    }

    [Fact]
    public async Task A_refresh_reads_only_the_last_moments()
    {
        await using var data = await StoredData.OpenAsync();
        using var cache = new TrendCache(new TrendStore(data.Database), data.Clock);
        await AddAsync(data, [], new Random(1), 500);
        async Task<long> ReadAsync()
        {
            var before = cache.BucketsRead;
            var now = data.Clock.Now.ToUnixTimeMilliseconds();
            await cache.ReadAsync(0, TrendGrid.Of(now - 3_600_000, now, 120), Cancel);
            return cache.BucketsRead - before;
        }
        Assert.InRange(await ReadAsync(), 119, 125);
        Assert.Equal(0, await ReadAsync());
        data.Clock.Now += TimeSpan.FromSeconds(1.5);
        Assert.InRange(await ReadAsync(), 1, 4);
        data.Clock.Now += TimeSpan.FromMinutes(2);
        Assert.InRange(await ReadAsync(), 4, 8);
    }

    [Fact]
    public async Task The_last_day_is_counted_as_it_moves_on()
    {
        var random = new Random(7);
        await using var data = await StoredData.OpenAsync();
        var day = new DayCounts(new TrendStore(data.Database), data.Clock);
        var rows = new List<Ended>();
        for (var round = 0; round < 60; round++)
        {
            await AddAsync(data, rows, random, random.Next(20));
            data.Clock.Now += TimeSpan.FromMilliseconds(random.Next(6) == 0 ? random.Next(60_000_000) : random.Next(60_000));
            var (since, counts) = await day.ReadAsync(Cancel);
            for (var state = 2; state < counts.Length; state++)
                Assert.Equal(rows.Count(row => (int)row.State == state && row.Finished >= since.ToUnixTimeMilliseconds()), counts[state]);
        }
    }

    [Fact]
    public async Task A_hundred_thousand_rows_are_charted_quickly()
    {
        await using var data = await StoredData.OpenAsync();
        using var cache = new TrendCache(new TrendStore(data.Database), data.Clock);
        await AddAsync(data, [], new Random(3), 100_000, over: TimeSpan.FromDays(1));
        var now = data.Clock.Now.ToUnixTimeMilliseconds();
        var grid = TrendGrid.Of(now - 86_400_000, now, 300);
        var begun = TimeProvider.System.GetTimestamp();
        var read = await cache.ReadAsync(0, grid, Cancel);
        var first = TimeProvider.System.GetElapsedTime(begun);
        begun = TimeProvider.System.GetTimestamp();
        await cache.ReadAsync(0, grid, Cancel);
        TestContext.Current.TestOutputHelper!.WriteLine($"100,000 rows: {first.TotalMilliseconds:0} ms, again {TimeProvider.System.GetElapsedTime(begun).TotalMilliseconds:0.0} ms");
        Assert.Equal(100_000, read.Sum(bucket => bucket.Finished));
    }

    [Theory]
    [InlineData(0, 3_600_000, 120, 30_000)]
    [InlineData(1, 3_600_001, 120, 30_000)]
    [InlineData(0, 604_800_000, 300, 3_600_000)]
    [InlineData(0, 1000, 1000, 1000)]
    [InlineData(0, 34_560_000_000, 1, 34_560_000_000)]
    public void Buckets_have_round_lengths_and_begin_where_they_always_do(long from, long to, int buckets, long step)
    {
        var grid = TrendGrid.Of(from, to, buckets);
        Assert.Equal(step, grid.StepMs);
        Assert.InRange(grid.Count, 1, buckets + 1);
        Assert.True(grid.First * step <= from && (grid.First + grid.Count) * step >= to, "it does not cover the span");
    }

    private static TrendBucket Oracle(List<Ended> rows, int function, long from, long to)
    {
        var inside = rows.Where(row => row.Finished >= from && row.Finished < to && (function == 0 || row.Function == function)).ToList();
        var started = inside.Where(row => row.Started is not null).ToList();
        return new TrendBucket(inside.Count, inside.Count(row => row.State is InvocationState.Failed or InvocationState.Unknown),
            Measure([.. started.Select(row => (double)(row.Finished - row.Started!.Value))]), Measure([.. started.Select(row => (double)(row.Started!.Value - row.Created))]));
    }

    private static Measured Measure(List<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count == 0 ? default : new Measured(sorted[0], sorted[^1], sorted.Sum() / sorted.Count, sorted[(sorted.Count - 1) / 2], sorted.Count);
    }

    // Rows that ended lately, or within a span before now.
    private static async Task AddAsync(StoredData data, List<Ended> rows, Random random, int count, TimeSpan? over = null)
    {
        var now = data.Clock.Now.ToUnixTimeMilliseconds();
        var added = new List<Ended>();
        for (var i = 0; i < count; i++)
        {
            var finished = now - (over is { } span ? random.NextInt64((long)span.TotalMilliseconds) : random.Next(2) * random.Next(4000));
            long? started = random.Next(12) == 0 ? null : finished - random.Next(100_000);
            added.Add(new Ended(1 + random.Next(2), (InvocationState)random.Next(2, 6), (started ?? finished) - random.Next(5000), started, finished));
        }
        var first = rows.Count + 1 + random.NextInt64(1L << 40);
        await data.Database.WriteAsync(async s =>
        {
            for (var i = 0; i < added.Count; i++)
            {
                var row = added[i];
                await s.ExecuteAsync("INSERT INTO invocations (id, function_id, version_id, state, attempt, owner, source, durability, created_at, started_at, finished_at, payload_bytes) VALUES ($1, $2, 1, $3, 1, 'a', 0, 0, $4, $5, $6, 0)",
                    first + i, (long)row.Function, (long)row.State, row.Created, row.Started, row.Finished);
            }
            return 0;
        }, cancel: Cancel);
        rows.AddRange(added);
    }

    private sealed record Ended(int Function, InvocationState State, long Created, long? Started, long Finished);
}
