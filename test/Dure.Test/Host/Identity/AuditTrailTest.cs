using System.Net;
using System.Text.Json.Nodes;
using Dure.Host.Identity;
using Xunit;

namespace Dure.Test.Host.Identity;

public sealed class AuditTrailTest : IAsyncLifetime
{
    private SigninServer _server = null!;
    private Browser _owner = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await SigninServer.StartAsync();
        await _server.AddAsync("boss", Role.Owner);
        await _server.AddAsync("ada", Role.Member);
        _owner = await _server.SignInAsync("boss");
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Every_change_is_written_down_with_who_how_whence_what_and_the_answer()
    {
        var ada = await _server.SignInAsync("ada");
        await ada.SendAsync(HttpMethod.Post, "/deploy/classify", null);
        await ada.SendAsync(HttpMethod.Post, "/broken/it", null);
        await ada.GetAsync("/deploy");
        await ada.SendAsync(HttpMethod.Post, "/calls/classify", null);
        await ada.SendAsync(HttpMethod.Post, "/admin/refused", null);
        var lines = await LinesAsync("?who=ada");
        Assert.Equal(["POST /broken/{what} it 500", "POST /deploy/{what} classify 200", "POST /api/session  200"], lines.Select(Told));
        var session = (string)(await ada.GetAsync("/api/session")).Body!["id"]!;
        Assert.Equal("session:" + session, (string?)lines[1]["how"]);
        Assert.Equal("127.0.0.1", (string?)lines[1]["address"]);
        Assert.Equal("2026-11-21T09:00:00+00:00", (string?)lines[1]["at"]);
        Assert.Equal("password", (string?)lines[2]["how"]);
    }

    [Fact]
    public async Task Failed_sign_ins_are_written_down_without_what_was_typed_as_a_name()
    {
        await _server.Browser().SignInAsync("ada", "wrong password!!");
        await _server.Browser().SignInAsync("correct horse battery", "x");
        var lines = await LinesAsync("?text=/api/session");
        Assert.Equal([("-", 401), ("ada", 401), ("boss", 200)], lines.Select(line => ((string)line["who"]!, (int)line["status"]!)));
        Assert.False(_server.Data.DatabaseHolds("correct horse battery"));
    }

    [Fact]
    public async Task Changes_of_people_tokens_and_links_name_what_was_changed()
    {
        await _owner.SendAsync(HttpMethod.Patch, "/api/people/ada", JsonNode.Parse("""{"role":"viewer"}"""));
        var made = await _owner.SendAsync(HttpMethod.Post, "/api/tokens?mine", JsonNode.Parse("""{"name":"laptop","scopes":["read"]}"""));
        await _owner.SendAsync(HttpMethod.Post, "/api/people/-/link", null);
        Assert.Equal(
            ["POST /api/people/{name}/link owner 201", $"POST /api/tokens {made.Body!["id"]} laptop (read) 201", "PATCH /api/people/{name} ada viewer 200"],
            (await LinesAsync("?limit=3")).Select(Told));
        Assert.DoesNotContain((string)made.Body["token"]!, (await _owner.GetAsync("/api/audit")).Body!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_trail_is_read_in_pages_by_person_text_and_time_and_by_owners_only()
    {
        for (var i = 0; i < 7; i++)
        {
            await _owner.SendAsync(HttpMethod.Post, "/deploy/fn_" + i, null);
            _server.Clock.Now += TimeSpan.FromMinutes(1);
        }
        var subjects = new List<string>();
        string? cursor = null;
        do
        {
            var page = (await _owner.GetAsync($"/api/audit?text=FN_&limit=3" + (cursor is null ? "" : "&cursor=" + cursor))).Body!;
            subjects.AddRange(page["items"]!.AsArray().Select(item => (string)item!["subject"]!));
            cursor = (string?)page["next"];
        }
        while (cursor is not null);
        Assert.Equal(["fn_6", "fn_5", "fn_4", "fn_3", "fn_2", "fn_1", "fn_0"], subjects);
        Assert.Equal(["fn_3", "fn_2"], (await LinesAsync("?text=fn_&from=2026-11-21T09:02:00Z&to=2026-11-21T09:04:00Z")).Select(line => (string)line["subject"]!));
        Assert.Empty(await LinesAsync("?text=fnx"));
        Assert.Empty(await LinesAsync("?text=%25x"));
        var (status, problem) = await _owner.GetAsync("/api/audit?limit=0&cursor=x&from=yesterday");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(3, problem!["faults"]!.AsArray().Count);
        await SigninTest.ProblemAsync(Dure.Host.HostErrors.NotAllowed, (await _server.SignInAsync("ada")).GetAsync("/api/audit"));
    }

    [Fact]
    public async Task Old_lines_are_removed()
    {
        await _owner.SendAsync(HttpMethod.Post, "/deploy/old", null);
        _server.Clock.Now += TimeSpan.FromHours(2);
        await _owner.SendAsync(HttpMethod.Post, "/deploy/new", null);
        Assert.True(await _server.Identity.Audit.RemoveBeforeAsync(_server.Clock.Now - TimeSpan.FromHours(1), Cancel) > 0);
        Assert.Equal(["new"], (await LinesAsync("?text=/deploy")).Select(line => (string)line["subject"]!));
    }

    [Fact]
    public async Task Behind_a_known_proxy_the_callers_own_address_is_written_down_and_from_others_it_is_not_believed()
    {
        await using var behind = await SigninServer.StartAsync(options => options with { Proxies = ["127.0.0.1"] });
        await behind.AddAsync("boss", Role.Owner);
        var browser = await behind.SignInAsync("boss");
        await browser.SendAsync(HttpMethod.Post, "/deploy/it", null, ("X-Forwarded-For", "6.6.6.6, 203.0.113.9"));
        Assert.Equal("203.0.113.9", (string?)(await browser.GetAsync("/api/audit?limit=1")).Body!["items"]![0]!["address"]);
        await _owner.SendAsync(HttpMethod.Post, "/deploy/it", null, ("X-Forwarded-For", "203.0.113.9"));
        Assert.Equal("127.0.0.1", (string?)(await LinesAsync("?limit=1"))[0]["address"]);
    }

    private static string Told(JsonNode line) => $"{line["action"]} {line["subject"]} {line["status"]}";

    private async Task<List<JsonNode>> LinesAsync(string query) => [.. (await _owner.GetAsync("/api/audit" + query)).Body!["items"]!.AsArray().Select(item => item!)];
}
