using System.Text.Json.Nodes;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Test.Host.Identity;
using Xunit;

namespace Dure.Test.Host.Commands;

/// <summary>People and sign-in by the command line, against a real server; and that nothing of it is ever written where others read.</summary>
[Trait("speed", "slow")]
public sealed class SigninCommandsTest
{
    private const string Password = "a long and good password";

    [Fact(Timeout = 240_000)]
    public async Task Up_prints_a_link_people_are_kept_by_commands_and_nothing_secret_reaches_log_or_trail()
    {
        await using var cli = new Cli("DURE_LOG_LEVEL=trace");
        var (code, banner, error) = await cli.RunAsync("up", "--yes");
        Assert.True(code == ExitCodes.Ok, error);
        var url = new Uri(RunningServer.Read(cli.Data)!.Url);
        var link = banner.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Single(word => word.Contains("/signin#link=", StringComparison.Ordinal));
        Assert.StartsWith(url.GetLeftPart(UriPartial.Authority), link, StringComparison.Ordinal);
        using var browser = new Browser(url);
        Assert.Equal("owner", (string?)(await browser.TakeLinkAsync(link.Split("#link=")[1])).Body!["user"]!["name"]);

        Assert.Contains("ada is a member", (await DoneAsync(cli, Password + "\n", "user", "add", "ada", "--email", "ada@lab.example")).Err, StringComparison.Ordinal);
        using var ada = new Browser(url);
        Assert.Equal("member", (string?)(await ada.SignInAsync("ada", Password)).Body!["user"]!["role"]);
        await DoneAsync(cli, "", "user", "set-role", "ada", "viewer");
        var people = JsonNode.Parse((await DoneAsync(cli, "", "user", "list", "--format", "json")).Out)!.AsArray();
        Assert.Equal(["ada", "owner"], people.Select(person => (string)person!["name"]!));
        Assert.Equal("viewer", (string?)people[0]!["role"]);
        await DoneAsync(cli, "another very good one\n", "user", "passwd", "ada");
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, (await ada.GetAsync("/api/session")).Status);
        await DoneAsync(cli, "", "user", "disable", "ada");
        Assert.Equal(ExitCodes.Denied, (await cli.RunAsync("signin", "--user", "ada")).Code);
        await DoneAsync(cli, "", "user", "enable", "ada");
        var made = JsonNode.Parse((await DoneAsync(cli, "", "signin", "--user", "ada", "--format", "json")).Out)!;
        var code2 = ((string)made["url"]!).Split("#link=")[1];
        Assert.Equal("ada", (string?)(await ada.TakeLinkAsync(code2)).Body!["user"]!["name"]);
        var token = (string)(await ada.SendAsync(HttpMethod.Post, "/api/tokens?mine", JsonNode.Parse("""{"name":"laptop","scopes":["read"]}"""))).Body!["token"]!;
        await ada.SignInAsync("ada", "wrong but still secret");
        await ada.GetAsync("/api/status");
        Assert.Equal(ExitCodes.Usage, (await cli.RunAsync("", ["user", "add", "grace"])).Code);

        var trail = (await DoneAsync(cli, "", "audit", "--format", "json")).Out;
        Assert.Contains(JsonNode.Parse(trail)!.AsArray(), line => (string)line!["action"]! == "PATCH /api/people/{name}" && (string)line["subject"]! == "ada viewer");
        await DoneAsync(cli, "", "user", "remove", "ada", "--yes");
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, (await ada.GetAsync("/api/session")).Status);
        var log = await File.ReadAllTextAsync(Path.Combine(cli.Data, "logs", "server.log"), TestContext.Current.CancellationToken);
        Assert.NotEmpty(log);
        foreach (var secret in new[] { Password, "another very good one", "wrong but still secret", link.Split("#link=")[1], code2, token[16..], ada.Cookie("dure_session")!, browser.Cookie("dure_session")!, browser.Csrf! })
        {
            Assert.DoesNotContain(secret, log, StringComparison.Ordinal);
            Assert.DoesNotContain(secret, trail, StringComparison.Ordinal);
        }
    }

    private static async Task<(string Out, string Err)> DoneAsync(Cli cli, string input, params string[] words)
    {
        var (code, output, error) = await cli.RunAsync(input, words);
        Assert.True(code == ExitCodes.Ok, $"{string.Join(' ', words)}: {error}");
        return (output, error);
    }
}
