using Dure.Host;
using Dure.Test.Fleet.Apply;
using Xunit;

namespace Dure.Test.Fleet.Upgrade;

/// <summary>Upgrades of web machines behind balancers, while a client asks without a pause.</summary>
[Collection(UpgradeLabs.Name)]
public sealed class UpgradeWebTest(ApplyLab lab)
{
    /// <summary>The new version takes nginx away for a while: whoever is asked meanwhile must be the other machine.</summary>
    private const string Pauses = "systemctl stop nginx; sleep 2; systemctl start nginx";

    /// <summary>The new version is well at first.</summary>
    private const string DiesLater = "systemd-run --quiet --on-active=5s --timer-property=AccuracySec=100ms systemctl stop nginx";

    [Fact]
    public async Task Requests_go_on_while_halves_are_switched_and_a_half_that_becomes_unwell_is_switched_back()
    {
        var vip = lab.Address("n1")[..lab.Address("n1").LastIndexOf('.')] + ".100";
        await Probe.PrepareAsync(lab, "balancer, web, overlay", vip);
        await lab.ShellAsync("n2", $"rm -f /run/codes; : >/run/asks; setsid sh -c 'while [ -e /run/asks ]; do curl -s -o /dev/null -w \"%{{http_code}}\\n\" --max-time 5 http://{vip}/health >>/run/codes; sleep 0.05; done' >/dev/null 2>&1 </dev/null &");

        await Probe.PublishAsync(lab, "2", Probe.Good, Pauses);
        var rolled = await lab.GoodAsync("upgrade", "--packages", "dure-probe", "--yes");
        foreach (var machine in Probe.Machines)
            Assert.Contains($"{machine}: no new requests", rolled.Error, StringComparison.Ordinal);
        await ServeAsync("2", "2");

        await Probe.PublishAsync(lab, "3", Probe.Good, Pauses);
        var halves = await lab.GoodAsync("upgrade", "--packages", "dure-probe", "--blue-green", "--watch", "2s", "--yes");
        Assert.Contains("2 machines of 2 upgraded", halves.Output, StringComparison.Ordinal);
        await ServeAsync("3", "3");
        Assert.Equal("200", (await lab.ShellAsync("n2", "sort -u /run/codes")).Text);

        await Probe.PublishAsync(lab, "4", Probe.Good, DiesLater);
        var bad = await lab.DureAsync("upgrade", "--packages", "dure-probe", "--blue-green", "--watch", "12s", "--yes");
        Assert.True(bad.Code == ExitCodes.Failed, bad.All);
        Assert.Contains("DURE0818", bad.Error, StringComparison.Ordinal);
        Assert.Contains("gets no requests any more", bad.Error, StringComparison.Ordinal);
        Assert.Contains("not begun, as it was", bad.Output, StringComparison.Ordinal);
        await ServeAsync("3", "3");
        await lab.ShellAsync("n2", "rm -f /run/asks");
        TestContext.Current.SendDiagnosticMessage($"answers: {(await lab.ShellAsync("n2", "sort /run/codes | uniq -c")).Text}");
        await lab.ResetAsync();
    }

    /// <summary>Both run these versions, nginx answers on both, and every balancer sends requests to both.</summary>
    private async Task ServeAsync(params string[] versions)
    {
        foreach (var (machine, version) in Probe.Machines.Zip(versions))
        {
            Assert.Equal($"{version} active active", (await lab.ShellAsync(machine, "echo $(dpkg-query -W -f '${Version}' dure-probe) $(systemctl is-active nginx probe)")).Text);
            Assert.Equal("UP UP UP UP", (await lab.ShellAsync(machine, "for i in 1 2 3 4 5 6 7 8 9 10; do s=$(echo $(curl -s 'http://127.0.0.1:8404/;csv' | awk -F , '$1 ~ /^web/ && $2 ~ /^n/ { print $18 }')); [ \"$s\" = 'UP UP UP UP' ] && break; sleep 0.5; done; echo $s")).Text);
            Assert.Equal("", (await lab.ShellAsync(machine, "systemctl list-units --no-legend --plain --state=active 'dure-undrain-*'")).Text);
        }
    }
}
