using System.Net;
using System.Text.Json.Nodes;
using Dure.Host;
using Dure.Host.Identity;
using Xunit;

namespace Dure.Test.Host.Identity;

public sealed class PeopleApiTest : IAsyncLifetime
{
    private SigninServer _server = null!;
    private Browser _owner = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await SigninServer.StartAsync();
        await _server.AddAsync("ada", Role.Member);
        await _server.AddAsync("boss", Role.Owner);
        _owner = await _server.SignInAsync("boss");
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task An_account_made_over_the_api_signs_in_and_shows_no_password()
    {
        var (status, made) = await _owner.SendAsync(HttpMethod.Post, "/api/people", JsonNode.Parse($$"""{"name":"grace","display_name":"Grace H.","role":"viewer","email":"grace@lab.example","password":"{{SigninServer.Password}}"}"""));
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal("viewer", (string?)made!["role"]);
        await _server.SignInAsync("grace");
        var list = (await _owner.GetAsync("/api/people")).Body!.ToJsonString();
        Assert.DoesNotContain("argon2", list, StringComparison.Ordinal);
        Assert.DoesNotContain(SigninServer.Password, list, StringComparison.Ordinal);
        Assert.Contains("grace@lab.example", list, StringComparison.Ordinal);
        await SigninTest.ProblemAsync(SigninErrors.PersonExists, _owner.SendAsync(HttpMethod.Post, "/api/people", JsonNode.Parse("""{"name":"grace"}""")));
        Assert.False(_server.Data.DatabaseHolds(SigninServer.Password));
    }

    [Theory]
    [InlineData("""{"name":"Ada!","role":"king","email":"nobody","password":"short"}""", "name,email,role,password")]
    [InlineData("""{"name":"","display_name":" x"}""", "name,display_name")]
    [InlineData("""{"name":"grace","password":"aaaaaaaaaaaaaaaa"}""", "password")]
    [InlineData("""{"name":"gracehopper","password":"gracehopper1234"}""", "password")]
    public async Task Every_fault_of_an_account_is_named(string body, string faults)
    {
        var (status, problem) = await _owner.SendAsync(HttpMethod.Post, "/api/people", JsonNode.Parse(body));
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(faults, string.Join(',', problem!["faults"]!.AsArray().Select(fault => (string)fault!["where"]!)));
        Assert.DoesNotContain("aaaaaa", problem.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_role_holds_from_the_next_request_on()
    {
        var ada = await _server.SignInAsync("ada");
        Assert.Equal(HttpStatusCode.OK, (await ada.GetAsync("/deploy")).Status);
        Assert.Equal(HttpStatusCode.OK, (await ChangeAsync("ada", """{"role":"viewer"}""")).Status);
        await SigninTest.ProblemAsync(HostErrors.NotAllowed, ada.GetAsync("/deploy"));
        await ChangeAsync("ada", """{"role":"owner"}""");
        Assert.Equal(HttpStatusCode.OK, (await ada.GetAsync("/admin")).Status);
    }

    [Fact]
    public async Task Who_is_disabled_is_out_at_once_with_every_session_and_token()
    {
        var ada = await _server.SignInAsync("ada");
        var token = (string)(await ada.SendAsync(HttpMethod.Post, "/api/tokens?mine", JsonNode.Parse("""{"name":"laptop","scopes":["read"]}"""))).Body!["token"]!;
        Assert.Equal("ada", (string?)(await ByTokenAsync("/read", token)).Body);
        await ChangeAsync("ada", """{"disabled":true}""");
        Assert.Equal(HttpStatusCode.Unauthorized, (await ada.GetAsync("/read")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await ByTokenAsync("/read", token)).Status);
        await SigninTest.ProblemAsync(SigninErrors.Disabled, _server.Browser().SignInAsync("ada", SigninServer.Password));
        await ChangeAsync("ada", """{"disabled":false}""");
        Assert.Equal(HttpStatusCode.Unauthorized, (await ada.GetAsync("/read")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await ByTokenAsync("/read", token)).Status);
        await _server.SignInAsync("ada");
    }

    [Fact]
    public async Task The_last_owner_who_can_sign_in_stays()
    {
        Assert.Equal(HttpStatusCode.NoContent, (await _owner.SendAsync(HttpMethod.Delete, "/api/people/owner", null)).Status);
        foreach (var change in new[] { """{"role":"member"}""", """{"disabled":true}""" })
            await SigninTest.ProblemAsync(SigninErrors.LastOwner, ChangeAsync("boss", change));
        await SigninTest.ProblemAsync(SigninErrors.LastOwner, _owner.SendAsync(HttpMethod.Delete, "/api/people/boss", null));
        await ChangeAsync("ada", """{"role":"owner"}""");
        Assert.Equal(HttpStatusCode.OK, (await ChangeAsync("boss", """{"role":"member"}""")).Status);
        await SigninTest.ProblemAsync(SigninErrors.NoSuchPerson, (await _server.SignInAsync("ada")).SendAsync(HttpMethod.Patch, "/api/people/nobody", JsonNode.Parse("""{"role":"member"}""")));
    }

    [Fact]
    public async Task A_new_password_ends_every_session_but_the_one_it_was_set_in()
    {
        var (here, elsewhere) = (await _server.SignInAsync("ada"), await _server.SignInAsync("ada"));
        Assert.Equal(HttpStatusCode.NoContent, (await here.SendAsync(HttpMethod.Put, "/api/people/ada/password", JsonNode.Parse($$"""{"current":"{{SigninServer.Password}}","password":"an even better password"}"""))).Status);
        Assert.Equal(HttpStatusCode.OK, (await here.GetAsync("/read")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await elsewhere.GetAsync("/read")).Status);
        await SigninTest.ProblemAsync(SigninErrors.WrongPassword, _server.Browser().SignInAsync("ada", SigninServer.Password));
        await SigninTest.ProblemAsync(HostErrors.NotAllowed, here.SendAsync(HttpMethod.Put, "/api/people/boss/password", JsonNode.Parse("""{"password":"an even better password"}""")));
    }

    [Fact]
    public async Task People_make_list_and_revoke_tokens_of_their_own_and_no_more_than_they_may()
    {
        var ada = await _server.SignInAsync("ada");
        var (status, made) = await ada.SendAsync(HttpMethod.Post, "/api/tokens?mine", JsonNode.Parse("""{"name":"laptop","scopes":["read","deploy"],"expires_in_days":7}"""));
        Assert.Equal(HttpStatusCode.Created, status);
        var token = (string)made!["token"]!;
        Assert.Equal("ada", (string?)(await ByTokenAsync("/deploy", token)).Body);
        await SigninTest.ProblemAsync(HostErrors.NotAllowed, ByTokenAsync("/invoke", token));
        var (refused, problem) = await ada.SendAsync(HttpMethod.Post, "/api/tokens?mine", JsonNode.Parse("""{"name":"more","scopes":["admin"]}"""));
        Assert.Equal((HttpStatusCode.BadRequest, "scopes"), (refused, (string?)problem!["faults"]![0]!["where"]));
        await SigninTest.ProblemAsync(HostErrors.NotAllowed, ada.SendAsync(HttpMethod.Post, "/api/tokens", JsonNode.Parse("""{"name":"more","scopes":["read"]}""")));
        await SigninTest.ProblemAsync(HostErrors.NotAllowed, ada.GetAsync("/api/tokens"));
        Assert.Equal("laptop", (string?)(await ada.GetAsync("/api/tokens?mine")).Body!["items"]!.AsArray().Single()!["name"]);
        // A token makes no others and sets no password, or a stolen one would outlive its end.
        await SigninTest.ProblemAsync(SigninErrors.OnlyInPerson, ByTokenAsync("/api/tokens?mine", token));
        await SigninTest.ProblemAsync(SigninErrors.OnlyInPerson, _server.Browser().SendAsync(HttpMethod.Put, "/api/people/ada/password", JsonNode.Parse("""{"password":"an even better password"}"""), ("Authorization", "Bearer " + token)));
        // It may no more than its person may now.
        await ChangeAsync("ada", """{"role":"viewer"}""");
        await SigninTest.ProblemAsync(HostErrors.NotAllowed, ByTokenAsync("/deploy", token));
        Assert.Equal("ada", (string?)(await ByTokenAsync("/read", token)).Body);
        await _server.AddAsync("eve", Role.Member);
        var eve = await _server.SignInAsync("eve");
        await SigninTest.ProblemAsync(IdentityErrors.NoSuchToken, eve.SendAsync(HttpMethod.Delete, $"/api/tokens/{made["id"]}", null));
        Assert.Equal(HttpStatusCode.NoContent, (await ada.SendAsync(HttpMethod.Delete, $"/api/tokens/{made["id"]}", null)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await ByTokenAsync("/read", token)).Status);
    }

    [Fact]
    public async Task A_list_of_people_comes_in_pages()
    {
        var names = new List<string>();
        string? cursor = "";
        while (cursor is not null)
        {
            var page = (await _owner.GetAsync($"/api/people?limit=1&cursor={cursor}")).Body!;
            names.AddRange(page["items"]!.AsArray().Select(item => (string)item!["name"]!));
            cursor = (string?)page["next"];
        }
        Assert.Equal(["ada", "boss", "owner"], names, StringComparer.Ordinal);
    }

    private Task<(HttpStatusCode Status, JsonNode? Body)> ChangeAsync(string name, string change) => _owner.SendAsync(HttpMethod.Patch, "/api/people/" + name, JsonNode.Parse(change));

    private Task<(HttpStatusCode Status, JsonNode? Body)> ByTokenAsync(string path, string token) => _server.Browser().SendAsync(HttpMethod.Get, path, null, ("Authorization", "Bearer " + token));
}
