using System.Net;
using System.Text.Json.Nodes;
using Dure.Host.Identity;
using Xunit;

namespace Dure.Test.Host.Identity;

public sealed class SigninLinkTest : IAsyncLifetime
{
    private SigninServer _server = null!;
    private string _owner = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await SigninServer.StartAsync();
        _owner = "Bearer " + (await File.ReadAllTextAsync(OwnerToken.PathIn(_server.Data.Folder), Cancel)).Trim();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task The_first_link_signs_in_as_the_owner_who_then_sets_a_password()
    {
        var link = await MakeAsync("-");
        Assert.Equal("owner", (string?)link["name"]);
        var browser = _server.Browser();
        var (status, body) = await browser.TakeLinkAsync(CodeOf(link));
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("owner", (string?)body!["user"]!["role"]);
        Assert.False((bool)body["user"]!["password"]!);
        Assert.Equal(HttpStatusCode.NoContent, (await browser.SendAsync(HttpMethod.Put, "/api/people/owner/password", new JsonObject { ["password"] = SigninServer.Password })).Status);
        Assert.Equal("owner", (string?)(await browser.GetAsync("/admin")).Body);
        await _server.SignInAsync("owner");
        await SigninTest.ProblemAsync(
            SigninErrors.WrongPassword with { Status = 403 },
            browser.SendAsync(HttpMethod.Put, "/api/people/owner/password", new JsonObject { ["password"] = "another good password", ["current"] = "not it at all" }));
        Assert.Equal(
            HttpStatusCode.NoContent,
            (await browser.SendAsync(HttpMethod.Put, "/api/people/owner/password", new JsonObject { ["password"] = "another good password", ["current"] = SigninServer.Password })).Status);
    }

    [Fact]
    public async Task A_link_works_once_even_for_many_at_the_same_time()
    {
        var code = CodeOf(await MakeAsync("owner"));
        await using var beside = await _server.StartBesideAsync();
        var all = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => (i % 2 == 0 ? _server : beside).Browser().TakeLinkAsync(code)));
        Assert.Single(all, answer => answer.Status == HttpStatusCode.OK);
        await SigninTest.ProblemAsync(SigninErrors.LinkSpent, beside.Browser().TakeLinkAsync(code));
        Assert.False(_server.Data.DatabaseHolds(code));
    }

    [Fact]
    public async Task A_link_ends_after_ten_minutes()
    {
        var code = CodeOf(await MakeAsync("owner"));
        _server.Clock.Now += TimeSpan.FromMinutes(10);
        await SigninTest.ProblemAsync(SigninErrors.LinkSpent, _server.Browser().TakeLinkAsync(code));
        _server.Clock.Now -= TimeSpan.FromMinutes(10);
        await SigninTest.ProblemAsync(SigninErrors.LinkSpent, _server.Browser().TakeLinkAsync(code));
    }

    [Fact]
    public async Task A_link_for_a_person_signs_that_person_in_unless_sessions_were_ended_meanwhile()
    {
        await _server.AddAsync("ada", Role.Viewer);
        var browser = _server.Browser();
        Assert.Equal("ada", (string?)(await browser.TakeLinkAsync(CodeOf(await MakeAsync("ada")))).Body!["user"]!["name"]);
        var waiting = CodeOf(await MakeAsync("ada"));
        await browser.SendAsync(HttpMethod.Delete, "/api/sessions", null);
        await SigninTest.ProblemAsync(SigninErrors.LinkSpent, _server.Browser().TakeLinkAsync(waiting));
        var (status, problem) = await browser.SendAsync(HttpMethod.Post, "/api/people/nobody/link", null, ("Authorization", _owner));
        Assert.Equal((HttpStatusCode.NotFound, "DURE0070"), (status, (string?)problem!["id"]));
    }

    [Fact]
    public async Task What_was_never_a_code_is_refused_and_slowed_down()
    {
        var browser = _server.Browser();
        foreach (var code in new[] { "", "x", new string('a', 5000), "' OR 1=1 --" })
            await SigninTest.ProblemAsync(SigninErrors.LinkSpent, browser.TakeLinkAsync(code));
        HttpStatusCode last = default;
        for (var i = 0; i < 30 && last != HttpStatusCode.TooManyRequests; i++)
            last = (await browser.TakeLinkAsync("guess" + i)).Status;
        Assert.Equal(HttpStatusCode.TooManyRequests, last);
    }

    private static string CodeOf(JsonNode link) => ((string)link["url"]!).Split("/signin#link=")[1];

    private async Task<JsonNode> MakeAsync(string name)
    {
        var (status, link) = await _server.Browser().SendAsync(HttpMethod.Post, $"/api/people/{name}/link", null, ("Authorization", _owner));
        Assert.Equal(HttpStatusCode.Created, status);
        return link!;
    }
}
