using System.Net;
using System.Text.Json.Nodes;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Api;

/// <summary>What the list of functions and a function's page ask for.</summary>
public sealed class FunctionPageTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task The_last_day_is_counted_as_it_happens_and_again_after_a_restart()
    {
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch["data"], Cancel);
        await dure.DeployAsync("counted", Cancel, ("handler.py", "import time\ndef handler(event, context):\n    time.sleep(0.05)\n    return 1 / event['by']\n"), ("function.yaml", "retries:\n  max: 0\n"));
        Assert.Null((await dure.GetAsync("/api/functions/counted", Cancel))["activity"]);
        string last = "";
        foreach (var by in new[] { 1, 1, 1, 0 })
            await dure.EndAsync(last = await dure.SubmitAsync("counted", $$"""{"by":{{by}}}""", Cancel), Cancel);

        var before = await dure.GetAsync("/api/functions/counted", Cancel);
        Check(before, last);
        await dure.KillAsync();
        await dure.StartAgainAsync(Cancel);
        var after = await RunningDure.UntilAsync(() => dure.GetAsync("/api/functions/counted", Cancel), view => (long?)view["activity"]?["failed"] == 1, Cancel);
        Check(after, last);
        Assert.True((DateTimeOffset)after["activity"]!["since"]! < TimeProvider.System.GetUtcNow() - TimeSpan.FromHours(23));
        var listed = Assert.Single((await dure.GetAsync("/api/functions", Cancel))["items"]!.AsArray())!;
        Assert.Equal(last, (string?)listed["last_run"]!["id"]);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_schedule_is_looked_ahead_in_its_own_time_zone()
    {
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch["data"], Cancel);
        await dure.DeployAsync("nightly", Cancel, ("handler.py", "def handler(event, context):\n    return 1\n"), ("function.yaml", "schedule:\n  cron: \"30 3 * * *\"\n  time_zone: Asia/Seoul\n"));
        var ahead = await dure.GetAsync("/api/functions/nightly/schedule", Cancel);
        var firings = ahead["firings"]!.AsArray().Select(at => (DateTimeOffset)at!).ToList();
        Assert.Equal(5, firings.Count);
        Assert.All(firings, at => Assert.Equal(new TimeSpan(18, 30, 0), at.UtcDateTime.TimeOfDay));
        Assert.All(firings.Zip(firings.Skip(1)), pair => Assert.Equal(TimeSpan.FromDays(1), pair.Second - pair.First));
        Assert.True(firings[0] > TimeProvider.System.GetUtcNow());
        await dure.DeployAsync("never", Cancel, ("handler.py", "def handler(event, context):\n    return 1\n"));
        Assert.Equal("DURE0224", (string?)(await dure.SendAsync(HttpMethod.Get, "/api/functions/never/schedule", Cancel)).Body!["id"]);
    }

    [Fact(Timeout = 120_000)]
    public async Task Saved_events_belong_to_the_function_and_have_limits()
    {
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch["data"], Cancel);
        await dure.DeployAsync("tried", Cancel, ("handler.py", "def handler(event, context):\n    return event\n"));
        const string Events = "/api/functions/tried/test-events";
        Assert.Equal(HttpStatusCode.NoContent, (await dure.SendAsync(HttpMethod.Put, Events + "/small%20one", Cancel, "{ \"a\":  1 }")).Status);
        Assert.Equal("{ \"a\":  1 }", await dure.Http.GetStringAsync(new Uri(Events + "/small%20one", UriKind.Relative), Cancel));
        Assert.Equal(HttpStatusCode.NoContent, (await dure.SendAsync(HttpMethod.Put, Events + "/small%20one", Cancel, "\"한글\"")).Status);
        var saved = Assert.Single((await dure.GetAsync(Events, Cancel))["items"]!.AsArray())!;
        Assert.Equal(("small one", "owner", 8L), ((string)saved["name"]!, (string)saved["owner"]!, (long)saved["bytes"]!));

        foreach (var (name, body) in new[] { ("bad", "{"), ("bad", ""), ("bad", "1 2"), ("%20x", "1"), (new string('x', 65), "1"), ("large", '"' + new string('x', 256 * 1024) + '"') })
            Assert.Equal("DURE0223", (string?)(await dure.SendAsync(HttpMethod.Put, $"{Events}/{name}", Cancel, body)).Body!["id"]);
        for (var n = 1; n < 100; n++)
            await dure.SendAsync(HttpMethod.Put, $"{Events}/n{n}", Cancel, "1");
        Assert.Equal("DURE0223", (string?)(await dure.SendAsync(HttpMethod.Put, Events + "/one-more", Cancel, "1")).Body!["id"]);
        Assert.Equal(HttpStatusCode.NoContent, (await dure.SendAsync(HttpMethod.Put, Events + "/n1", Cancel, "2")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await dure.SendAsync(HttpMethod.Delete, Events + "/n1", Cancel)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await dure.SendAsync(HttpMethod.Delete, Events + "/n1", Cancel)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await dure.SendAsync(HttpMethod.Get, Events + "/n1", Cancel)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await dure.SendAsync(HttpMethod.Get, "/api/functions/none/test-events", Cancel)).Status);
    }

    private static void Check(JsonNode view, string last)
    {
        var activity = view["activity"]!;
        Assert.Equal((3L, 1L, 0L), ((long)activity["succeeded"]!, (long)activity["failed"]!, (long)activity["cancelled"]!));
        // It sleeps 50 ms; the figure is within nine percent, and the machine may be slow.
        Assert.InRange((double)activity["p50_ms"]!, 45, 2000);
        Assert.Equal((48, 3, 1), (activity["good"]!.AsArray().Count, activity["good"]!.AsArray().Sum(n => (int)n!), activity["bad"]!.AsArray().Sum(n => (int)n!)));
        Assert.Equal((last, "FAILED"), ((string)view["last_run"]!["id"]!, (string)view["last_run"]!["state"]!));
    }
}
