using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Dure.Test.Host.Commands;
using Xunit;

namespace Dure.Test.Functions.Engine;

/// <summary>Machines, the overview and charts, on a running server.</summary>
public sealed class WorkersTest(EngineFixture engine) : EngineTest(engine)
{
    [Fact]
    public async Task A_worker_says_what_it_has_what_runs_where_and_when_it_was_heard()
    {
        var name = await LabAsync();
        var id = await Client.StartAsync(name, """{"do":"sleep","seconds":3}""", Cancel);
        await Client.SaysAsync(id, "begin", Cancel);
        var worker = (await Client.GetAsync("/api/workers", Cancel))["items"]!.AsArray().Single()!;
        Assert.Equal(("w1", "connected", Server.WorkerPid), ((string?)worker["id"], (string?)worker["state"], (int)worker["pid"]!));
        Assert.InRange((double)worker["age_ms"]!, 0, 2000);
        Assert.InRange((long)worker["memory_promised_bytes"]!, 256L << 20, (long)worker["memory_bytes"]!);
        Assert.InRange((int)worker["slots_taken"]!, 1, (int)worker["slots"]!);
        var process = worker["processes"]!.AsArray().Single(p => p!["invocations"]!.AsArray().Any(i => (string?)i!["id"] == id))!;
        Assert.Equal((name, "running", 256L << 20), ((string?)process["function"], (string?)process["state"], (long)process["memory_limit_bytes"]!));
        await Client.EndAsync(id, Cancel);
    }

    [Fact]
    public async Task A_worker_that_is_not_there_and_one_who_may_not_drain_are_told_so()
    {
        using var nobody = await Client.SendAsync(HttpMethod.Post, "/api/workers/w9/drain", null, Cancel);
        Assert.Equal(HttpStatusCode.NotFound, nobody.StatusCode);
        Assert.Contains("DURE0750", await nobody.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        using var made = await Client.SendAsync(HttpMethod.Post, "/api/tokens", new StringContent("""{"name":"member","scopes":["read","invoke","deploy"]}""", Encoding.UTF8, "application/json"), Cancel);
        var token = (string)JsonNode.Parse(await made.Content.ReadAsStringAsync(Cancel))!["token"]!;
        using var refused = await new EngineClient(Server, TimeProvider.System, token).SendAsync(HttpMethod.Post, "/api/workers/w1/drain", null, Cancel);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task The_overview_counts_groups_what_broke_and_is_cheap()
    {
        var name = await FunctionAsync("breaks", "memory: 256MiB\nretries: 0\n");
        var before = await Client.GetAsync("/api/overview", Cancel);
        var ids = new List<string>();
        for (var i = 0; i < 4; i++)
            ids.Add(await Client.StartAsync(name, $$"""{"do":"raise","why":"file {{i}} is not there"}""", Cancel));
        foreach (var id in ids)
            await Client.EndAsync(id, Cancel);
        await Task.Delay(TimeSpan.FromSeconds(1.1), Cancel);
        var after = await Client.GetAsync("/api/overview", Cancel);
        Assert.Equal(4, (long)after["functions"]!["last_day"]!["failed"]! - (long)before["functions"]!["last_day"]!["failed"]!);
        var broken = after["functions"]!["broken"]!.AsArray().Single(b => (string?)b!["function"] == name)!;
        Assert.Equal((4, ids[^1]), ((int)broken["count"]!, (string?)broken["newest"]));
        Assert.StartsWith("ValueError: no: file ", (string?)broken["reason"], StringComparison.Ordinal);
        Assert.Equal("w1", (string?)after["functions"]!["machines"]![0]!["id"]);
        Assert.True((long)after["disk"]!["free_bytes"]! > 0 && after["store"]!["objects"] is not null && (int)after["backups"]!["count"]! == 0);
        var begun = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 20; i++)
            await Client.GetAsync("/api/overview", Cancel);
        TestContext.Current.TestOutputHelper!.WriteLine($"an overview takes {TimeProvider.System.GetElapsedTime(begun).TotalMilliseconds / 20:0.0} ms");
    }

    [Fact]
    public async Task Charts_count_what_ended_and_refuse_what_makes_no_sense()
    {
        var name = await FunctionAsync("charted", "memory: 256MiB\nretries: 0\n");
        var from = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() - 60_000;
        for (var i = 0; i < 3; i++)
            await Client.ResultAsync(name, "1", Cancel);
        await Client.EndAsync(await Client.StartAsync(name, """{"do":"raise"}""", Cancel), Cancel);
        await Task.Delay(TimeSpan.FromSeconds(1.1), Cancel);
        var range = $"from={from}&to={from + 120_000}&buckets=60&function={name}";
        long Count(JsonNode series) => series["series"]![0]!["count"]!.AsArray().Sum(count => (long)count!);
        Assert.Equal(4, Count(await Client.GetAsync($"/api/series?metric=finished&{range}", Cancel)));
        Assert.Equal(1, Count(await Client.GetAsync($"/api/series?metric=failed&{range}", Cancel)));
        var duration = await Client.GetAsync($"/api/series?metric=duration&{range}", Cancel);
        Assert.Equal((4, 2000, 0), (Count(duration), (int)duration["step_ms"]!, (int)((long)duration["from"]! % 2000)));
        foreach (var (query, id) in new[] { ("metric=taste", "DURE0207"), ("metric=failed&from=5&to=5", "DURE0207"), ("metric=failed&buckets=0", "DURE0207"), ("metric=failed&function=nobody", "DURE0200") })
            Assert.Equal(id, (string?)(await Client.GetAsync("/api/series?" + query, Cancel))["id"]);
    }

    [Fact]
    public async Task The_command_line_lists_shows_drains_and_undrains()
    {
        Assert.Contains("connected", (await DureAsync("worker", "list")).Out, StringComparison.Ordinal);
        var asked = await DureAsync("worker", "drain", "w1");
        Assert.NotEqual(0, asked.Code);
        Assert.Null((await Client.GetAsync("/api/workers/w1", Cancel))["drain"]);
        var drained = await DureAsync("worker", "drain", "w1", "--reason", "a test", "--yes");
        try
        {
            Assert.Contains("by owner: a test", drained.Out, StringComparison.Ordinal);
            Assert.Equal("a test", (string?)JsonNode.Parse((await DureAsync("worker", "show", "w1", "--format", "json")).Out)!["drain"]!["reason"]);
        }
        finally
        {
            Assert.Equal(0, (await DureAsync("worker", "undrain", "w1")).Code);
        }
    }

    private async Task<(int Code, string Out)> DureAsync(params string[] words)
    {
        await using var cli = new Cli("DURE_DATA=" + Server.Data);
        var (code, output, _) = await cli.RunAsync(words);
        return (code, output);
    }
}
