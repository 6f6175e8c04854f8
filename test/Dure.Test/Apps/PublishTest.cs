using System.Text.Json.Nodes;
using Dure.Host;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Apps;

/// <summary>Publishing on one machine: the real server, the real command line, real processes.</summary>
public sealed class PublishTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_folder_is_published_visited_replaced_without_a_gap_rolled_back_and_gone()
    {
        await using var machine = await OneMachine.StartAsync(Cancel, "apps.port_first=27100", "apps.port_last=27119");
        var folder = machine.Folder("paper", "one");
        var app = await machine.GoodAsync("publish", folder);
        var url = (string)app["url"]!;
        Assert.EndsWith("/papers/paper/", url, StringComparison.Ordinal);
        Assert.Equal((200, "one", "paper@1"), await machine.GetAsync(url));
        Assert.Equal(308, (await machine.GetAsync(url.TrimEnd('/'))).Status);
        Assert.Equal(404, (await machine.GetAsync(url.Replace("/paper/", "/other/", StringComparison.Ordinal))).Status);
        var headers = JsonNode.Parse((await machine.GetAsync(url + "headers", ("Cookie", "a=1; dure_session=secret; b=2"), ("X-Forwarded-For", "6.6.6.6"))).Text)!;
        Assert.Equal(("a=1; b=2", "127.0.0.1", "/papers/paper"), ((string?)headers["Cookie"], (string?)headers["X-Forwarded-For"], (string?)headers["X-Forwarded-Prefix"]));

        using var socket = await OneMachine.OpenSocketAsync(url, Cancel);
        Assert.Equal("one:hello", await OneMachine.EchoAsync(socket, "hello", Cancel));
        using var load = new Load(url + "slow");
        machine.Folder("paper", "two");
        Assert.Equal(2, (int)(await machine.GoodAsync("publish", folder))["version"]!);
        Assert.Equal("two", (await machine.GetAsync(url)).Text);
        // Who was connected stays with what he was connected to.
        Assert.Equal("one:still", await OneMachine.EchoAsync(socket, "still", Cancel));
        Assert.Equal("draining", (string)(await machine.GoodAsync("apps", "status", "paper"))["versions"]![1]!["state"]!);
        socket.Abort();

        Assert.Equal(1, (int)(await machine.GoodAsync("apps", "rollback", "paper"))["version"]!);
        Assert.Equal("one", (await machine.GetAsync(url)).Text);
        await load.EndAsync();
        Assert.Contains("starting one", (await machine.DureAsync("apps", "logs", "paper")).Output, StringComparison.Ordinal);
        Assert.True((bool)(await machine.GoodAsync("apps", "doctor", "paper"))["ok"]!);

        var gone = await machine.DureAsync("apps", "unpublish", "paper", "--yes");
        Assert.True(gone.Code == 0, gone.All);
        Assert.Equal(404, (await machine.GetAsync(url)).Status);
        Assert.Empty((await machine.GoodAsync("apps", "list")).AsArray());
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(machine.Dure.Data, "apps")));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(machine.Dure.Data, "logs", "apps")));
    }

    [Fact]
    public async Task What_is_wrong_with_an_app_is_told_and_what_was_live_stays_live()
    {
        await using var machine = await OneMachine.StartAsync(Cancel, "apps.port_first=27120", "apps.port_last=27122");
        var first = await machine.DureAsync("publish", machine.Folder("paper", "crash"));
        Assert.True(first is { Code: ExitCodes.FunctionFailed } && first.Error.Contains("DURE0910", StringComparison.Ordinal) && first.Error.Contains("no luck today", StringComparison.Ordinal), first.All);
        Assert.Empty((await machine.GoodAsync("apps", "list")).AsArray());

        var url = (string)(await machine.GoodAsync("publish", machine.Folder("paper", "good")))["url"]!;
        foreach (var (version, id, says) in new[] { ("crash", "DURE0910", "no luck today"), ("elsewhere", "DURE0911", "listens on 127.0.0.1:27"), ("unwell", "DURE0912", "answers 500") })
        {
            var bad = await machine.DureAsync("publish", machine.Folder("paper", version, version == "unwell" ? "environment: {A: b}\n" : ""));
            Assert.True(bad.Code != 0 && bad.Error.Contains(id, StringComparison.Ordinal) && bad.Error.Contains(says, StringComparison.Ordinal), bad.All);
            Assert.Equal((200, "good", "paper@1"), await machine.GetAsync(url));
        }

        var taken = await machine.DureAsync("publish", machine.Folder("another", "x"), "--id", "paper");
        Assert.True(taken is { Code: ExitCodes.Conflict } && taken.Error.Contains("DURE0901", StringComparison.Ordinal), taken.All);
        await machine.GoodAsync("publish", machine.Folder("b", "b"));
        await machine.GoodAsync("publish", machine.Folder("c", "c"));
        var full = await machine.DureAsync("publish", machine.Folder("d", "d"));
        Assert.True(full.Code == ExitCodes.Limit && full.Error.Contains("DURE0909", StringComparison.Ordinal), full.All);
        var unknown = await machine.DureAsync("apps", "status", "nobody");
        Assert.True(unknown.Code == ExitCodes.NotFound && unknown.Error.Contains("DURE0900", StringComparison.Ordinal), unknown.All);
    }

    [Fact]
    public async Task A_server_that_is_killed_comes_back_with_its_apps_and_finishes_what_was_cut_off()
    {
        await using var machine = await OneMachine.StartAsync(Cancel, "apps.port_first=27130", "apps.port_last=27139");
        var url = (string)(await machine.GoodAsync("publish", machine.Folder("paper", "one")))["url"]!;
        await machine.GetAsync(url);
        // It is killed while the second version is on its way up.
        var folder = machine.Folder("paper", "two");
        await File.WriteAllTextAsync(Path.Combine(folder, "serve.py"), "import time; time.sleep(3)\n" + TestApp.Source("two"));
        var cut = machine.DureAsync("publish", folder);
        await RunningDure.UntilAsync(() => machine.GoodAsync("apps", "status", "paper"), app => app["versions"]!.AsArray().Count == 2, Cancel);
        await machine.Dure.KillAsync();
        Assert.NotEqual(0, (await cut).Code);
        await machine.Dure.StartAgainAsync(Cancel, "apps.port_first=27130", "apps.port_last=27139");
        var app = await RunningDure.UntilAsync(() => machine.GoodAsync("apps", "status", "paper"), app => (int?)app["version"] == 2 && (string?)app["state"] == "live", Cancel);
        Assert.Equal("two", (await machine.GetAsync((string)app["url"]!)).Text);
        // The same publish again makes a third version of it, and an app that dies is started again.
        Assert.Equal(3, (int)(await machine.GoodAsync("publish", folder))["version"]!);
        Assert.Equal(502, (await machine.GetAsync((string)app["url"]! + "die")).Status);
        app = await RunningDure.UntilAsync(() => machine.GoodAsync("apps", "status", "paper"), seen => (string?)seen["state"] == "live" && (int)seen["service"]!["restarts"]! == 1, Cancel);
        Assert.Equal("two", (await machine.GetAsync((string)app["url"]!)).Text);
    }
}
