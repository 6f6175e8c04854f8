using System.Net;
using System.Text.Json.Nodes;
using Dure.Host;
using Dure.Host.Identity;
using Dure.Host.Secrets;
using Dure.Test.Host.Identity;
using Xunit;

namespace Dure.Test.Host.Secrets;

public sealed class SecretsApiTest : IAsyncLifetime
{
    private StoredData _data = null!;
    private SecretStore _secrets = null!;
    private ApiServer _server = null!;
    private HttpClient _client = null!;
    private Caller _caller = new("ada", Scopes.Deploy | Scopes.Read);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _data = await StoredData.OpenAsync();
        _secrets = SecretStore.Open(_data.Database, _data.Live, _data.Clock, _data.Folder).Value;
        _server = await ApiServer.StartAsync(_ => _caller, gate => SecretsApi.Map(gate, _secrets));
        _client = _server.Client("unused");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _data.DisposeAsync();
    }

    [Fact]
    public async Task A_value_goes_in_and_never_comes_out()
    {
        Assert.Equal(HttpStatusCode.NoContent, (await PutAsync("API_KEY", """{"value":"hush-hush"}""")).StatusCode);
        var list = await _client.GetStringAsync("/api/secrets", Cancel);
        Assert.DoesNotContain("hush", list, StringComparison.Ordinal);
        var item = JsonNode.Parse(list)!["items"]!.AsArray().Single()!;
        Assert.Equal("API_KEY ada", $"{item["name"]} {item["owner"]}");
        Assert.Equal(3, item.AsObject().Count);
        Assert.Equal("hush-hush", (await _secrets.ReadAsync(["API_KEY"], Cancel)).Value["API_KEY"]);
        Assert.Equal(HttpStatusCode.NoContent, (await _client.DeleteAsync("/api/secrets/API_KEY", Cancel)).StatusCode);
        await ProblemAsync(await _client.DeleteAsync("/api/secrets/API_KEY", Cancel), SecretErrors.NoSuchSecret);
    }

    [Theory]
    [InlineData("lower", """{"value":"hush-hush"}""")]
    [InlineData("A", """{"value":"hush-hush\u0000"}""")]
    [InlineData("A", """{"value":["hush-hush"]}""")]
    [InlineData("A", """{"value":"hush-hush" """)]
    [InlineData("A", """{"value":hush-hush}""")]
    [InlineData("A", """{"value":"hush-hush \ud83d"}""")]
    [InlineData("A", "hush-hush")]
    [InlineData("A", "{}")]
    [InlineData("A", "null")]
    public async Task A_refusal_says_nothing_of_the_value(string name, string body)
    {
        var answer = await PutAsync(name, body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.DoesNotContain("hush", await ProblemAsync(answer, HostErrors.BadRequest), StringComparison.Ordinal);
        Assert.Empty(await _secrets.ListAsync("", 10, Cancel));
    }

    [Fact]
    public async Task A_value_of_64_KiB_is_taken_and_no_larger_one()
    {
        Assert.Equal(HttpStatusCode.NoContent, (await PutAsync("A", $$"""{"value":"{{new string('x', 65536)}}"}""")).StatusCode);
        await ProblemAsync(await PutAsync("A", $$"""{"value":"{{new string('x', 65537)}}"}"""), HostErrors.BadRequest);
        await ProblemAsync(await PutAsync("A", $$"""{"value":"{{new string('x', 2_000_000)}}"}"""), HostErrors.BadRequest);
        Assert.Equal(65536, (await _secrets.ReadAsync(["A"], Cancel)).Value["A"].Length);
    }

    [Fact]
    public async Task Who_may_only_read_sees_names_and_sets_nothing()
    {
        _caller = new Caller("bob", Scopes.Read | Scopes.Invoke);
        Assert.Equal(HttpStatusCode.OK, (await _client.GetAsync("/api/secrets", Cancel)).StatusCode);
        await ProblemAsync(await PutAsync("A", """{"value":"x"}"""), HostErrors.NotAllowed);
        await ProblemAsync(await _client.DeleteAsync("/api/secrets/A", Cancel), HostErrors.NotAllowed);
    }

    [Fact]
    public async Task A_list_comes_in_pages()
    {
        foreach (var name in new[] { "C", "A", "B" })
        {
            await PutAsync(name, """{"value":"x"}""");
        }
        var first = JsonNode.Parse(await _client.GetStringAsync("/api/secrets?limit=2", Cancel))!;
        Assert.Equal("B", (string?)first["next"]);
        var second = JsonNode.Parse(await _client.GetStringAsync("/api/secrets?limit=2&cursor=B", Cancel))!;
        Assert.Equal("C", (string?)second["items"]!.AsArray().Single()!["name"]);
        Assert.Null(second["next"]);
        await ProblemAsync(await _client.GetAsync("/api/secrets?limit=0", Cancel), HostErrors.BadRequest);
    }

    private Task<HttpResponseMessage> PutAsync(string name, string body) =>
        _client.PutAsync($"/api/secrets/{name}", new StringContent(body), Cancel);

    private static async Task<string> ProblemAsync(HttpResponseMessage answer, ErrorKind kind)
    {
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.Equal(kind.Status, (int)answer.StatusCode);
        Assert.Equal(kind.Id, (string?)JsonNode.Parse(text)!["id"]);
        return text;
    }
}
