using System.Net;
using System.Text.Json.Nodes;
using Dure.Test.Functions.Engine;
using Xunit;

namespace Dure.Test.Functions.Lists;

/// <summary>Lists and facets as a client asks for them.</summary>
public sealed class ListApiTest(EngineFixture engine) : EngineTest(engine)
{
    [Fact]
    public async Task A_list_is_narrowed_by_several_states_and_says_how_many_there_are()
    {
        var function = await FunctionAsync("narrowed", "memory: 256MiB\nretries: 0\n");
        var good = await Client.StartAsync(function, "1", Cancel);
        var bad = await Client.StartAsync(function, """{"do":"raise","why":"listed badly"}""", Cancel);
        var ended = await Client.EndAsync(good, Cancel);
        Assert.True((string?)ended["state"] == "SUCCESS", ended.ToJsonString());
        await Client.EndAsync(bad, Cancel);

        var page = await Client.GetAsync("/api/invocations?function=narrowed&state=FAILED,UNKNOWN&total=true&limit=10", Cancel);
        Assert.Equal([bad], Ids(page));
        Assert.Equal((1, true), ((int)page["total"]!, (bool)page["total_is_exact"]!));
        Assert.Equal([bad], Ids(await Client.GetAsync("/api/invocations?text=listed%20badly&function=narrowed", Cancel)));
        Assert.Equal([good], Ids(await Client.GetAsync($"/api/invocations?text={good}", Cancel)));
        Assert.Equal([good], Ids(await Client.GetAsync("/api/invocations?function=narrowed&offset=1", Cancel)));
        Assert.Equal([bad], Ids(await Client.GetAsync($"/api/invocations?function=narrowed&above={good}", Cancel)));
        Assert.Equal([bad, good], Ids(await Client.GetAsync("/api/invocations?function=narrowed&version=1&trigger=api,schedule", Cancel)));
        Assert.Empty(Ids(await Client.GetAsync("/api/invocations?function=narrowed&version=2", Cancel)));
    }

    [Fact]
    public async Task Facets_count_within_the_filter_but_for_the_field_that_they_offer()
    {
        var function = await FunctionAsync("counted", "memory: 256MiB\nretries: 0\n");
        foreach (var body in new[] { "1", "2", """{"do":"raise"}""" })
            await Client.EndAsync(await Client.StartAsync(function, body, Cancel), Cancel);
        var facets = await Client.GetAsync("/api/invocations/facets?function=counted&state=FAILED", Cancel);
        Assert.Equal(1, (int)facets["total"]!);
        Assert.Equal(2, Count(facets["states"]!, "SUCCESS"));
        Assert.Equal(1, Count(facets["states"]!, "FAILED"));
        Assert.Equal(0, Count(facets["states"]!, "UNKNOWN"));
        Assert.Equal(1, Count(facets["functions"]!, "counted"));
        Assert.Equal(1, Count(facets["owners"]!, "owner"));
    }

    [Theory]
    [InlineData("state=BROKEN")]
    [InlineData("state=3")]
    [InlineData("trigger=cron")]
    [InlineData("offset=-1")]
    [InlineData("limit=0")]
    [InlineData("since=yesterday")]
    [InlineData("up_to=x")]
    public async Task A_filter_that_cannot_be_understood_is_named(string query)
    {
        foreach (var path in new[] { "/api/invocations", "/api/invocations/facets" })
        {
            using var answer = await Client.SendAsync(HttpMethod.Get, $"{path}?{query}", null, Cancel);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!;
            Assert.Equal("DURE0207", (string?)problem["id"]);
            Assert.Equal(query.Split('=')[0], (string?)problem["faults"]![0]!["where"]);
        }
    }

    private static IEnumerable<string> Ids(JsonNode page) => page["items"]!.AsArray().Select(item => (string)item!["id"]!);

    private static int Count(JsonNode facet, string value) => facet.AsArray().Where(item => (string?)item!["value"] == value).Sum(item => (int)item!["count"]!);
}
