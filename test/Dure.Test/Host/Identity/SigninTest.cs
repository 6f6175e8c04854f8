using System.Net;
using System.Text.Json.Nodes;
using Dure.Host;
using Dure.Host.Identity;
using Xunit;

namespace Dure.Test.Host.Identity;

public sealed class SigninTest : IAsyncLifetime
{
    private SigninServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await SigninServer.StartAsync();
        await _server.AddAsync("ada", Role.Member);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_name_and_a_password_open_a_session_of_eight_hours()
    {
        var browser = _server.Browser();
        var (before, ways) = await browser.GetAsync("/api/session");
        Assert.Equal(HttpStatusCode.Unauthorized, before);
        Assert.Equal("DURE0006", (string?)ways!["id"]);
        Assert.True((bool)ways["methods"]!["password"]! && (bool)ways["methods"]!["link"]!);
        var (status, body) = await browser.SignInAsync("ada", SigninServer.Password);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("member", (string?)body!["user"]!["role"]);
        Assert.Equal(["read", "invoke", "deploy"], body["scopes"]!.AsArray().GetValues<string>(), StringComparer.Ordinal);
        var cookie = browser.LastSet.Single();
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("secure", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("ada", (string?)(await browser.GetAsync("/deploy")).Body);
        await ProblemAsync(HostErrors.NotAllowed, browser.GetAsync("/admin"));
        _server.Clock.Now += TimeSpan.FromHours(8) - TimeSpan.FromSeconds(1);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/session")).Status);
        _server.Clock.Now += TimeSpan.FromSeconds(1);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/api/session")).Status);
        await ProblemAsync(HostErrors.NotSignedIn, browser.GetAsync("/read"));
    }

    [Fact]
    public async Task Behind_https_the_cookie_is_sent_over_https_only()
    {
        await using var secure = await SigninServer.StartAsync(options => options with { PublicUrl = "https://dure.lab.example" });
        await secure.AddAsync("ada", Role.Member);
        var browser = secure.Browser();
        browser.Origin = "https://dure.lab.example";
        Assert.Equal(HttpStatusCode.OK, (await browser.SignInAsync("ada", SigninServer.Password)).Status);
        Assert.Contains("; secure", browser.LastSet.Single(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_wrong_password_and_a_wrong_name_are_told_apart_by_nothing()
    {
        var browser = _server.Browser();
        var wrong = await browser.SignInAsync("ada", "something else entirely");
        var nobody = await browser.SignInAsync("nobody", "something else entirely");
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.Status);
        Assert.Equal(wrong.Body!.ToJsonString(), nobody.Body!.ToJsonString());
        Assert.Empty(browser.LastSet);
        await ProblemAsync(HostErrors.BadRequest, browser.SendAsync(HttpMethod.Post, "/api/session", JsonNode.Parse("""{"name":"ada"}""")));
    }

    [Fact]
    public async Task A_session_is_never_one_that_the_browser_had_before()
    {
        var victim = _server.Browser();
        await _server.AddAsync("eve", Role.Viewer);
        var eve = await _server.SignInAsync("eve");
        var planted = eve.Cookie(IdentityRole.Cookie)!;
        victim.Plant(IdentityRole.Cookie, planted);
        await victim.SignInAsync("ada", SigninServer.Password);
        Assert.NotEqual(planted, victim.Cookie(IdentityRole.Cookie));
        Assert.Equal("ada", (string?)(await victim.GetAsync("/read")).Body);
        // The planted one does not become hers: it is over.
        Assert.Equal(HttpStatusCode.Unauthorized, (await eve.GetAsync("/read")).Status);
    }

    [Fact]
    public async Task A_change_needs_the_pages_own_token_and_the_sites_own_page()
    {
        var browser = await _server.SignInAsync("ada");
        Assert.Equal(HttpStatusCode.OK, (await browser.SendAsync(HttpMethod.Post, "/deploy/it", null)).Status);
        await ProblemAsync(SigninErrors.Forged, browser.SendAsync(HttpMethod.Post, "/deploy/it", null, ("Sec-Fetch-Site", "cross-site")));
        await ProblemAsync(SigninErrors.Forged, browser.SendAsync(HttpMethod.Post, "/deploy/it", null, ("Sec-Fetch-Site", "same-site")));
        browser.Origin = "https://evil.example";
        await ProblemAsync(SigninErrors.Forged, browser.SendAsync(HttpMethod.Post, "/deploy/it", null));
        browser.Origin = "null";
        await ProblemAsync(SigninErrors.Forged, browser.SendAsync(HttpMethod.Post, "/deploy/it", null));
        browser.Origin = null;
        Assert.Equal(HttpStatusCode.OK, (await browser.SendAsync(HttpMethod.Post, "/deploy/it", null)).Status);
        var csrf = browser.Csrf;
        foreach (var other in new[] { null, "", "x", csrf + "x", (await _server.SignInAsync("ada")).Csrf })
        {
            browser.Csrf = other;
            await ProblemAsync(SigninErrors.Forged, browser.SendAsync(HttpMethod.Post, "/deploy/it", null));
            await ProblemAsync(SigninErrors.Forged, browser.SendAsync(HttpMethod.Delete, "/api/session", null));
        }
        Assert.Equal("ada", (string?)(await browser.GetAsync("/read")).Body);
    }

    [Fact]
    public async Task No_other_site_signs_a_browser_in()
    {
        var browser = _server.Browser();
        browser.Origin = "https://evil.example";
        await ProblemAsync(SigninErrors.Forged, browser.SignInAsync("ada", SigninServer.Password));
        browser.Origin = null;
        using var form = new StringContent($$"""{"name":"ada","password":"{{SigninServer.Password}}"}""");
        form.Headers.ContentType = new System.Net.Http.Headers.MediaTypeHeaderValue("text/plain");
        using var answer = await browser.RequestAsync(HttpMethod.Post, new Uri(_server.Url, "/api/session"), form);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Empty(browser.LastSet);
    }

    [Fact]
    public async Task A_token_works_as_before_and_needs_nothing_of_a_page()
    {
        var (text, _) = await _server.Identity.Tokens.CreateAsync("ci", Scopes.Deploy, "ci", null, Cancel);
        var browser = await _server.SignInAsync("ada");
        browser.Csrf = null;
        Assert.Equal("ci", (string?)(await browser.SendAsync(HttpMethod.Post, "/deploy/it", null, ("Authorization", "Bearer " + text))).Body);
        // A token that is not valid is told so, and is not made up for by a cookie.
        await ProblemAsync(HostErrors.NotSignedIn, browser.SendAsync(HttpMethod.Get, "/read", null, ("Authorization", "Bearer " + text[..^1])));
    }

    [Fact]
    public async Task Signing_out_ends_the_session_and_not_only_the_cookie()
    {
        var browser = await _server.SignInAsync("ada");
        var kept = browser.Cookie(IdentityRole.Cookie)!;
        Assert.Equal(HttpStatusCode.NoContent, (await browser.SendAsync(HttpMethod.Delete, "/api/session", null)).Status);
        Assert.Null(browser.Cookie(IdentityRole.Cookie));
        browser.Plant(IdentityRole.Cookie, kept);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/read")).Status);
    }

    [Fact]
    public async Task Sessions_are_listed_and_ended_one_by_one_or_all()
    {
        var (one, two, three) = (await _server.SignInAsync("ada"), await _server.SignInAsync("ada"), await _server.SignInAsync("ada"));
        await _server.AddAsync("eve", Role.Viewer);
        var eve = await _server.SignInAsync("eve");
        var list = (await one.GetAsync("/api/sessions")).Body!["items"]!.AsArray();
        Assert.Equal(3, list.Count);
        Assert.Single(list, item => (bool)item!["current"]!);
        var other = (string)list.First(item => !(bool)item!["current"]!)!["id"]!;
        await ProblemAsync(SigninErrors.NoSuchSession, eve.SendAsync(HttpMethod.Delete, "/api/sessions/" + other, null));
        Assert.Equal(HttpStatusCode.NoContent, (await one.SendAsync(HttpMethod.Delete, "/api/sessions/" + other, null)).Status);
        Assert.Single(new[] { await two.GetAsync("/read"), await three.GetAsync("/read") }, answer => answer.Status == HttpStatusCode.Unauthorized);
        Assert.Equal(1, (int)(await one.SendAsync(HttpMethod.Delete, "/api/sessions?others", null)).Body!["ended"]!);
        Assert.Equal("ada", (string?)(await one.GetAsync("/read")).Body);
        Assert.Equal(1, (int)(await one.SendAsync(HttpMethod.Delete, "/api/sessions", null)).Body!["ended"]!);
        Assert.Equal(HttpStatusCode.Unauthorized, (await one.GetAsync("/read")).Status);
        Assert.Equal("eve", (string?)(await eve.GetAsync("/read")).Body);
    }

    [Fact]
    public async Task Every_server_on_the_database_knows_a_session_at_once_and_after_a_restart()
    {
        await using var other = await _server.StartBesideAsync();
        var browser = await _server.SignInAsync("ada");
        var there = other.Browser();
        there.Plant(IdentityRole.Cookie, browser.Cookie(IdentityRole.Cookie)!);
        there.Csrf = browser.Csrf;
        Assert.Equal(HttpStatusCode.OK, (await there.SendAsync(HttpMethod.Post, "/deploy/it", null)).Status);
        Assert.False(_server.Data.DatabaseHolds(browser.Cookie(IdentityRole.Cookie)!));
    }

    [Fact]
    public async Task A_changed_key_of_secrets_leaves_everybody_signed_in()
    {
        var browser = await _server.SignInAsync("ada");
        await _server.Secrets.ChangeKeyAsync(Cancel);
        await using var restarted = await _server.StartBesideAsync();
        var there = restarted.Browser();
        there.Plant(IdentityRole.Cookie, browser.Cookie(IdentityRole.Cookie)!);
        Assert.Equal("ada", (string?)(await there.GetAsync("/read")).Body);
    }

    [Fact]
    public async Task A_weaker_hash_is_made_anew_at_sign_in()
    {
        if (!PasswordHash.HasArgon)
            Assert.Skip("libargon2.so.1 is not installed.");
        await _server.Identity.People.SetPasswordAsync("ada", PasswordHash.MakePbkdf2(SigninServer.Password), null, Cancel);
        await _server.SignInAsync("ada");
        Assert.StartsWith("$argon2id$", await _server.Identity.People.PasswordAsync("ada", Cancel), StringComparison.Ordinal);
        await _server.SignInAsync("ada");
    }

    internal static async Task ProblemAsync(ErrorKind kind, Task<(HttpStatusCode Status, JsonNode? Body)> sent)
    {
        var (status, body) = await sent;
        Assert.Equal(kind.Id, (string?)body!["id"]);
        Assert.Equal(kind.Status, (int)status);
    }
}
