using System.Text.Json.Nodes;
using Dure.Host;
using Xunit;

namespace Dure.Test.Apps;

/// <summary>The web application firewall before an app that not everybody may enter, through a real nginx that is told over a real ssh.</summary>
public sealed class FirewallTest
{
    private const string Attack = "1' OR '1'='1";

    private static readonly string Large = "x=" + new string('y', 1_500_000);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Attacks_are_refused_nobody_gets_past_the_door_by_the_size_of_what_he_sends_and_the_log_says_how_to_let_something_pass()
    {
        await using var edge = await LocalEdge.StartAsync(Cancel);
        await using var machine = await OneMachine.StartAsync(Cancel, ["apps.port_first=27260", "apps.port_last=27279", "apps.waf=block", .. edge.Settings]);
        var url = (string)(await machine.GoodAsync("publish", machine.Folder("walled", "walled", "visibility: link\n")))["url"]!;

        using var stranger = new Visitor();
        Assert.Equal(401, (await stranger.FetchAsync(url)).Status);
        Assert.Equal(401, (await stranger.PostAsync(url + "form", "x=1")).Status);
        Assert.Equal(401, (await stranger.PostAsync(url + "form", Large)).Status);
        Assert.Equal(401, (await stranger.PostAsync(url + "form", "x=1", chunked: true)).Status);
        Assert.Equal(401, (await stranger.PostAsync(url + "form", Large, chunked: true)).Status);
        Assert.Null(await stranger.EchoAsync(url, "let me in"));

        using var visitor = new Visitor();
        Assert.Equal(200, (await visitor.FollowAsync((string)(await machine.GoodAsync("apps", "share", "walled"))["url"]!)).Status);
        Assert.Equal((200, "3"), await visitor.PostAsync(url + "form", "x=1"));
        Assert.Equal((200, "1500002"), await visitor.PostAsync(url + "form", Large));
        Assert.Equal((200, "3"), await visitor.PostAsync(url + "form", "x=1", chunked: true));
        Assert.Equal((200, "1500002"), await visitor.PostAsync(url + "form", Large, chunked: true));
        Assert.Equal("walled:hello", await visitor.EchoAsync(url, "hello", "?session_id=s_bb2vjk"));
        foreach (var chunked in new[] { false, true })
            Assert.Equal(403, (await visitor.PostAsync(url + "form", "comment=" + Uri.EscapeDataString(Attack), chunked)).Status);
        Assert.Equal(403, (await visitor.PostAsync(url + "form?q=" + Uri.EscapeDataString(Attack), Large)).Status);

        await ExcludeAsync(machine, edge, visitor, url);

        await machine.GoodAsync("apps", "unpublish", "walled", "--yes");
        Assert.Equal("", await edge.ShellAsync("ls -A /etc/dure/nginx.d; ls -A /etc/nginx/conf.d; ls /var/log/nginx /etc/logrotate.d | grep dure || :; ls -A /var/log/dure 2>/dev/null || :"));

        await edge.ShellAsync("rm /etc/nginx/modules-enabled/*modsecurity*; nginx -s reload");
        var without = await machine.DureAsync("publish", machine.Folder("other", "other"));
        Assert.True(without.Code == ExitCodes.Missing && without.Error.Contains("DURE0954", StringComparison.Ordinal), without.All);
        Assert.Equal("", await edge.ShellAsync("ls -A /etc/dure/nginx.d; ls -A /etc/nginx/conf.d"));
    }

    private static async Task ExcludeAsync(OneMachine machine, LocalEdge edge, Visitor visitor, string url)
    {
        var config = machine.Path("edge.yaml");
        await File.WriteAllTextAsync(config, string.Concat(edge.Settings.Take(4).Select(setting => setting.Split('=', 2)).Prepend(["", ""]).Select(words => words[0].Length == 0 ? "apps:\n" : $"  {words[0]["apps.".Length..]}: {words[1]}\n")), Cancel);
        var said = await machine.DureAsync("waf", "log", "--config", config, "--path", "/papers/walled/");
        Assert.True(said.Code == 0, said.All);
        Assert.Contains("refused: POST /papers/walled/form from 127.0.0.1", said.Output, StringComparison.Ordinal);
        Assert.Contains("the parameter comment looks like SQL injection (rule 942100)", said.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(Attack, said.All, StringComparison.Ordinal);

        var entries = (await machine.GoodAsync("waf", "log", "--config", config, "--last", "3"))!.AsArray();
        Assert.Equal(3, entries.Count);
        var proposed = entries[0]!["reasons"]!.AsArray().Select(reason => (string)reason!["exclusion"]!).ToList();
        Assert.All(proposed, text => Assert.EndsWith(" /papers/walled/form comment", text, StringComparison.Ordinal));
        // As people write it, below the app.
        var exclude = string.Concat(proposed.Select(text => $"    - {text.Replace("/papers/walled/", "", StringComparison.Ordinal)}\n"));
        await machine.GoodAsync("publish", machine.Folder("walled", "walled", $"visibility: link\nwaf:\n  exclude:\n{exclude}"));
        foreach (var chunked in new[] { false, true })
            Assert.Equal(200, (await visitor.PostAsync(url + "form", "comment=" + Uri.EscapeDataString(Attack), chunked)).Status);
        Assert.Equal(403, (await visitor.PostAsync(url + "form", "other=" + Uri.EscapeDataString(Attack))).Status);
        Assert.Equal(403, (await visitor.PostAsync(url + "elsewhere", "comment=" + Uri.EscapeDataString(Attack))).Status);
    }
}
