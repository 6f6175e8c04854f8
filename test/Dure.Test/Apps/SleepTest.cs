using System.Diagnostics;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Apps;

/// <summary>Apps that nobody asks for are stopped, and started again for whoever comes next.</summary>
public sealed class SleepTest
{
    private const string Sleepy = "sleep_after: 3s\n";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_app_falls_asleep_when_nobody_asks_and_wakes_for_its_next_visitor()
    {
        await using var machine = await OneMachine.StartAsync(Cancel, "apps.port_first=27140", "apps.port_last=27149");
        var url = (string)(await machine.GoodAsync("publish", machine.Folder("paper", "one", Sleepy)))["url"]!;
        // An open WebSocket is somebody.
        using (var socket = await OneMachine.OpenSocketAsync(url, Cancel))
        {
            await Task.Delay(5000, Cancel);
            Assert.Equal("one:still", await OneMachine.EchoAsync(socket, "still", Cancel));
            Assert.Equal("live", await StateAsync(machine));
        }

        await AsleepAsync(machine);
        var asked = Stopwatch.StartNew();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => machine.GetAsync(url)));
        Assert.All(answers, answer => Assert.Equal((200, "one", "paper@1"), answer));
        Assert.True(asked.Elapsed < TimeSpan.FromSeconds(5), $"It took {asked.Elapsed} to wake.");
        TestContext.Current.SendDiagnosticMessage($"woken in {asked.ElapsedMilliseconds} ms");
        Assert.Equal("live", await StateAsync(machine));
        // Asking how it is wakes nothing, and keeps nothing awake.
        await AsleepAsync(machine);
        Assert.True((bool)(await machine.GoodAsync("apps", "doctor", "paper"))["ok"]!);
        Assert.Equal("asleep", await StateAsync(machine));
    }

    [Fact]
    public async Task A_browser_is_told_that_it_wakes_and_what_sleeps_is_restarted_replaced_and_found_asleep_by_the_next_server()
    {
        string[] settings = ["apps.port_first=27150", "apps.port_last=27159"];
        await using var machine = await OneMachine.StartAsync(Cancel, settings);
        var folder = machine.Folder("paper", "slow", Sleepy);
        await File.WriteAllTextAsync(Path.Combine(folder, "serve.py"), "import time; time.sleep(3)\n" + TestApp.Source("slow"), Cancel);
        var url = (string)(await machine.GoodAsync("publish", folder))["url"]!;
        await AsleepAsync(machine);
        await machine.Dure.KillAsync();
        await machine.Dure.StartAgainAsync(Cancel, settings);
        url = (string)(await machine.GoodAsync("apps", "status", "paper"))["url"]!;
        Assert.Equal("asleep", await StateAsync(machine));

        var page = await machine.GetAsync(url, ("Accept", "text/html"));
        Assert.True(page.Status == 503 && page.Text.Contains("waking up", StringComparison.Ordinal), page.Text);
        Assert.Equal((200, "slow", "paper@1"), await machine.GetAsync(url));

        await AsleepAsync(machine);
        await machine.GoodAsync("apps", "restart", "paper");
        Assert.Equal("live", await StateAsync(machine));
        await AsleepAsync(machine);
        machine.Folder("paper", "two", Sleepy);
        await machine.GoodAsync("publish", folder);
        Assert.Equal((200, "two", "paper@2"), await machine.GetAsync(url));
        await AsleepAsync(machine);
        Assert.Equal(0, (await machine.DureAsync("apps", "unpublish", "paper", "--yes")).Code);
        Assert.Equal(404, (await machine.GetAsync(url)).Status);
    }

    [Fact]
    public async Task What_does_not_wake_any_more_says_so()
    {
        await using var machine = await OneMachine.StartAsync(Cancel, "apps.port_first=27160", "apps.port_last=27169");
        var url = (string)(await machine.GoodAsync("publish", machine.Folder("paper", "one", Sleepy)))["url"]!;
        await AsleepAsync(machine);
        await File.WriteAllTextAsync(Path.Combine(machine.Dure.Data, "apps", "paper", "1", "src", "serve.py"), "raise SystemExit('secret: no luck')", Cancel);
        var (status, text, _) = await machine.GetAsync(url);
        Assert.True(status == 503 && text.Contains("DURE0920", StringComparison.Ordinal) && !text.Contains("secret", StringComparison.Ordinal), text);
        Assert.Contains("no luck", (string)(await machine.GoodAsync("apps", "status", "paper"))["last_error"]!, StringComparison.Ordinal);
    }

    private static async Task<string> StateAsync(OneMachine machine) => (string)(await machine.GoodAsync("apps", "status", "paper"))["state"]!;

    private static Task AsleepAsync(OneMachine machine) => RunningDure.UntilAsync(() => machine.GoodAsync("apps", "status", "paper"), app => (string?)app["state"] == "asleep", Cancel);
}
