using System.Text.Json.Nodes;
using Xunit;

namespace Dure.Test.Apps;

/// <summary>What was served by hand before Dure came: a unit that somebody wrote, and locations in somebody's nginx.</summary>
public sealed partial class TwoMachinesTest
{
    private const string Site = "/etc/nginx/sites-available/default";

    [Fact(Timeout = 300_000)]
    public async Task A_paper_that_was_served_by_hand_is_taken_over_under_load_and_its_service_ends_with_its_last_reader()
    {
        lab.OrSkip();
        var url = lab.Url("byhand");
        var before = await ReadSiteAsync();
        var block = await ByHandAsync("byhand", 27900);
        var with = await ReadSiteAsync();
        var found = Found(await lab.DureAsync("apps adopt"), "byhand");
        Assert.Equal(("hand-byhand.service", 27900, "/srv/byhand", url, true), ((string?)found["unit"], (int)found["port"]!, (string?)found["folder"], (string?)found["url"], (bool)found["healthy"]!));
        Assert.Empty(found["obstacles"]!.AsArray());
        var shown = await lab.GoodAsync("gpu", "dure apps adopt byhand --dry-run");
        Assert.Contains("location /papers/byhand/ {", shown, StringComparison.Ordinal);
        Assert.Contains("exec /usr/bin/python3 serve.py", shown, StringComparison.Ordinal);
        Assert.Equal(with, await ReadSiteAsync());

        var socket = await OneMachine.OpenSocketAsync(url, Cancel);
        using (var load = new Load(url))
        {
            await Task.Delay(500, Cancel);
            var adopted = await lab.DureAsync("apps adopt byhand --yes");
            Assert.Equal((url, 1, "live"), ((string?)adopted["url"], (int)adopted["version"]!, (string?)adopted["state"]));
            Assert.Contains("copied " + Site, await lab.GoodAsync("gpu", "cat /run/said"), StringComparison.Ordinal);
            Assert.Contains("Dure-App: byhand@1", await lab.GoodAsync("gpu", $"curl -s -o /dev/null -D - {url}x"), StringComparison.Ordinal);
            // Who was connected stays with what he was connected to.
            Assert.Equal("old:still", await OneMachine.EchoAsync(socket, "still", Cancel));
            await Task.Delay(5000, Cancel);
            Assert.Equal("old:still", await OneMachine.EchoAsync(socket, "still", Cancel));
            Assert.Equal("active", (await UnitAsync("byhand")).Active);
            var (good, second) = await load.EndAsync();
            TestContext.Current.SendDiagnosticMessage($"{good} requests while a paper was taken over, {second:F0} a second; {load.AskedAgain} met the end of a kept connection");
        }

        socket.Dispose();
        await EndsAsync("byhand");
        Assert.Equal(before, (await ReadSiteAsync()).Replace("    # byhand, by hand\n", "", StringComparison.Ordinal));
        Assert.Equal(with, await File.ReadAllTextAsync(lab.Inside("edge", Site + ".dure-adopted"), Cancel));
        Assert.Contains(block, with, StringComparison.Ordinal);
        Assert.True((bool)(await lab.DureAsync("apps doctor byhand"))["ok"]!);
        Assert.Contains("308", await lab.GoodAsync("gpu", $"curl -sI {url.TrimEnd('/')}"), StringComparison.Ordinal);
        await RefusedAsync("apps adopt byhand --yes", "DURE0981", "published already");
        Assert.DoesNotContain((await lab.DureAsync("apps adopt")).AsArray(), one => (string?)one!["unit"] == "hand-byhand.service");

        await lab.GoodAsync("gpu", "dure apps unpublish byhand --yes");
        Assert.Equal("the lab's own page\n", await lab.TextAsync(url));
        Assert.Equal(("inactive", "disabled"), await UnitAsync("byhand"));

        // Back by hand, as the guide says.
        await lab.GoodAsync("edge", $"mv {Site}.dure-adopted {Site} && nginx -t -q && systemctl reload nginx");
        await lab.GoodAsync("gpu", "systemctl enable -q --now hand-byhand");
        await OldAsync("byhand");
        await TakeAwayAsync(before, "hand-byhand");
        await lab.NothingIsLeftAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task An_adoption_that_fails_or_is_cut_off_leaves_everything_as_it_was_or_is_finished()
    {
        lab.OrSkip();
        var before = await ReadSiteAsync();
        await ByHandAsync("fragile", 27901);
        // As a published app it may not write beside its own files.
        var program = lab.Inside("gpu", "/srv/fragile/serve.py");
        var right = await File.ReadAllTextAsync(program, Cancel);
        await File.WriteAllTextAsync(program, "open('log', 'a')\n" + right, Cancel);
        var with = await ReadSiteAsync();
        using (var load = new Load(lab.Url("fragile")))
        {
            await RefusedAsync("apps adopt fragile --yes", "DURE0910", "'log'");
            await AsBeforeAsync();
            await File.WriteAllTextAsync(program, right, Cancel);
            await lab.GoodAsync("gpu", $"nft add table inet wall; nft add chain inet wall input '{{ type filter hook input priority 0; }}'; nft add rule inet wall input ip saddr {lab.Edge} tcp dport 27000-27099 reject with tcp reset");
            await RefusedAsync("apps adopt fragile --yes", "DURE0986", "answers the edge with 000");
            await AsBeforeAsync();
            await lab.GoodAsync("gpu", "nft delete table inet wall");

            // The server is killed once the edge has changed, and finishes it when it is back.
            var snippet = lab.Inside("edge", "/etc/dure/nginx.d/fragile.conf");
            await lab.CutAsync("apps adopt fragile --yes", () => File.Exists(snippet));
            await EndsAsync("fragile");
            await load.EndAsync();
        }

        Assert.Equal("live", (string?)(await lab.DureAsync("apps status fragile"))["state"]);
        Assert.Equal(before, (await ReadSiteAsync()).Replace("    # fragile, by hand\n", "", StringComparison.Ordinal));
        await lab.GoodAsync("gpu", "dure apps unpublish fragile --yes");
        Assert.Equal(("inactive", "disabled"), await UnitAsync("fragile"));
        await TakeAwayAsync(before, "hand-fragile");
        await lab.NothingIsLeftAsync();

        async Task AsBeforeAsync()
        {
            Assert.Equal(with, await ReadSiteAsync());
            Assert.Equal(("active", "enabled"), await UnitAsync("fragile"));
            Assert.DoesNotContain((await lab.DureAsync("apps list")).AsArray(), app => (string?)app!["id"] == "fragile");
            Assert.Equal("", await lab.GoodAsync("edge", "find /etc/nginx /etc/dure/nginx.d -name '*dure-*'"));
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task What_cannot_be_taken_over_is_refused_with_what_stands_in_the_way()
    {
        lab.OrSkip();
        var before = await ReadSiteAsync();
        await ByHandAsync("locked", 27902, "if ($request_method = DELETE) { return 403; }");
        await UnitOfAsync("paper-portless", "portless", "Environment=BASE_PATH=/papers/portless HOST=127.0.0.1");
        await File.WriteAllTextAsync(lab.Inside("gpu", "/srv/state.json"), "{\n  \"attention\": 27903,\n  \"locked\": {\"port\": 27902},\n  \"odd\": {}\n}\n", Cancel);
        var with = await ReadSiteAsync();
        await RefusedAsync("apps adopt nobody --yes", "DURE0980", "not among");
        await RefusedAsync("apps adopt portless --yes", "DURE0981", "which port");
        await RefusedAsync("apps adopt locked --yes", "DURE0981", "/etc/nginx/sites-enabled/default:10: there is a block in it, if");
        await RefusedAsync("apps adopt attention --yes", "DURE0981", "no service of this machine is known to listen on port 27903");
        await RefusedAsync("apps adopt locked", "DURE0981", "/etc/nginx/sites-enabled/default:10");
        var (_, listed) = await lab.ShellAsync("gpu", "dure apps adopt");
        Assert.Contains("/srv/state.json:4: odd says no port", listed, StringComparison.Ordinal);
        await lab.GoodAsync("gpu", "systemctl stop hand-locked");
        Assert.Contains(Found(await lab.DureAsync("apps adopt"), "locked")["obstacles"]!.AsArray(), what => ((string)what!).Contains("the service does not run", StringComparison.Ordinal));
        Assert.Equal(with, await ReadSiteAsync());
        await lab.GoodAsync("gpu", "rm /srv/state.json");
        await TakeAwayAsync(before, "hand-locked", "paper-portless");
        await lab.NothingIsLeftAsync();
    }

    private static JsonNode Found(JsonNode all, string id) => Assert.Single(all.AsArray(), one => (string?)one!["id"] == id)!;

    private Task<string> ReadSiteAsync() => File.ReadAllTextAsync(lab.Inside("edge", Site), Cancel);

    /// <summary>An app with a unit and a location that somebody wrote, and no word of Dure's.</summary>
    private async Task<string> ByHandAsync(string id, int port, string inside = "proxy_read_timeout 1h;")
    {
        await UnitOfAsync("hand-" + id, id, $"Environment=BASE_PATH=/papers/{id} PORT={port} HOST=0.0.0.0");
        var block = $$"""
                location = /papers/{{id}} { return 301 /papers/{{id}}/; }
                location /papers/{{id}}/ {
                    proxy_pass http://{{lab.Address("gpu")}}:{{port}};
                    proxy_http_version 1.1;
                    proxy_set_header Host $host;
                    proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; # }
                    {{inside}}
                }

            """;
        var site = await ReadSiteAsync();
        await File.WriteAllTextAsync(lab.Inside("edge", Site), site.Replace("    location / {", $"    # {id}, by hand\n{block}    location / {{", StringComparison.Ordinal), Cancel);
        await lab.GoodAsync("edge", "nginx -t -q && systemctl reload nginx");
        await OldAsync(id);
        return block;
    }

    // For a moment after nginx has reloaded, who served before serves on.
    private Task<string> OldAsync(string id) => Processes.RunningDure.UntilAsync(() => lab.UntilAsync(lab.Url(id)), text => text == "old", Cancel);

    private async Task UnitOfAsync(string unit, string id, string environment)
    {
        lab.Write(id, "old");
        File.Delete(lab.Inside("gpu", $"/srv/{id}/app.yaml"));
        await File.WriteAllTextAsync(lab.Inside("gpu", $"/etc/systemd/system/{unit}.service"),
            $"[Service]\nWorkingDirectory=/srv/{id}\n{environment}\nExecStart=/usr/bin/python3 serve.py\nRestart=always\nRestartSec=2s\n[Install]\nWantedBy=multi-user.target\n", Cancel);
        await lab.GoodAsync("gpu", $"systemctl daemon-reload; systemctl enable -q --now {unit}");
    }

    private async Task<(string Active, string Enabled)> UnitAsync(string id)
    {
        var said = await lab.GoodAsync("gpu", $"systemctl is-active hand-{id}; systemctl is-enabled hand-{id} || :");
        return said.Split('\n') is [var active, var enabled] ? (active, enabled) : (said, "");
    }

    private async Task EndsAsync(string id)
    {
        while (await UnitAsync(id) is not ("inactive", "disabled"))
            await Task.Delay(500, Cancel);
        Assert.True(File.Exists(lab.Inside("gpu", $"/etc/systemd/system/hand-{id}.service")));
    }

    private async Task TakeAwayAsync(string site, params string[] units)
    {
        await File.WriteAllTextAsync(lab.Inside("edge", Site), site, Cancel);
        await lab.GoodAsync("edge", $"rm -f {Site}.dure-adopted*; nginx -t -q && systemctl reload nginx");
        foreach (var unit in units)
            await lab.GoodAsync("gpu", $"systemctl disable -q --now {unit}; rm /etc/systemd/system/{unit}.service; systemctl daemon-reload; systemctl reset-failed {unit} 2>/dev/null || :");
    }
}
