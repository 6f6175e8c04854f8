using System.Diagnostics;
using System.Text.Json.Nodes;
using Dure.Host;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Apps;

/// <summary>Who may enter an app: through this machine's own door, and through a real nginx that is told over a real ssh.</summary>
public sealed class AccessTest
{
    private static readonly string Large = "x=" + new string('y', 1_500_000);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Members_and_who_has_a_link_enter_through_the_door_of_one_machine_and_strangers_do_not()
    {
        await using var machine = await OneMachine.StartAsync(Cancel, "apps.port_first=27200", "apps.port_last=27219");
        await MembersAsync(machine);
        await LinksAsync(machine);
    }

    [Fact]
    public async Task Members_and_who_has_a_link_enter_through_nginx_and_strangers_do_not_and_no_log_has_a_secret()
    {
        await using var edge = await LocalEdge.StartAsync(Cancel);
        await using var machine = await OneMachine.StartAsync(Cancel, ["apps.port_first=27220", "apps.port_last=27239", .. edge.Settings]);
        // Where members would sign in is nowhere yet.
        var nowhere = await machine.DureAsync("publish", machine.Folder("early", "early", "visibility: members\n"));
        Assert.True(nowhere is { Code: ExitCodes.Usage } && nowhere.Error.Contains("DURE0930", StringComparison.Ordinal), nowhere.All);
        await machine.Dure.KillAsync();
        await machine.Dure.StartAgainAsync(Cancel, ["apps.port_first=27220", "apps.port_last=27239", "signin.public_url=http://127.0.0.1:1", .. edge.Settings]);

        var secrets = await MembersAsync(machine, edge.Url + "/papers/");
        secrets.AddRange(await LinksAsync(machine));
        Assert.NotEmpty(secrets);
        var logs = await edge.ShellAsync("cat /var/log/nginx/*");
        Assert.Contains("/papers/members/headers", logs, StringComparison.Ordinal);
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, logs + machine.Dure.Log, StringComparison.Ordinal));
        Assert.DoesNotContain("a-query", logs, StringComparison.Ordinal);
        Assert.True((bool)(await machine.GoodAsync("apps", "doctor", "members"))["ok"]!);

        var said = await machine.DureAsync("apps", "logs", "members", "--edge");
        Assert.True(said.Code == 0 && said.Output.Contains("\"GET /papers/members/headers HTTP/1.1\" 200", StringComparison.Ordinal), said.All);
        var seen = (await machine.GoodAsync("apps", "status", "members"))["seen"]!.AsArray();
        Assert.Equal(["service", "port", "health", "proxy", "public address", "certificate", "dns"], seen.Select(one => (string)one!["what"]!));
        Assert.All(seen, one => Assert.True((bool)one!["ok"]!, one.ToJsonString()));

        await FollowAsync(machine, edge);

        // Open to everybody now: an old link leads to the app, and its key to nobody.
        machine.Folder("linked", "open");
        var opened = await machine.GoodAsync("publish", machine.Path("linked"));
        Assert.True((string?)opened["state"] == "live", opened.ToJsonString());
        using var anybody = new Visitor();
        Assert.Equal("/papers/linked/", (await anybody.GoAsync(edge.Url + "/papers/linked/.dure/open?key=" + secrets[^1])).To);
        foreach (var id in new[] { "members", "linked", "other" })
            await machine.GoodAsync("apps", "unpublish", id, "--yes");
        Assert.Equal("", await edge.ShellAsync("ls -A /etc/dure/nginx.d; ls -A /etc/nginx/conf.d; ls /var/log/nginx | grep dure- || :"));
    }

    private static async Task<List<string>> MembersAsync(OneMachine machine, string? at = null)
    {
        var app = await machine.GoodAsync("publish", machine.Folder("members", "members", "visibility: members\n"));
        var url = (string)app["url"]!;
        Assert.StartsWith(at ?? "http://127.0.0.1:", url, StringComparison.Ordinal);
        using var visitor = new Visitor();
        Assert.Equal(401, (await visitor.FetchAsync(url)).Status);
        Assert.Equal(401, (await visitor.PostAsync(url + "form", "x=1")).Status);
        Assert.Equal(401, (await visitor.PostAsync(url + "form", Large)).Status);
        Assert.Null(await visitor.EchoAsync(url, "let me in"));
        var (status, _, to) = await visitor.GoAsync(url + "headers?a-query=1");
        Assert.True(status == 303 && to!.Contains("/api/apps/members/enter?state=", StringComparison.Ordinal), $"{status} {to}");
        var portal = machine.Dure.Http.BaseAddress!.GetLeftPart(UriPartial.Authority);
        to = portal + new Uri(to!).PathAndQuery;
        Assert.StartsWith("/signin?to=%2Fapi%2Fapps%2Fmembers%2Fenter", (await visitor.GoAsync(to)).To, StringComparison.Ordinal);

        await visitor.SignInAsync(machine);
        var over = (await visitor.GoAsync(to)).To!;
        Assert.Contains("/papers/members/.dure/enter?code=", over, StringComparison.Ordinal);
        // In another browser the code is worth nothing, and then in this one neither.
        using (var thief = new Visitor())
            Assert.Equal(403, (await thief.GoAsync(over)).Status);
        Assert.Equal(403, (await visitor.GoAsync(over)).Status);
        to = portal + new Uri((await visitor.GoAsync(url + "headers?a-query=1")).To!).PathAndQuery;
        over = (await visitor.GoAsync(to)).To!;
        var (entered, text, way) = await visitor.FollowAsync(over);
        Assert.Equal((200, url + "headers?a-query=1"), (entered, way[^1]));
        visitor.Cookies.Add(new System.Net.Cookie("mine", "1", "/", "127.0.0.1"));
        text = (await visitor.FetchAsync(url + "headers")).Text;
        Assert.Equal("mine=1", ((string?)JsonNode.Parse(text)!["Cookie"])!.Trim(' ', ';'));
        Assert.Equal("members:hello", await visitor.EchoAsync(url, "hello"));
        Assert.Equal((200, "3"), await visitor.PostAsync(url + "form", "x=1"));
        Assert.Equal((200, "1500002"), await visitor.PostAsync(url + "form", Large));

        var secrets = visitor.Cookies.GetAllCookies().Where(cookie => cookie.Name.StartsWith("dure_", StringComparison.Ordinal)).Select(cookie => cookie.Value).ToList();
        Assert.Equal(2, secrets.Count);
        secrets.Add(over[(over.IndexOf("code=", StringComparison.Ordinal) + 5)..over.IndexOf('&', StringComparison.Ordinal)]);
        // Who signs out of the portal is out of the app as well.
        await visitor.SignOutAsync(machine);
        Assert.Equal(401, (await visitor.FetchAsync(url)).Status);
        Assert.Null(await visitor.EchoAsync(url, "still here?"));
        return secrets;
    }

    private static async Task FollowAsync(OneMachine machine, LocalEdge edge)
    {
        using var following = Process.Start(new ProcessStartInfo(RunningDure.Program, ["apps", "logs", "members", "--edge", "--follow", "--lines", "1", "--data", machine.Dure.Data]) { RedirectStandardOutput = true })!;
        // The first line is of before: from then on it follows.
        Assert.NotNull(await following.StandardOutput.ReadLineAsync(Cancel));
        Assert.Equal(401, (await machine.GetAsync(edge.Url + "/papers/members/followed?a-query=2")).Status);
        string? line;
        do
            line = await following.StandardOutput.ReadLineAsync(Cancel);
        while (line?.Contains("\"GET /papers/members/followed HTTP/1.1\" 401", StringComparison.Ordinal) == false);
        Assert.NotNull(line);
        // Nothing goes on there when nobody listens here.
        following.Kill();
        await RunningDure.UntilAsync(() => edge.ShellAsync("pgrep -x tail || :"), found => found.Length == 0, Cancel);
    }

    private static async Task<List<string>> LinksAsync(OneMachine machine)
    {
        var url = (string)(await machine.GoodAsync("publish", machine.Folder("linked", "linked", "visibility: link\n")))["url"]!;
        var other = (string)(await machine.GoodAsync("publish", machine.Folder("other", "other", "visibility: link\n")))["url"]!;
        using var visitor = new Visitor();
        Assert.Equal(401, (await visitor.GoAsync(url)).Status);
        var share = await machine.GoodAsync("apps", "share", "linked", "--note", "reviewer");
        var (status, text, way) = await visitor.FollowAsync((string)share["url"]!);
        Assert.Equal((200, "linked", url), (status, text, way[^1]));
        Assert.Equal("linked:hello", await visitor.EchoAsync(url, "hello"));
        Assert.DoesNotContain("dure_", (await visitor.FetchAsync(url + "headers")).Text, StringComparison.Ordinal);
        // Its cookie opens no other app, under its own path or when it is carried there by hand.
        var cookie = visitor.Cookies.GetAllCookies().Single(known => known.Name == "dure_app");
        visitor.Cookies.Add(new System.Net.Cookie("dure_app", cookie.Value, "/papers/other/", "127.0.0.1"));
        Assert.Equal(401, (await visitor.FetchAsync(other)).Status);
        Assert.Equal(403, (await visitor.GoAsync(((string)share["url"]!).Replace("/linked/", "/other/", StringComparison.Ordinal))).Status);

        var listed = (await machine.GoodAsync("apps", "shares", "linked")).AsArray().Single()!;
        Assert.Equal(((string)share["id"]!, "reviewer", 1), ((string?)listed["id"], (string?)listed["note"], (int)listed["visits"]!));
        Assert.DoesNotContain(((string)share["url"]!).Split('.')[^1], listed.ToJsonString(), StringComparison.Ordinal);
        await machine.GoodAsync("apps", "revoke", "linked", (string)share["id"]!);
        Assert.Equal(401, (await visitor.FetchAsync(url)).Status);
        Assert.Null(await visitor.EchoAsync(url, "still here?"));
        Assert.Equal(403, (await visitor.GoAsync((string)share["url"]!)).Status);

        var brief = await machine.GoodAsync("apps", "share", "linked", "--expires", "2s");
        Assert.Equal(200, (await visitor.FollowAsync((string)brief["url"]!)).Status);
        await Task.Delay(2100, Cancel);
        Assert.Equal(401, (await visitor.FetchAsync(url)).Status);
        Assert.Equal(403, (await visitor.GoAsync((string)brief["url"]!)).Status);
        var nowhere = await machine.DureAsync("apps", "revoke", "linked", "nosuch");
        Assert.True(nowhere.Code == ExitCodes.NotFound && nowhere.Error.Contains("DURE0935", StringComparison.Ordinal), nowhere.All);
        return [cookie.Value, ((string)share["url"]!).Split("key=")[1]];
    }
}
