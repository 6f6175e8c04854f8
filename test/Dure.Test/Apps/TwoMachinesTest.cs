using Xunit;

namespace Dure.Test.Apps;

/// <summary>From the machine with the GPU through the machine with the public address, both real.</summary>
public sealed class TwoMachinesTest(EdgeLab lab) : IClassFixture<EdgeLab>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_paper_is_published_through_the_edge_replaced_under_load_survives_reboots_and_leaves_nothing()
    {
        if (lab.Why is { } why)
            Assert.Skip(why);
        var url = $"http://{lab.Edge}/papers/paper/";
        lab.Write("paper", "one");
        Assert.Equal(url, (string?)(await lab.DureAsync("publish /srv/paper"))["url"]);
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });
        Assert.Equal("one", await http.GetStringAsync(new Uri(url), Cancel));
        Assert.Contains($"\"X-Forwarded-For\": \"{lab.Edge[..lab.Edge.LastIndexOf('.')]}.254\"", await http.GetStringAsync(new Uri(url + "headers"), Cancel), StringComparison.Ordinal);

        using var socket = await OneMachine.OpenSocketAsync(url, Cancel);
        using (var load = new Load(url))
        {
            lab.Write("paper", "two");
            Assert.Equal(2, (int)(await lab.DureAsync("publish /srv/paper"))["version"]!);
            Assert.Equal("two", await http.GetStringAsync(new Uri(url), Cancel));
            Assert.Equal("one:still", await OneMachine.EchoAsync(socket, "still", Cancel));
            Assert.Equal(1, (int)(await lab.DureAsync("apps rollback paper"))["version"]!);
            Assert.Equal("one", await http.GetStringAsync(new Uri(url), Cancel));
            TestContext.Current.SendDiagnosticMessage($"{await load.EndAsync()} requests during a publish and a rollback");
        }

        await RefusalsAsync();
        Assert.Equal("one", await http.GetStringAsync(new Uri(url), Cancel));
        await lab.GoodAsync("gpu", "kill -9 $(systemctl show paper-paper@1 -p MainPID --value)");
        Assert.Equal("one", await UntilAsync(http, url));
        Assert.Equal(1, (int)(await lab.DureAsync("apps status paper"))["service"]!["restarts"]!);
        Assert.True((bool)(await lab.DureAsync("apps doctor paper"))["ok"]!);

        foreach (var machine in new[] { "gpu", "edge" })
        {
            Dure.Test.Fleet.Apply.ApplyLab.Value(await lab.Lab.RebootAsync(machine, Cancel));
            Assert.Equal("one", await UntilAsync(http, url));
        }

        await lab.GoodAsync("gpu", "for i in $(seq 100); do dure status >/dev/null 2>&1 && break; sleep 0.3; done; dure apps unpublish paper --yes");
        Assert.Equal("the lab's own page\n", await http.GetStringAsync(new Uri(url), Cancel));
        Assert.Equal("", await lab.GoodAsync("edge", "find /etc /run /var/cache -name '*dure*' ! -path '/etc/dure' ! -name dure-edge.lock"));
        Assert.Equal("", await lab.GoodAsync("gpu", "find /etc/systemd /var/lib/dure/apps /var/lib/private /var/lib/dure-apps 2>/dev/null | grep -E 'paper|dure-apps' || :; systemctl list-units --all --no-legend 'paper-*'"));
    }

    /// <summary>What cannot be published, and what was live stays so.</summary>
    private async Task RefusalsAsync()
    {
        async Task RefusedAsync(string words, string id, string says)
        {
            var (code, text) = await lab.ShellAsync("gpu", "dure " + words);
            Assert.True(code != 0 && text.Contains(id, StringComparison.Ordinal) && text.Contains(says, StringComparison.Ordinal), $"dure {words}: {code} {text}");
        }

        lab.Write("foreign", "x");
        await RefusedAsync("publish /srv/foreign", "DURE0951", "/etc/nginx/sites-enabled/default");
        lab.Write("paper", "crash");
        await RefusedAsync("publish /srv/paper", "DURE0910", "no luck today");
        // The configuration of others is broken: ours is not written into it.
        lab.Write("paper", "three");
        await lab.GoodAsync("edge", "echo 'nonsense' >/etc/nginx/conf.d/broken.conf");
        await RefusedAsync("publish /srv/paper", "DURE0952", "broken.conf");
        await lab.GoodAsync("edge", "rm /etc/nginx/conf.d/broken.conf");
        await lab.GoodAsync("edge", "mv /usr/sbin/nginx /usr/sbin/nginx.away");
        await RefusedAsync("publish /srv/paper", "DURE0950", "no nginx");
        await lab.GoodAsync("edge", "mv /usr/sbin/nginx.away /usr/sbin/nginx");
        await lab.GoodAsync("gpu", "cp /root/.ssh/known_hosts /root/.ssh/kept; sed -i \"s/^\\(\\S* ssh-ed25519 \\).*/\\1$(cut -d ' ' -f 2 /root/.ssh/id_ed25519.pub 2>/dev/null || ssh-keygen -y -f /root/.ssh/id_ed25519 | cut -d ' ' -f 2)/\" /root/.ssh/known_hosts; for s in /root/.ssh/dure/*; do ssh -O exit -o ControlPath=$s any 2>/dev/null; done; :");
        await RefusedAsync("publish /srv/paper", "DURE0804", "erification failed");
        await lab.GoodAsync("gpu", "mv /root/.ssh/kept /root/.ssh/known_hosts");
        Assert.Equal("", await lab.GoodAsync("edge", "find /etc/dure /etc/nginx -name '*.dure-*'"));
        Assert.Single((await lab.DureAsync("apps status paper"))["versions"]!.AsArray(), version => (string?)version!["state"] == "live");
    }

    private static async Task<string> UntilAsync(HttpClient http, string url)
    {
        while (true)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri(url), Cancel);
                if (answer.IsSuccessStatusCode)
                    return await answer.Content.ReadAsStringAsync(Cancel);
            }
            catch (HttpRequestException)
            {
                // Not yet.
            }

            await Task.Delay(200, Cancel);
        }
    }
}
