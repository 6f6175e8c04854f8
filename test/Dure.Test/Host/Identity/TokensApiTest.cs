using System.Net;
using System.Text.Json.Nodes;
using Dure.Host;
using Dure.Host.Identity;
using Xunit;

namespace Dure.Test.Host.Identity;

public sealed class TokensApiTest : IAsyncLifetime
{
    private StoredData _data = null!;
    private TokenStore _tokens = null!;
    private ApiServer _server = null!;
    private HttpClient _owner = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _data = await StoredData.OpenAsync();
        _tokens = await TokenStore.OpenAsync(_data.Database, _data.Live, _data.Clock, Cancel);
        await OwnerToken.EnsureAsync(_tokens, _data.Folder, Cancel);
        _server = await ApiServer.StartAsync(_tokens.Authenticate, gate =>
        {
            TokensApi.Map(gate, _tokens);
            gate.Map("GET", "/deploy", Scopes.Deploy, http => Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(http.Response, http.Caller().Name));
        });
        _owner = _server.Client((await File.ReadAllTextAsync(OwnerToken.PathIn(_data.Folder), Cancel)).Trim());
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _tokens.Dispose();
        await _data.DisposeAsync();
    }

    [Fact]
    public async Task A_token_made_over_the_api_is_shown_once_and_works_at_once()
    {
        var (status, made) = await PostAsync("""{"name":"ci","scopes":["deploy","read"],"expires_in_days":30}""");
        Assert.Equal(HttpStatusCode.Created, status);
        var text = (string)made["token"]!;
        Assert.StartsWith($"dure_{(string)made["id"]!}_", text, StringComparison.Ordinal);
        Assert.Equal("2026-12-21T09:00:00+00:00", (string?)made["expires_at"]);
        Assert.Equal("ci", await _server.Client(text).GetStringAsync("/deploy", Cancel));
        var list = await _owner.GetStringAsync("/api/tokens", Cancel);
        Assert.DoesNotContain(text[16..], list, StringComparison.Ordinal);
        var items = JsonNode.Parse(list)!["items"]!.AsArray();
        Assert.Equal(2, items.Count);
        Assert.Equal(["read", "deploy"], items.Single(item => (string)item!["name"]! == "ci")!["scopes"]!.AsArray().GetValues<string>(), StringComparer.Ordinal);
        Assert.Null(JsonNode.Parse(list)!["next"]);
    }

    [Fact]
    public async Task A_revoked_token_is_refused_by_the_next_request()
    {
        var (_, made) = await PostAsync("""{"name":"ci","scopes":["deploy"]}""");
        var client = _server.Client((string)made["token"]!);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/deploy", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await _owner.DeleteAsync($"/api/tokens/{made["id"]}", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/deploy", Cancel)).StatusCode);
        await ProblemAsync(await _owner.DeleteAsync($"/api/tokens/{made["id"]}", Cancel), IdentityErrors.NoSuchToken);
    }

    [Fact]
    public async Task Nobody_gets_in_without_a_token_and_nobody_further_than_its_scopes()
    {
        await ProblemAsync(await _server.Client(null).GetAsync("/api/tokens", Cancel), HostErrors.NotSignedIn);
        await ProblemAsync(await _server.Client("dure_x_y").GetAsync("/deploy", Cancel), HostErrors.NotSignedIn);
        var (_, made) = await PostAsync("""{"name":"reader","scopes":["read","invoke"]}""");
        var reader = _server.Client((string)made["token"]!);
        await ProblemAsync(await reader.GetAsync("/deploy", Cancel), HostErrors.NotAllowed);
        await ProblemAsync(await reader.GetAsync("/api/tokens", Cancel), HostErrors.NotAllowed);
        await ProblemAsync(await reader.PostAsync("/api/tokens", new StringContent("""{"name":"more","scopes":["admin"]}"""), Cancel), HostErrors.NotAllowed);
    }

    [Fact]
    public async Task The_owners_token_stays()
    {
        var id = _tokens.List().Single().Id;
        await ProblemAsync(await _owner.DeleteAsync($"/api/tokens/{id}", Cancel), IdentityErrors.OwnerStays);
        Assert.Single(_tokens.List());
    }

    [Theory]
    [InlineData("""{"name":"","scopes":[],"expires_in_days":0}""", "name,scopes,expires_in_days")]
    [InlineData("""{"name":"a\nb","scopes":["root"],"expires_in_days":4000}""", "name,scopes,expires_in_days")]
    [InlineData("""{"name":"owner","scopes":["read",null]}""", "name,scopes")]
    [InlineData("""{"expires_in_days":1}""", "name,scopes")]
    [InlineData("""{"name":3}""", "$.name")]
    [InlineData("""{"name":""", "$.name")]
    [InlineData("", "$")]
    public async Task Every_fault_of_a_request_is_named(string body, string faults)
    {
        var (status, problem) = await PostAsync(body);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(faults, string.Join(',', problem["faults"]!.AsArray().Select(fault => (string)fault!["where"]!)));
        Assert.Single(_tokens.List());
    }

    [Fact]
    public async Task A_list_comes_in_pages()
    {
        for (var i = 0; i < 7; i++)
        {
            await PostAsync($$"""{"name":"t{{i}}","scopes":["read"]}""");
            _data.Clock.Now += TimeSpan.FromSeconds(1);
        }
        var names = new List<string>();
        string? cursor = "";
        while (cursor is not null)
        {
            var page = JsonNode.Parse(await _owner.GetStringAsync($"/api/tokens?limit=3&cursor={cursor}", Cancel))!;
            names.AddRange(page["items"]!.AsArray().Select(item => (string)item!["name"]!));
            cursor = (string?)page["next"];
        }
        Assert.Equal(8, names.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(["t5", "t6"], names[6..], StringComparer.Ordinal);
        await ProblemAsync(await _owner.GetAsync("/api/tokens?limit=many", Cancel), HostErrors.BadRequest);
    }

    private async Task<(HttpStatusCode Status, JsonNode Body)> PostAsync(string body)
    {
        var answer = await _owner.PostAsync("/api/tokens", new StringContent(body), Cancel);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!);
    }

    private static async Task ProblemAsync(HttpResponseMessage answer, ErrorKind kind)
    {
        Assert.Equal(kind.Status, (int)answer.StatusCode);
        Assert.Equal(kind.Id, (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!["id"]);
    }
}
