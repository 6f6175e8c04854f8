using System.Globalization;
using System.Text.Json.Nodes;
using Xunit;

namespace Dure.Test.Functions.Engine;

/// <summary>Live streams and drained workers over the end of their server: each test has a server of its own.</summary>
[Trait("speed", "slow")]
public sealed class LiveRestartTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_is_missed_and_no_end_is_told_twice_in_another_way_over_a_killed_server()
    {
        await using var server = await RunningServer.StartAsync(["lease.duration=2s"], Cancel);
        var client = new EngineClient(server, TimeProvider.System);
        await client.DeployAsync("lab", Cancel, ("handler.py", Lab.Python), ("function.yaml", "memory: 256MiB\n"));
        await client.ResultAsync("lab", "1", Cancel);
        var ids = new List<string>();
        var told = new List<LiveEvent>();
        string? cursor = null;
        for (var round = 0; round < 3; round++)
        {
            await using var stream = await LiveStream.OpenAsync(client, "invocations", Cancel, after: cursor);
            told.AddRange(await stream.UntilAsync(e => e.Name == "beat", Cancel));
            for (var i = 0; i < 20; i++)
                ids.Add(await client.StartAsync("lab", $$"""{"do":"sleep","seconds":{{(i % 5 * 0.3).ToString(CultureInfo.InvariantCulture)}}}""", Cancel));
            // In the middle of it: some are over, some run, some wait.
            told.AddRange(await stream.UntilAsync(e => e.Name == "invocation" && (string?)e.Data["state"] == "SUCCESS", Cancel));
            await server.KillAsync(Cancel);
            await stream.Ended;
            told.AddRange(stream.Taken());
            Assert.False(stream.EndedWell);
            cursor = stream.LastId;
            Assert.NotNull(cursor);
            await server.StartAgainAsync(Cancel);
            client = new EngineClient(server, TimeProvider.System);
        }
        await using var last = await LiveStream.OpenAsync(client, "invocations", Cancel, lastEventId: cursor);
        var missing = ids.Where(id => !told.Any(e => IsFinal(e) && (string?)e.Data["id"] == id)).ToHashSet(StringComparer.Ordinal);
        while (missing.Count > 0)
        {
            var one = await last.NextAsync(Cancel);
            told.Add(one);
            Assert.NotEqual("more", one.Name);
            if (IsFinal(one))
                missing.Remove((string)one.Data["id"]!);
        }
        // Told as the rows have it, and an end that is told again is the same end.
        var ends = told.Where(IsFinal).ToLookup(e => (string)e.Data["id"]!, e => Mark(e.Data), StringComparer.Ordinal);
        foreach (var id in ids)
            Assert.Equal([Mark(await client.ViewAsync(id, Cancel))], ends[id].Distinct());
        // And what ended long before a cut is not told again after it.
        await Task.Delay(TimeSpan.FromSeconds(12), Cancel);
        // From a beat of now, not from one that has waited here.
        last.Taken();
        await last.UntilAsync(e => e.Name == "beat", Cancel);
        await using var later = await LiveStream.OpenAsync(client, "invocations", Cancel, after: last.LastId);
        Assert.DoesNotContain(await later.UntilAsync(e => e.Name == "beat" && e.At > TimeSpan.FromSeconds(2), Cancel), IsFinal);
    }

    [Fact]
    public async Task A_server_that_stops_ends_its_streams_as_they_should_and_the_next_one_goes_on()
    {
        await using var server = await RunningServer.StartAsync([], Cancel);
        var client = new EngineClient(server, TimeProvider.System);
        await client.DeployAsync("lab", Cancel, ("handler.py", Lab.Python), ("function.yaml", "memory: 256MiB\n"));
        await using var stream = await LiveStream.OpenAsync(client, "invocations,workers", Cancel);
        await stream.UntilAsync(e => e.Name == "beat", Cancel);
        var id = await client.StartAsync("lab", "1", Cancel);
        await stream.UntilAsync(e => LiveTest.Is(e, id, "SUCCESS"), Cancel);
        var begun = TimeProvider.System.GetTimestamp();
        using (await client.SendAsync(HttpMethod.Post, "/api/stop", null, Cancel))
            await stream.Ended.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        Assert.True(stream.EndedWell);
        TestContext.Current.TestOutputHelper!.WriteLine($"the stream ended after {TimeProvider.System.GetElapsedTime(begun).TotalMilliseconds:0} ms");
        await server.KillAsync(Cancel);
        await server.StartAgainAsync(Cancel);
        await using var again = await LiveStream.OpenAsync(new EngineClient(server, TimeProvider.System), "invocations,workers", Cancel, lastEventId: stream.LastId);
        // Whoever watched the workers is told to look again.
        await again.UntilAsync(e => e.Name == "more" && (string?)e.Data["topic"] == "workers", Cancel);
    }

    [Fact]
    public async Task A_drained_worker_lets_what_runs_run_starts_nothing_and_stays_drained_over_a_killed_server()
    {
        await using var server = await RunningServer.StartAsync([], Cancel);
        var client = new EngineClient(server, TimeProvider.System);
        await client.DeployAsync("lab", Cancel, ("handler.py", Lab.Python), ("function.yaml", "memory: 256MiB\n"));
        var runs = await client.StartAsync("lab", """{"do":"sleep","seconds":6}""", Cancel);
        await client.SaysAsync(runs, "begin", Cancel);
        using (var drained = await client.SendAsync(HttpMethod.Post, "/api/workers/w1/drain", new StringContent("""{"reason":"new memory"}"""), Cancel))
            Assert.Equal("draining", (string?)JsonNode.Parse(await drained.Content.ReadAsStringAsync(Cancel))!["state"]);
        var waits = await client.StartAsync("lab", "7", Cancel);
        var worker = server.WorkerPid;
        await server.KillAsync(Cancel);
        await server.StartAgainAsync(Cancel);
        client = new EngineClient(server, TimeProvider.System);
        Assert.Equal("SUCCESS", (string?)(await client.EndAsync(runs, Cancel))["state"]);
        var view = await client.GetAsync("/api/workers/w1", Cancel);
        Assert.Equal(("drained", "owner", "new memory", 1), ((string?)view["state"], (string?)view["drain"]!["by"], (string?)view["drain"]!["reason"], (int)view["waiting"]!));
        Assert.Equal(worker, (int)view["pid"]!);
        Assert.Equal("PENDING", (string?)(await client.ViewAsync(waits, Cancel))["state"]);
        // It says so wherever somebody might wonder.
        Assert.Contains((await client.GetAsync("/api/health", Cancel))["checks"]!.AsArray(), check => (string?)check!["name"] == "drain" && (string?)check["status"] == "warning");
        Assert.Contains("new memory", (string?)(await client.GetAsync("/api/status", Cancel))["workers"]![0]!["drained"], StringComparison.Ordinal);
        Assert.Equal("warning", (string?)(await client.GetAsync("/api/overview", Cancel))["status"]);
        using (await client.SendAsync(HttpMethod.Post, "/api/workers/w1/undrain", null, Cancel))
            Assert.Equal("SUCCESS", (string?)(await client.EndAsync(waits, Cancel))["state"]);
        Assert.Null((await client.GetAsync("/api/workers/w1", Cancel))["drain"]);
    }

    private static bool IsFinal(LiveEvent one) => one.Name == "invocation" && (string?)one.Data["state"] is not ("PENDING" or "PROCESSING");

    // Rows keep milliseconds; what has just ended is told from memory.
    private static string Mark(JsonNode view) =>
        string.Create(CultureInfo.InvariantCulture, $"{view["state"]} {view["attempt"]} {DateTimeOffset.Parse((string)view["finished_at"]!, CultureInfo.InvariantCulture).ToUnixTimeMilliseconds()}");
}
