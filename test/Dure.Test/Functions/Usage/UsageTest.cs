using Dure.Functions.Usage;
using Dure.Test.Functions.Engine;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Usage;

/// <summary>What is kept of what invocations use.</summary>
public sealed class UsageTest : IDisposable
{
    private const long Begin = 1_764_000_000_000;
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_long_track_is_thinned_out_and_keeps_its_peaks()
    {
        var path = _scratch["x.usage"];
        var track = new UsageTrack(path, 3600);
        for (var n = 0; n < 40_000; n++)
            track.Add(Sample(n, 1, n == 12_345 ? 900 : 100, n == 23_456 ? 5L << 30 : 1 << 20));
        var points = track.Points();
        Assert.InRange(points.Length, 1800, 3600);
        Assert.Equal(40_000, points.Sum(point => point.Samples));
        Assert.Equal((900, 5L << 30), (points.Max(point => point.CpuMax), points.Max(point => point.MemoryMax)));
        Assert.True(points.Zip(points.Skip(1)).All(pair => pair.First.Time < pair.Second.Time));
        track.Flush();
        Assert.Equal(points, UsageTrack.Load(path));
        Assert.InRange(new FileInfo(path).Length, 1, 3600 * UsagePoint.Size);
    }

    [Fact]
    public void The_next_server_goes_on_where_the_file_ends_and_a_torn_record_is_left_out()
    {
        var path = _scratch["y.usage"];
        var first = new UsageTrack(path, 100);
        for (var n = 0; n < 50; n++)
            first.Add(Sample(n, 1, 1, 1));
        first.Flush();
        File.AppendAllText(path, "torn");
        var second = new UsageTrack(path, 100);
        for (var n = 50; n < 80; n++)
            second.Add(Sample(n, 2, 1, 1));
        second.Flush();
        var points = UsageTrack.Load(path);
        Assert.Equal(80, points.Count);
        Assert.Equal([1, 2], points.Select(point => point.Attempt).Distinct());
    }

    [Fact]
    public void Buckets_begin_at_multiples_of_their_length_and_say_nothing_of_times_without_measurements()
    {
        // Two attempts with a minute between; a second is measured a little late now and then.
        List<UsagePoint> points = [.. Enumerable.Range(1, 60).Select(n => Sample(n, 1, 1000, 1 << 20) with { Time = Begin + n * 1000 + n % 3 * 40 }),
            .. Enumerable.Range(120, 10).Select(n => Sample(n, 2, 500, 3 << 20))];
        var series = UsageSeries.Of(points, Begin + 300, Begin + 130_000, 200);
        Assert.Equal(1000, series.StepMs);
        Assert.Equal(0, series.From % series.StepMs);
        var memory = series.Lines.Single(line => line.Name == "memory");
        Assert.All(Enumerable.Range(0, 60), bucket => Assert.Equal(1 << 20, memory.Max[bucket]));
        Assert.All(Enumerable.Range(62, 56), bucket => Assert.Null(memory.Mean[bucket]));
        var wide = UsageSeries.Of(points, Begin, Begin + 130_000, 20);
        Assert.Equal(10_000, wide.StepMs);
        Assert.Equal((1.0, 1.0), (wide.Lines[1].Min[1], wide.Lines[1].Max[1]));
        var again = UsageSeries.Of(points, Begin + 1, Begin + 129_999, 20);
        Assert.Equal(wide.Lines[0].Max, again.Lines[0].Max);
    }

    private static UsagePoint Sample(int second, int attempt, int cpu, long memory) => new(Begin + second * 1000L, attempt, 1, cpu, cpu, cpu, memory, memory);
}

/// <summary>Measured on functions that really use something.</summary>
public sealed class UsageOfFunctionsTest(EngineFixture engine) : EngineTest(engine)
{
    private const string Hungry = """
        import time
        def handler(event, context):
            held = bytearray(80 << 20)
            end = time.time() + 3.6
            while time.time() < end:
                sum(range(10000))
            return len(held)
        """;

    [Fact]
    public async Task Memory_and_processor_of_what_runs_longer_than_a_second_are_kept_and_told()
    {
        await Client.DeployAsync("hungry", Cancel, ("handler.py", Hungry), ("function.yaml", "memory: 256MiB\n"));
        var id = await Client.StartAsync("hungry", "1", Cancel);
        var view = await Client.EndAsync(id, Cancel);
        Assert.Equal("SUCCESS", (string?)view["state"]);
        var series = await Client.GetAsync($"/api/invocations/{id}/usage", Cancel);
        double Most(int line) => series["series"]![line]!["max"]!.AsArray().Max(value => (double?)value ?? 0);
        Assert.SkipWhen(series["series"]![0]!["count"]!.AsArray().All(count => (long)count! == 0) && !HasControlGroups(), "No control group measures here.");
        Assert.InRange(Most(0), 80 << 20, 256 << 20);
        Assert.InRange(Most(1), 0.15, 2.5);
    }

    [Fact]
    public async Task A_call_of_milliseconds_leaves_no_file()
    {
        var id = await Client.StartAsync(await LabAsync(), "1", Cancel);
        await Client.EndAsync(id, Cancel);
        var series = await Client.GetAsync($"/api/invocations/{id}/usage", Cancel);
        Assert.All(series["series"]![0]!["count"]!.AsArray(), count => Assert.Equal(0, (long)count!));
        Assert.Empty(Directory.GetFiles(Path.Combine(Server.Data, "logs"), id + ".usage", SearchOption.AllDirectories));
    }

    private static bool HasControlGroups() => File.Exists("/sys/fs/cgroup/cgroup.controllers") || Directory.Exists("/sys/fs/cgroup/memory");
}
