using System.Text.Json.Nodes;
using Dure.Edge;
using Dure.Host;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Dure.Test.Edge;

public sealed class InProcessEdgeTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_door_has_its_port_from_the_start_says_that_there_is_nothing_and_shows_what_there_is_once_it_is_opened()
    {
        await using var door = Take(0).Value;
        Assert.Equal("No app is published here yet.", await AskAsync(door));
        Assert.Equal("No app is published here yet.", await AskAsync(door, new string('x', 100_000)));
        Assert.Equal("DURE0008", Take(door.Address.Port).Problem?.Kind.Id);

        Assert.All(await Task.WhenAll(door.OpenAsync(Cancel), door.OpenAsync(Cancel)), Assert.Null);
        Assert.Equal("No app is published at /.", await AskAsync(door));
        Assert.Equal("DURE0008", Take(door.Address.Port).Problem?.Kind.Id);
    }

    private static async Task<string?> AskAsync(InProcessEdge door, string? body = null)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var content = body is null ? null : new StringContent(body);
        using var answer = content is null ? await http.GetAsync(door.Address, Cancel) : await http.PostAsync(door.Address, content, Cancel);
        Assert.Equal(404, (int)answer.StatusCode);
        return (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!["detail"];
    }

    private static Outcome<InProcessEdge> Take(int port) => InProcessEdge.Take("127.0.0.1", port, NullLoggerFactory.Instance, TimeProvider.System);
}
