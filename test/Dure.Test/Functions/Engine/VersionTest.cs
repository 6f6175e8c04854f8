using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Dure.Test.Functions.Engine;

/// <summary>Immutable versions, where calls go, and the way back.</summary>
public sealed class VersionTest(EngineFixture engine) : EngineTest(engine)
{
    [Fact]
    public async Task The_newest_version_is_live_a_rollback_is_immediate_and_the_difference_is_shown()
    {
        await DeployAsync("ways", "return 1");
        await DeployAsync("ways", "return 2");
        Assert.Equal("2", await Client.ResultAsync("ways", "{}", Cancel));

        using var back = await SendAsync(HttpMethod.Post, "/api/functions/ways/rollback", "{}");
        Assert.True(back.IsSuccessStatusCode, await back.Content.ReadAsStringAsync(Cancel));
        Assert.Equal("1", await Client.ResultAsync("ways", "{}", Cancel));

        var diff = await Client.GetAsync("/api/functions/ways/diff?from=1&to=2", Cancel);
        var file = Assert.Single(diff["files"]!.AsArray())!;
        Assert.Equal("handler.py", (string?)file["path"]);
        Assert.Contains("-    return 1", (string?)file["diff"], StringComparison.Ordinal);
        Assert.Contains("+    return 2", (string?)file["diff"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_canary_gets_about_its_share_and_a_version_asked_for_by_name_all_of_it()
    {
        await DeployAsync("shared", "return 'old'");
        await DeployAsync("shared", "return 'new'");
        using var set = await SendAsync(HttpMethod.Put, "/api/functions/shared/live", """{"version":"1","canary":{"version":"2","percent":30}}""");
        Assert.True(set.IsSuccessStatusCode, await set.Content.ReadAsStringAsync(Cancel));

        var fresh = 0;
        for (var i = 0; i < 200; i++)
            fresh += await Client.ResultAsync("shared", "{}", Cancel) == "\"new\"" ? 1 : 0;
        // Five standard deviations around 60.
        Assert.InRange(fresh, 28, 92);
        for (var i = 0; i < 10; i++)
            Assert.Equal("\"new\"", await (await Client.SendAsync(HttpMethod.Post, "/api/functions/shared/invocations?version=2", new StringContent("{}"), Cancel)).Content.ReadAsStringAsync(Cancel));
    }

    [Fact]
    public async Task The_same_code_is_the_same_version_and_a_version_that_is_not_there_is_said_so()
    {
        await DeployAsync("same", "return 1");
        await DeployAsync("same", "return 1");
        Assert.Single((await Client.GetAsync("/api/functions/same/versions", Cancel))["items"]!.AsArray());
        using var answer = await SendAsync(HttpMethod.Put, "/api/functions/same/live", """{"version":"7"}""");
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.StartsWith("DURE", (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!["id"], StringComparison.Ordinal);
    }

    private Task DeployAsync(string name, string body) => Client.DeployAsync(name, Cancel, ("handler.py", $"def handler(event, context):\n    {body}\n"));

    private Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string json) =>
        Client.SendAsync(method, path, new StringContent(json, Encoding.UTF8, "application/json"), Cancel);
}
