using Dure.Test.Fleet.Apply;
using Dure.Test.Portal.Browser;
using Microsoft.Playwright;
using Xunit;

namespace Dure.Test.Apps;

/// <summary>From the machine with the GPU through the machine with the public address, both real.</summary>
public sealed partial class TwoMachinesTest(EdgeLab lab) : IClassFixture<EdgeLab>
{
    private const int Sockets = 20;

    private const string SliderPage =
        """
        <!doctype html><title>Slider</title><input type=range min=0 max=100 value=30><output></output>
        <script>
            const slider = document.querySelector("input"), socket = new WebSocket(location.href.replace("http", "ws") + "ws");
            socket.onopen = slider.oninput = () => socket.send(slider.value);
            socket.onmessage = said => document.querySelector("output").value = said.data;
        </script>
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task A_paper_is_published_through_the_edge_replaced_under_load_survives_reboots_and_leaves_nothing()
    {
        lab.OrSkip();
        var url = lab.Url("paper");
        lab.Write("paper", "one");
        Assert.Equal(url, (string?)(await lab.DureAsync("publish /srv/paper"))["url"]);
        Assert.Equal("one", await lab.TextAsync(url));
        Assert.Contains($"\"X-Forwarded-For\": \"{lab.Edge[..lab.Edge.LastIndexOf('.')]}.254\"", await lab.TextAsync(url + "headers"), StringComparison.Ordinal);

        var sockets = await Task.WhenAll(Enumerable.Range(0, Sockets).Select(_ => OneMachine.OpenSocketAsync(url, Cancel)));
        using (var load = new Load(url))
        {
            lab.Write("paper", "two");
            Assert.Equal(2, (int)(await lab.DureAsync("publish /srv/paper"))["version"]!);
            Assert.Equal("two", await lab.TextAsync(url));
            // Who was connected stays with what he was connected to.
            Assert.All(await Task.WhenAll(sockets.Select(socket => OneMachine.EchoAsync(socket, "still", Cancel))), said => Assert.Equal("one:still", said));
            Assert.Equal(1, (int)(await lab.DureAsync("apps rollback paper"))["version"]!);
            Assert.Equal("one", await lab.TextAsync(url));
            Assert.All(await Task.WhenAll(sockets.Select(socket => OneMachine.EchoAsync(socket, "again", Cancel))), said => Assert.Equal("one:again", said));
            var (good, second) = await load.EndAsync();
            Assert.True(second > 50, $"Only {second:F0} requests were sent a second.");
            TestContext.Current.SendDiagnosticMessage($"{good} requests during a publish and a rollback, {second:F0} a second; {load.AskedAgain} met the end of a kept connection");
        }

        foreach (var socket in sockets)
            socket.Dispose();
        await lab.GoodAsync("gpu", "kill -9 $(systemctl show paper-paper@1 -p MainPID --value)");
        Assert.Equal("one", await lab.UntilAsync(url));
        var status = await lab.DureAsync("apps status paper");
        Assert.Equal((1, "live"), ((int)status["service"]!["restarts"]!, (string)status["state"]!));
        Assert.True((bool)(await lab.DureAsync("apps doctor paper"))["ok"]!);

        foreach (var machine in new[] { "gpu", "edge" })
        {
            ApplyLab.Value(await lab.Lab.RebootAsync(machine, Cancel));
            Assert.Equal("one", await lab.UntilAsync(url));
        }

        await lab.ServerIsUpAsync();
        await lab.GoodAsync("gpu", "dure apps unpublish paper --yes");
        Assert.Equal("the lab's own page\n", await lab.TextAsync(url));
        await lab.NothingIsLeftAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task What_cannot_be_published_is_refused_and_what_was_live_stays_so()
    {
        lab.OrSkip();
        lab.Write("refused", "good");
        await lab.DureAsync("publish /srv/refused");
        lab.Write("foreign", "x");
        await RefusedAsync("publish /srv/foreign", "DURE0951", "/etc/nginx/sites-enabled/default");
        lab.Write("refused", "crash");
        await RefusedAsync("publish /srv/refused", "DURE0910", "no luck today");
        // The configuration of others is broken: ours is not written into it.
        lab.Write("refused", "three");
        await lab.GoodAsync("edge", "echo 'nonsense' >/etc/nginx/conf.d/broken.conf");
        await RefusedAsync("publish /srv/refused", "DURE0952", "broken.conf");
        await lab.GoodAsync("edge", "rm /etc/nginx/conf.d/broken.conf; mv /usr/sbin/nginx /usr/sbin/nginx.away");
        await RefusedAsync("publish /srv/refused", "DURE0950", "no nginx");
        await lab.GoodAsync("edge", "mv /usr/sbin/nginx.away /usr/sbin/nginx");
        await HostKeyAsync();
        await UserAsync();
        Assert.Equal("", await lab.GoodAsync("edge", "find /etc/dure /etc/nginx -name '*.dure-*'"));
        Assert.Equal("good", await lab.TextAsync(lab.Url("refused")));
        Assert.Single((await lab.DureAsync("apps status refused"))["versions"]!.AsArray(), version => (string?)version!["state"] == "live");

        // The edge does not answer: what is to go goes when it is back.
        await lab.HangUpAsync();
        await lab.GoodAsync("edge", "systemctl stop ssh ssh.socket 2>/dev/null; systemctl stop ssh");
        await RefusedAsync("publish /srv/refused", "DURE0804", "refused");
        await RefusedAsync("apps unpublish refused --yes", "DURE0804", "refused");
        Assert.Equal("removing", (string?)(await lab.DureAsync("apps status refused"))["state"]);
        await RefusedAsync("publish /srv/refused", "DURE0916", "unpublished");
        await lab.GoodAsync("edge", "systemctl start ssh");
        await lab.GoodAsync("gpu", "dure apps unpublish refused --yes");
        await lab.NothingIsLeftAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task What_is_cut_off_by_a_killed_server_at_any_step_is_finished_or_leaves_nothing()
    {
        lab.OrSkip();
        var (data, units, snippet) = (lab.Inside("gpu", "/var/lib/dure/apps/cut"), lab.Inside("gpu", "/etc/systemd/system"), lab.Inside("edge", "/etc/dure/nginx.d/cut.conf"));
        bool Shown(int number) => Text(snippet).Contains($"cut@{number}", StringComparison.Ordinal);
        Func<int, bool>[] steps =
        [
            number => Directory.Exists(Path.Combine(data, $"{number}")),
            number => File.Exists(Path.Combine(units, $"paper-cut@{number}.service")),
            Shown,
        ];
        // A first version, cut off at each step, then taken away.
        for (var step = 0; step < steps.Length; step++)
        {
            lab.Write("cut", $"first{step}");
            await lab.CutAsync("publish /srv/cut", () => steps[step](1));
            var (code, text) = await lab.ShellAsync("gpu", "dure apps unpublish cut --yes");
            Assert.True(code == 0 || text.Contains("DURE0900", StringComparison.Ordinal), text);
            await lab.NothingIsLeftAsync();
        }

        lab.Write("cut", "before");
        var version = (int)(await lab.DureAsync("publish /srv/cut"))["version"]!;
        using (var load = new Load(lab.Url("cut")))
        {
            for (var step = 0; step < steps.Length; step++)
            {
                lab.Write("cut", $"next{step}");
                var next = version + 1;
                await lab.CutAsync("publish /srv/cut", () => steps[step](next));
                version = (int)(await lab.DureAsync("publish /srv/cut"))["version"]!;
                Assert.Equal($"next{step}", await lab.TextAsync(lab.Url("cut")));
            }

            await load.EndAsync();
        }

        Assert.True((bool)(await lab.DureAsync("apps doctor cut"))["ok"]!);
        await lab.CutAsync("apps unpublish cut --yes", () => !File.Exists(snippet));
        var gone = await lab.ShellAsync("gpu", "dure apps unpublish cut --yes");
        Assert.True(gone.Code == 0 || gone.Text.Contains("DURE0900", StringComparison.Ordinal), gone.Text);
        await lab.NothingIsLeftAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task An_app_that_sleeps_is_woken_through_the_edge_and_nobody_is_refused()
    {
        lab.OrSkip();
        var url = lab.Url("sleepy");
        lab.Write("sleepy", "one", "sleep_after: 5s\n");
        await lab.DureAsync("publish /srv/sleepy");
        // Short visits keep it awake as well.
        for (var visit = 0; visit < 8; visit++)
        {
            await Task.Delay(1000, Cancel);
            Assert.Equal("one", await lab.TextAsync(url));
            Assert.Equal("live", (string?)(await lab.DureAsync("apps status sleepy"))["state"]);
        }

        await AsleepAsync();
        Assert.True((bool)(await lab.DureAsync("apps doctor sleepy"))["ok"]!);
        Assert.Equal("asleep", (string?)(await lab.DureAsync("apps status sleepy"))["state"]);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        using var body = new ByteArrayContent(new byte[300_000]);
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.Zero });
        var socket = OneMachine.OpenSocketAsync(url, Cancel);
        var post = http.PostAsync(new Uri(url), body, Cancel);
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => lab.TextAsync(url))), text => Assert.Equal("one", text));
        Assert.Equal("300000", await (await post).Content.ReadAsStringAsync(Cancel));
        using (var open = await socket)
        {
            TestContext.Current.SendDiagnosticMessage($"woken through the edge in {clock.ElapsedMilliseconds} ms");
            Assert.Equal("one:hello", await OneMachine.EchoAsync(open, "hello", Cancel));
        }

        // A machine that boots leaves asleep what was.
        await AsleepAsync();
        ApplyLab.Value(await lab.Lab.RebootAsync("gpu", Cancel));
        await lab.ServerIsUpAsync();
        Assert.Equal("asleep", (string?)(await lab.DureAsync("apps status sleepy"))["state"]);
        Assert.Equal("one", await lab.TextAsync(url));
        await lab.GoodAsync("gpu", "dure apps unpublish sleepy --yes");
        await lab.NothingIsLeftAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task Behind_a_home_router_a_tunnel_leads_from_the_edge_to_the_app_and_stays_up()
    {
        lab.OrSkip();
        await lab.MoveAppsAsync("127.0.0.1");
        // What reaches gpu from the edge now is what came through the tunnel.
        await lab.GoodAsync("gpu", $"nft add table inet router; nft add chain inet router input '{{ type filter hook input priority 0; }}'; nft add rule inet router input ip saddr {lab.Edge} tcp flags '& (syn|ack) == syn' drop");
        lab.Write("home", "one");
        await RefusedAsync("publish /srv/home", "DURE0953", "doctor");
        await lab.GoodAsync("gpu", "dure apps link");
        await lab.DureAsync("publish /srv/home");
        Assert.Equal("one", await lab.TextAsync(lab.Url("home")));
        Assert.True((bool)(await lab.DureAsync("apps doctor home"))["ok"]!);
        using (var socket = await OneMachine.OpenSocketAsync(lab.Url("home"), Cancel))
            Assert.Equal("one:hello", await OneMachine.EchoAsync(socket, "hello", Cancel));

        // It is cut off, and comes back by itself.
        await lab.GoodAsync("edge", "pkill -9 -u dure-tunnel");
        Assert.Equal("one", await lab.UntilAsync(lab.Url("home")));
        Assert.NotEqual(0, (await lab.ShellAsync("gpu", $"ssh -i /etc/dure/tunnel_ed25519 -o IdentitiesOnly=yes -o BatchMode=yes dure-tunnel@{lab.Edge} id")).Code);
        await lab.GoodAsync("gpu", "dure apps unpublish home --yes; dure apps link --remove; nft delete table inet router");
        await lab.MoveAppsAsync(lab.Address("gpu"));
        Assert.Equal("", await lab.GoodAsync("edge", "getent passwd dure-tunnel; ls -d /var/lib/dure-tunnel 2>/dev/null || :"));
        Assert.Equal("", await lab.GoodAsync("gpu", "ls /etc/dure /etc/systemd/system | grep tunnel || :"));
        await lab.NothingIsLeftAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task A_browser_moves_a_slider_of_a_paper_through_the_edge()
    {
        lab.OrSkip();
        Assert.SkipUnless(PortalFixture.Chromium is not null, "Chromium is not installed.");
        lab.Write("slider", "one");
        await File.WriteAllTextAsync(lab.Inside("gpu", "/srv/slider/page.html"), SliderPage, Cancel);
        await lab.DureAsync("publish /srv/slider");
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await PortalFixture.LaunchAsync(playwright, PortalFixture.Chromium!);
        var page = await browser.NewPageAsync();
        await page.GotoAsync(lab.Url("slider"));
        await page.GetByText("one:30").WaitForAsync();
        await page.GetByRole(AriaRole.Slider).FocusAsync();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await page.Keyboard.PressAsync("ArrowRight");
        await page.GetByText("one:31").WaitForAsync();
        TestContext.Current.SendDiagnosticMessage($"moved through the edge in {clock.ElapsedMilliseconds} ms");
        await lab.GoodAsync("gpu", "dure apps unpublish slider --yes");
        await lab.NothingIsLeftAsync();
    }

    private Task AsleepAsync() => Processes.RunningDure.UntilAsync(() => lab.DureAsync("apps status sleepy"), app => (string?)app["state"] == "asleep", Cancel);

    private async Task HostKeyAsync()
    {
        // gpu's own key stands where that of edge should: somebody else answers at its address.
        var known = lab.Inside("gpu", "/root/.ssh/known_hosts");
        var right = await File.ReadAllTextAsync(known, Cancel);
        var keys = right.Split('\n').Where(line => line.Length > 0).ToDictionary(line => line.Split(',')[0], line => line.Split(' ')[2], StringComparer.Ordinal);
        await File.WriteAllTextAsync(known, right.Replace(keys["edge"], keys["gpu"], StringComparison.Ordinal), Cancel);
        await lab.HangUpAsync();
        await RefusedAsync("publish /srv/refused", "DURE0804", "erification failed");
        await File.WriteAllTextAsync(known, right, Cancel);
    }

    private async Task UserAsync()
    {
        await lab.GoodAsync("edge", "useradd -m plain && install -d -m 700 -o plain ~plain/.ssh && install -m 600 -o plain /root/.ssh/authorized_keys ~plain/.ssh/");
        await lab.EdgeAsAsync("plain");
        await RefusedAsync("publish /srv/refused", "DURE0806", "sudo");
        await lab.EdgeAsAsync("root");
    }

    private async Task RefusedAsync(string words, string id, string says)
    {
        var (code, text) = await lab.ShellAsync("gpu", "dure " + words);
        Assert.True(code != 0 && text.Contains(id, StringComparison.Ordinal) && text.Contains(says, StringComparison.Ordinal), $"dure {words}: {code} {text}");
    }

    private static string Text(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return "";
        }
    }
}
