using System.Net;
using System.Text.Json.Nodes;
using System.Web;
using Dure.Host.Configuration;
using Dure.Host.Identity;
using Dure.Host.Identity.Oidc;
using Xunit;

namespace Dure.Test.Host.Identity;

/// <summary>Signing in through a real provider, and everything that can be wrong with what comes back.</summary>
[Trait("speed", "slow")]
public sealed class OidcSigninTest
{
    private const string Site = "http://dure.test";
    private const string Callback = Site + "/api/session/oidc/lab/callback";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("RS256", "dure")]
    [InlineData("ES256", "dure")]
    [InlineData("RS256", "public")]
    public async Task Somebody_whom_the_provider_knows_and_the_settings_let_in_signs_in(string algorithm, string client)
    {
        await using var provider = await OidcProviderProcess.StartAsync(Callback, algorithm);
        await using var server = await ServerAsync(provider.Issuer, options => client == "public" ? options with { ClientId = client, ClientSecretSecret = null } : options);
        var browser = server.Browser();
        Assert.Equal("lab", (string?)(await browser.GetAsync("/api/session")).Body!["methods"]!["oidc"]![0]!["name"]);
        Assert.Equal("/functions?x=1", await SignInAsync(server, provider, browser, "ada", to: "/functions?x=1"));
        var session = (await browser.GetAsync("/api/session")).Body!;
        Assert.Equal(("ada", "Name of ada", "member", "lab"), ((string?)session["user"]!["name"], (string?)session["user"]!["display_name"], (string?)session["user"]!["role"], (string?)session["user"]!["provider"]));
        Assert.Equal("oidc:lab", (string?)session["how"]);
        Assert.Equal("/", await SignInAsync(server, provider, server.Browser(), "ada"));
        Assert.Equal(["ada", "owner"], server.Identity.People.List().Select(person => person.Name));
        Assert.Contains(await server.Identity.Audit.ListAsync(new AuditFilter("ada", null, null, null), null, 10, Cancel), line => line is { How: "oidc:lab", Status: 302 });
    }

    [Fact]
    public async Task Strangers_are_refused_and_the_invited_get_the_account_that_waits_for_them()
    {
        await using var provider = await OidcProviderProcess.StartAsync(Callback, "RS256");
        await using var server = await ServerAsync(provider.Issuer, options => options with { Allow = ["grace@lab.example"] });
        Assert.Equal("/signin#problem=DURE0080", await SignInAsync(server, provider, server.Browser(), "eve"));
        Assert.Equal("/signin#problem=DURE0080", await SignInAsync(server, provider, server.Browser(), "unverified"));
        Assert.Equal("/", await SignInAsync(server, provider, server.Browser(), "grace"));
        await server.Identity.People.AddAsync(new Person("boss", "The boss", Role.Owner, "Eve@lab.example", false, null, null, default, null), null, Cancel);
        var eve = server.Browser();
        Assert.Equal("/", await SignInAsync(server, provider, eve, "eve"));
        Assert.Equal("boss", (string?)(await eve.GetAsync("/admin")).Body);
        await server.Identity.People.ChangeAsync("boss", new PersonChange(null, Role.Member, null, true), Cancel);
        Assert.Equal("/signin#problem=DURE0081", await SignInAsync(server, provider, server.Browser(), "eve"));
    }

    [Fact]
    public async Task A_name_that_is_taken_is_never_taken_over()
    {
        await using var provider = await OidcProviderProcess.StartAsync(Callback, "RS256");
        await using var server = await ServerAsync(provider.Issuer);
        await server.AddAsync("ada", Role.Owner);
        var browser = server.Browser();
        await SignInAsync(server, provider, browser, "ada");
        Assert.Equal("ada-2", (string?)(await browser.GetAsync("/read")).Body);
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.GetAsync("/admin")).Status);
    }

    [Fact]
    public async Task What_was_changed_on_the_way_is_refused()
    {
        await using var provider = await OidcProviderProcess.StartAsync(Callback, "RS256");
        await using var server = await ServerAsync(provider.Issuer);
        const string refused = "/signin#problem=DURE0078";
        var browser = server.Browser();
        var authorize = await StartAsync(server, browser);
        var back = await provider.AgreeAsync(browser, authorize, "ada");
        // Another browser, which has not begun: somebody sends the address to a victim.
        Assert.Equal(refused, await ReturnAsync(server, server.Browser(), back));
        foreach (var (name, value) in new[] { ("state", "x"), ("state", ""), ("iss", "https://evil.example"), ("code", "x"), ("code", "") })
        {
            var one = server.Browser();
            var answer = await provider.AgreeAsync(one, await StartAsync(server, one), "ada");
            Assert.Equal(name == "code" && value == "x" ? "/signin#problem=DURE0079" : refused, await ReturnAsync(server, one, With(answer, name, value)));
            Assert.Null(one.Cookie(IdentityRole.Cookie));
        }
        // The provider itself puts another nonce into the token.
        var two = server.Browser();
        Assert.Equal(refused, await ReturnAsync(server, two, await provider.AgreeAsync(two, With(await StartAsync(server, two), "nonce", "another"), "ada")));
        Assert.Contains("(nonce)", server.Log.Text, StringComparison.Ordinal);
        // Another PKCE challenge: the code belongs to whoever stole the address.
        var three = server.Browser();
        Assert.Equal("/signin#problem=DURE0079", await ReturnAsync(server, three, await provider.AgreeAsync(three, With(await StartAsync(server, three), "code_challenge", new string('A', 43)), "ada")));
        // What was begun is good once.
        Assert.Equal("/", await ReturnAsync(server, browser, back));
        Assert.Equal(refused, await ReturnAsync(server, browser, back));
    }

    [Fact]
    public async Task An_answer_that_comes_late_or_a_token_that_has_expired_is_refused()
    {
        await using var provider = await OidcProviderProcess.StartAsync(Callback, "RS256");
        await using var server = await ServerAsync(provider.Issuer);
        foreach (var (minutes, why) in new[] { (5, "it has expired"), (11, "more than ten minutes ago") })
        {
            server.Clock.Now = TimeProvider.System.GetUtcNow();
            var browser = server.Browser();
            var back = await provider.AgreeAsync(browser, await StartAsync(server, browser), "ada");
            server.Clock.Now += TimeSpan.FromMinutes(minutes);
            Assert.Equal("/signin#problem=DURE0078", await ReturnAsync(server, browser, back));
            Assert.Contains(why, server.Log.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_provider_that_calls_itself_otherwise_or_is_not_there_is_not_asked_and_no_secret_is_told()
    {
        await using var provider = await OidcProviderProcess.StartAsync(Callback, "RS256");
        await using var other = await ServerAsync(provider.Issuer.Replace("127.0.0.1", "localhost", StringComparison.Ordinal));
        using (var answer = await other.Browser().RequestAsync(HttpMethod.Get, new Uri(other.Url, "/api/session/oidc/lab/start"), null))
            Assert.Equal("/signin#problem=DURE0079", answer.Headers.Location!.OriginalString);
        Assert.Contains("calls itself", other.Log.Text, StringComparison.Ordinal);
        await using var gone = await ServerAsync("http://127.0.0.1:1");
        using (var answer = await gone.Browser().RequestAsync(HttpMethod.Get, new Uri(gone.Url, "/api/session/oidc/lab/start"), null))
            Assert.Equal("/signin#problem=DURE0079", answer.Headers.Location!.OriginalString);
        using (var answer = await gone.Browser().RequestAsync(HttpMethod.Get, new Uri(gone.Url, "/api/session/oidc/none/start"), null))
            Assert.Equal("/signin#problem=DURE0077", answer.Headers.Location!.OriginalString);
        await using var wrong = await ServerAsync(provider.Issuer);
        await wrong.Secrets.SetAsync("LAB_CLIENT_SECRET", "another secret", "test", Cancel);
        Assert.Equal("/signin#problem=DURE0079", await SignInAsync(wrong, provider, wrong.Browser(), "ada"));
        Assert.Contains("invalid_client", wrong.Log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("another secret", wrong.Log.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/functions/x?y=1#z", "/functions/x?y=1#z")]
    [InlineData("https://evil.example/", "/")]
    [InlineData("//evil.example/", "/")]
    [InlineData("/\\evil.example/", "/")]
    [InlineData("/x\\..\\y", "/")]
    [InlineData("/x\nSet-Cookie: a", "/")]
    [InlineData("/\t/evil.example", "/")]
    [InlineData("javascript:alert(1)", "/")]
    [InlineData("", "/")]
    [InlineData(null, "/")]
    public void After_signing_in_a_browser_goes_to_this_site_only(string? to, string goes) => Assert.Equal(goes, OidcSignin.Local(to));

    private static async Task<SigninServer> ServerAsync(string issuer, Func<OidcProviderOptions, OidcProviderOptions>? change = null)
    {
        var options = new OidcProviderOptions("lab", issuer, "dure", "LAB_CLIENT_SECRET", "Lab account", Role.Member, ["@lab.example"], "openid profile email");
        var server = await SigninServer.StartAsync(signin => signin with { PublicUrl = Site, Providers = [change?.Invoke(options) ?? options] }, TimeProvider.System.GetUtcNow());
        await server.Secrets.SetAsync("LAB_CLIENT_SECRET", OidcProviderProcess.ClientSecret, "test", Cancel);
        return server;
    }

    private static async Task<string> SignInAsync(SigninServer server, OidcProviderProcess provider, Browser browser, string who, string? to = null) =>
        await ReturnAsync(server, browser, await provider.AgreeAsync(browser, await StartAsync(server, browser, to), who));

    private static async Task<Uri> StartAsync(SigninServer server, Browser browser, string? to = null)
    {
        using var answer = await browser.RequestAsync(HttpMethod.Get, new Uri(server.Url, "/api/session/oidc/lab/start" + (to is null ? "" : "?to=" + Uri.EscapeDataString(to))), null);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.Contains("httponly", browser.LastSet.Single(), StringComparison.OrdinalIgnoreCase);
        return answer.Headers.Location!;
    }

    // The browser is sent to the public address, which is the server's own here.
    private static async Task<string> ReturnAsync(SigninServer server, Browser browser, Uri back)
    {
        Assert.StartsWith(Callback, back.AbsoluteUri, StringComparison.Ordinal);
        using var answer = await browser.RequestAsync(HttpMethod.Get, new Uri(server.Url, back.PathAndQuery), null);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return answer.Headers.Location!.OriginalString;
    }

    private static Uri With(Uri address, string name, string value)
    {
        var query = HttpUtility.ParseQueryString(address.Query);
        query[name] = value;
        return new UriBuilder(address) { Query = query.ToString() }.Uri;
    }
}
