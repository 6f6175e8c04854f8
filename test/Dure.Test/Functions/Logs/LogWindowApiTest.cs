using System.Net;
using System.Text.Json.Nodes;
using Dure.Test.Functions.Engine;
using Xunit;

namespace Dure.Test.Functions.Logs;

/// <summary>Parts of logs as the portal asks for them, of functions that really print.</summary>
public sealed class LogWindowApiTest(EngineFixture engine) : EngineTest(engine)
{
    [Fact]
    public async Task Lines_and_search_say_what_the_whole_log_says()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"log","lines":3000,"width":30}""", Cancel);
        await Client.EndAsync(id, Cancel);
        var whole = (await Client.LogsAsync(id, Cancel)).TrimEnd('\n').Split('\n');
        var index = await Client.GetAsync($"/api/invocations/{id}/logs/index", Cancel);
        Assert.Equal((3001, true), ((int)index["lines"]!, (bool)index["ended"]!));
        var window = await Client.GetAsync($"/api/invocations/{id}/logs/lines?from=1500&count=100", Cancel);
        Assert.Equal(whole[1500..1600], window["lines"]!.AsArray().Select(line => (string)line!));
        var found = await Client.GetAsync($"/api/invocations/{id}/logs/search?text={Uri.EscapeDataString("^29\\d\\d x+$")}&regex=true&limit=60", Cancel);
        Assert.Equal(60, found["hits"]!.AsArray().Count);
        var rest = await Client.GetAsync($"/api/invocations/{id}/logs/search?text={Uri.EscapeDataString("^29\\d\\d x+$")}&regex=true&after={found["next"]}", Cancel);
        Assert.Equal(40, rest["hits"]!.AsArray().Count);
        Assert.Null(rest["next"]);
    }

    [Fact]
    public async Task An_index_grows_with_its_log()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"slow-log","lines":40,"pause":0.02}""", Cancel);
        var ended = Client.EndAsync(id, Cancel);
        var last = 0;
        while (!ended.IsCompleted)
        {
            var lines = (int)(await Client.GetAsync($"/api/invocations/{id}/logs/index?offsets=false", Cancel))["lines"]!;
            Assert.True(lines >= last, "the log became shorter");
            last = lines;
            await Task.Delay(20, Cancel);
        }
        Assert.Equal(41, (int)(await Client.GetAsync($"/api/invocations/{id}/logs/index", Cancel))["lines"]!);
    }

    [Theory]
    [InlineData("lines?from=x", "DURE0441")]
    [InlineData("lines?count=0", "DURE0441")]
    [InlineData("lines?count=2001", "DURE0441")]
    [InlineData("search?text=(&regex=true", "DURE0440")]
    [InlineData("search", "DURE0440")]
    [InlineData("search?text=a&after=nonsense", "DURE0440")]
    public async Task What_cannot_be_understood_is_refused(string part, string kind)
    {
        var id = await Client.StartAsync(await LabAsync(), "1", Cancel);
        await Client.EndAsync(id, Cancel);
        using var answer = await Client.SendAsync(HttpMethod.Get, $"/api/invocations/{id}/logs/{part}", null, Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(kind, (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!["id"]);
    }
}
