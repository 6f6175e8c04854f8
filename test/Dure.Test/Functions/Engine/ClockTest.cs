using System.Text.Json.Nodes;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Engine;

/// <summary>A server whose wall clock jumps, by libfaketime; the clock that only ever ascends is left as it is.</summary>
[Trait("speed", "slow")]
public sealed class ClockTest : IDisposable
{
    private readonly Scratch _scratch = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _scratch.Dispose();

    [Fact(Timeout = 120_000)]
    public async Task A_clock_that_jumps_back_an_hour_loses_nothing_delays_nothing_and_mixes_up_nothing()
    {
        var library = Directory.EnumerateFiles("/usr/lib", "libfaketimeMT.so.1", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }).First();
        Jump("+0");
        await using var server = await RunningServer.StartAsync(["callback.timeout=2s"], Cancel, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["LD_PRELOAD"] = library,
            ["FAKETIME_TIMESTAMP_FILE"] = _scratch["clock"],
            ["FAKETIME_NO_CACHE"] = "1",
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
        });
        var client = new EngineClient(server, TimeProvider.System);
        await client.DeployAsync("lab", Cancel, ("handler.py", Lab.Python), ("function.yaml", "retries:\n  max: 2\n  first_delay: 1s\n"));
        Assert.Equal("1", await client.ResultAsync("lab", "1", Cancel));
        var running = await client.StartAsync("lab", """{"do":"sleep","seconds":1.5}""", Cancel);
        var retried = await client.StartAsync("lab", """{"do":"fail-until","attempt":2}""", Cancel);
        await client.SaysAsync(retried, "begin 1", Cancel);

        Jump("-3600");
        var begun = TimeProvider.System.GetTimestamp();
        Assert.Equal("2", await client.ResultAsync("lab", "2", Cancel));
        var after = await client.StartAsync("lab", """{"do":"fail-until","attempt":2}""", Cancel);
        var ended = new List<JsonNode>();
        foreach (var id in new[] { running, retried, after })
            ended.Add(await client.EndAsync(id, Cancel));
        Assert.Equal([("SUCCESS", 1), ("SUCCESS", 2), ("SUCCESS", 2)], ended.Select(e => ((string)e["state"]!, (int)e["attempt"]!)));
        Assert.InRange(TimeProvider.System.GetElapsedTime(begun).TotalSeconds, 0, 20);
        Assert.All(ended, e => Assert.InRange((double)e["duration_ms"]!, 0, 20_000));

        // Ids only ever ascend, and a listing by id is still in the order of arrival.
        var listed = (await client.GetAsync("/api/invocations?function=lab", Cancel))["items"]!.AsArray().Select(item => (string)item!["id"]!).ToList();
        Assert.Equal(listed.OrderDescending(StringComparer.Ordinal), listed);
        Assert.Equal([after, retried, running], listed.Where(id => id == after || id == retried || id == running));

        Jump("+7200");
        Assert.Equal("3", await client.ResultAsync("lab", "3", Cancel));
        Assert.DoesNotContain("fail:", server.Output, StringComparison.Ordinal);
    }

    // Whole or not at all: the server reads it at any time.
    private void Jump(string offset)
    {
        File.WriteAllText(_scratch["clock.new"], offset + "\n");
        File.Move(_scratch["clock.new"], _scratch["clock"], overwrite: true);
    }
}
