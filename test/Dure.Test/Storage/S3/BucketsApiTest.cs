using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Dure.Host.Identity;
using Dure.Host.Web;
using Dure.Storage.S3;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Dure.Test.Storage.S3;

/// <summary>The API of buckets, as the command line uses it.</summary>
public sealed class BucketsApiTest(RunningStore store) : IClassFixture<RunningStore>, IAsyncLifetime
{
    private WebApplication _app = null!;
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        BucketsApi.Map(new Gate(_app, _ => new Caller("ada", Scopes.Read | Scopes.Deploy)), store.Store);
        await _app.StartAsync();
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(_app.Urls.First()) };
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
    }

    [Fact]
    public async Task A_bucket_is_made_changed_told_and_deleted()
    {
        var made = await SendAsync(HttpMethod.Post, "", """{"name":"api-made","versioning":"enabled","quota_bytes":1000}""");
        Assert.Equal((201, "ada", "enabled", 1000L), (made.Status, (string?)made.Body!["owner"], (string?)made.Body["versioning"], (long)made.Body["quota_bytes"]!));
        await store.SendAsync("PUT", "/api-made/a", "12345");
        Assert.Equal("403 QuotaExceeded", (await store.SendAsync("PUT", "/api-made/b", new string('x', 1000))).Error);
        var changed = await SendAsync(HttpMethod.Patch, "/api-made", """{"quota_bytes":0,"acl":"public-read","replicate":["second"]}""");
        Assert.Equal((200, "public-read", 5L, 1L), (changed.Status, (string?)changed.Body!["acl"], (long)changed.Body["used_bytes"]!, (long)changed.Body["objects"]!));
        Assert.Equal("second", (string?)changed.Body["replicate"]![0]);
        Assert.Equal("DURE0692", (string?)(await SendAsync(HttpMethod.Delete, "/api-made", null)).Body!["id"]);
        Assert.Equal(204, (await SendAsync(HttpMethod.Delete, "/api-made?force=true", null)).Status);
        Assert.Equal("DURE0690", (string?)(await SendAsync(HttpMethod.Get, "/api-made", null)).Body!["id"]);
    }

    [Fact]
    public async Task Every_fault_of_a_request_is_told_at_once()
    {
        var refused = await SendAsync(HttpMethod.Post, "", """{"name":"No","versioning":"always","acl":"nobody","cors":"<a/>","policy":"{}","quota_bytes":-1,"replicate":[""]}""");
        Assert.Equal((400, 7), (refused.Status, refused.Body!["faults"]!.AsArray().Count));
    }

    [Fact]
    public async Task Buckets_are_listed_in_pages()
    {
        foreach (var name in new[] { "api-list-a", "api-list-b" })
            Assert.Equal(201, (await SendAsync(HttpMethod.Post, "", $$"""{"name":"{{name}}"}""")).Status);
        var first = (await SendAsync(HttpMethod.Get, "?limit=1&cursor=api-list", null)).Body!;
        Assert.Equal(("api-list-a", "api-list-a"), ((string?)first["items"]![0]!["name"], (string?)first["next"]));
        Assert.Equal(409, (await SendAsync(HttpMethod.Post, "", """{"name":"api-list-a"}""")).Status);
    }

    private async Task<(int Status, JsonNode? Body)> SendAsync(HttpMethod method, string path, string? body)
    {
        using var request = new HttpRequestMessage(method, "/api/storage/buckets" + path);
        if (body is not null)
            request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var response = await _http.SendAsync(request);
        return ((int)response.StatusCode, response.Content.Headers.ContentLength is 0 ? null : await response.Content.ReadFromJsonAsync<JsonNode>());
    }
}
