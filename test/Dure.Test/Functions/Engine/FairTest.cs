using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Dure.Test.Functions.Engine;

/// <summary>Two owners on a machine with two places.</summary>
[Trait("speed", "slow")]
public sealed class FairTest : IAsyncLifetime
{
    private RunningServer _server = null!;
    private EngineClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await RunningServer.StartAsync(["worker.slots=2"], CancellationToken.None);
        _client = new EngineClient(_server, TimeProvider.System);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact(Timeout = 120_000)]
    public async Task A_function_with_a_long_line_makes_way_for_another_owners_function()
    {
        foreach (var name in new[] { "long-one", "long-two", "modest" })
            await _client.DeployAsync(name, Cancel, ("handler.py", Lab.Python), ("function.yaml", "memory: 64MiB\ninstances: 1\n"));
        var line = new List<string>();
        for (var n = 0; n < 20; n++)
        {
            foreach (var name in new[] { "long-one", "long-two" })
                line.Add(await _client.StartAsync(name, """{"do":"sleep","seconds":0.5}""", Cancel));
        }
        await _client.SaysAsync(line[1], "begin 1", Cancel);
        var modest = await StartAsOtherAsync("modest", "1");
        var view = await _client.EndAsync(modest, Cancel);
        Assert.Equal("SUCCESS", (string?)view["state"]);
        Assert.InRange(Seconds(view), 1.5, 6);
        var waiting = (await _client.GetAsync("/api/invocations?state=pending&limit=100", Cancel))["items"]!.AsArray().Count;
        Assert.InRange(waiting, 15, 40);
        foreach (var id in line)
            Assert.Equal(("SUCCESS", 1), await EndOfAsync(id));
    }

    [Fact(Timeout = 120_000)]
    public async Task In_one_line_owners_take_turns()
    {
        await _client.DeployAsync("shared", Cancel, ("handler.py", Lab.Python), ("function.yaml", "memory: 64MiB\ninstances: 1\n"));
        for (var n = 0; n < 12; n++)
            await _client.StartAsync("shared", """{"do":"sleep","seconds":0.3}""", Cancel);
        var view = await _client.EndAsync(await StartAsOtherAsync("shared", "1"), Cancel);
        Assert.Equal("SUCCESS", (string?)view["state"]);
        Assert.InRange(Seconds(view), 0, 2);
    }

    private static double Seconds(JsonNode view) => ((DateTimeOffset)view["finished_at"]! - (DateTimeOffset)view["created_at"]!).TotalSeconds;

    private async Task<(string State, int Attempt)> EndOfAsync(string id)
    {
        var view = await _client.EndAsync(id, Cancel);
        return ((string)view["state"]!, (int)view["attempt"]!);
    }

    private async Task<string> StartAsOtherAsync(string function, string body)
    {
        using var asked = new StringContent("""{"name":"other","scopes":["invoke"]}""", Encoding.UTF8, "application/json");
        using var made = await _client.SendAsync(HttpMethod.Post, "/api/tokens", asked, Cancel);
        var token = (string)JsonNode.Parse(await made.Content.ReadAsStringAsync(Cancel))!["token"]!;
        return await new EngineClient(_server, TimeProvider.System, token).StartAsync(function, body, Cancel);
    }
}
