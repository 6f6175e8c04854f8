using System.Diagnostics;
using System.Globalization;
using Dure.Host;
using Dure.Test.Fleet.Apply;
using Xunit;

namespace Dure.Test.Fleet.Upgrade;

/// <summary>Upgrades of a package on two real machines: one that is good, one whose service dies, one without a way back, and one that is cut short.</summary>
[Collection(UpgradeLabs.Name)]
public sealed class UpgradeTest(ApplyLab lab)
{
    /// <summary>What a machine shows of the probe, and of anything that an upgrade must not leave behind.</summary>
    private const string Show =
        """
        dpkg-query -W -f '${Version} ${db:Status-Status}\n' dure-probe; systemctl is-active probe.service; apt-mark showauto dure-probe
        ls /etc/systemd/system/dure-upgrade-back.service /etc/systemd/system/multi-user.target.wants/dure-upgrade-back.service 2>/dev/null
        systemctl list-units --all --no-legend --plain 'dure-upgrade-*'
        dpkg --audit; flock -n /var/lib/dure-fleet/lock true || echo 'the lock is held'
        """;

    [Fact]
    public async Task Good_packages_roll_through_bad_ones_return_and_the_rest_is_not_begun()
    {
        await Probe.PrepareAsync(lab, "overlay, munge");
        Assert.Contains("nothing to upgrade", (await lab.GoodAsync("upgrade")).Output, StringComparison.Ordinal);

        await Probe.PublishAsync(lab, "2", Probe.Good);
        var offer = (await lab.GoodAsync("upgrade", "--format", "json")).Json;
        Assert.Equal(["n1", "n2"], offer["order"]!.AsArray().Select(name => (string)name!));
        var offered = offer["machines"]![0]!["packages"]!.AsArray().Single(package => (string)package!["name"]! == "dure-probe")!;
        Assert.Equal(("1", "2"), ((string)offered["installed"]!, (string)offered["candidate"]!));
        Assert.Contains("dure-probe  1 → 2", (await lab.GoodAsync("upgrade", "--packages", "--dry-run")).Output, StringComparison.Ordinal);
        Assert.Equal("1 installed\nactive", (await lab.ShellAsync("n1", Show)).Text);

        var done = (await lab.GoodAsync("upgrade", "--packages", "dure-probe", "--yes", "--format", "json")).Json;
        Assert.All(done["machines"]!.AsArray(), machine => Assert.Equal("upgraded", (string)machine!["end"]!));
        Assert.Equal("1 → 2", (string)done["machines"]![0]!["changes"]![0]!["why"]!);
        foreach (var machine in Probe.Machines)
            Assert.Equal("2 installed\nactive", (await lab.ShellAsync(machine, Show)).Text);
        Assert.True(await StartedAsync("n1") + 2 <= await StartedAsync("n2"), "n2 did not wait until n1 was steady");
        Assert.Contains("~ package dure-probe  (1 → 2)", (await lab.GoodAsync("history", (string)done["id"]!)).Output, StringComparison.Ordinal);

        await Probe.PublishAsync(lab, "3", "sleep 0.5; echo no luck today; exit 7");
        var before = await StartedAsync("n2");
        var bad = await lab.DureAsync("upgrade", "--packages", "dure-probe", "--yes");
        Assert.Equal(ExitCodes.Failed, bad.Code);
        foreach (var said in new[] { "DURE0818", "probe.service does not stay up", "no luck today", "It runs the old versions again" })
            Assert.Contains(said, bad.Error, StringComparison.Ordinal);
        Assert.Contains("n1: runs the old version again\nn2: not begun, as it was\n", bad.Output, StringComparison.Ordinal);
        foreach (var machine in Probe.Machines)
            Assert.Equal("2 installed\nactive", (await lab.ShellAsync(machine, Show)).Text);
        Assert.Equal(before, await StartedAsync("n2"));
        // What was upgraded is as applied.
        Assert.Contains("nothing to do", (await lab.GoodAsync("apply", "--yes")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_way_back_nothing_is_changed_unless_that_is_said_and_who_is_cut_short_comes_to_an_end()
    {
        await Probe.PrepareAsync(lab, "overlay, munge");
        await Probe.PublishAsync(lab, "2", Probe.Good, postinst: "sleep 2", forget: "1");
        var refused = await lab.DureAsync("upgrade", "--packages", "dure-probe", "--yes");
        Assert.Equal(ExitCodes.Conflict, refused.Code);
        Assert.Contains("DURE0817", refused.Error, StringComparison.Ordinal);
        Assert.Contains("nobody has dure-probe=1 any more", refused.Error, StringComparison.Ordinal);
        Assert.Equal("1 installed\nactive", (await lab.ShellAsync("n1", Show)).Text);

        // Whoever is not well anywhere stops it before it begins.
        await lab.ShellAsync("n2", "systemctl stop munge");
        var unwell = await lab.DureAsync("upgrade", "--packages", "dure-probe", "--machine", "n1", "--yes");
        await lab.ShellAsync("n2", "systemctl start munge");
        Assert.Equal(ExitCodes.Unavailable, unwell.Code);
        Assert.Contains("n2: munge signs and reads is not so", unwell.Error, StringComparison.Ordinal);
        Assert.Contains("n1: not begun", unwell.Output, StringComparison.Ordinal);

        // The one who upgrades is gone in the middle: the machine ends it alone, and the next is not begun.
        await CutAsync("--no-way-back", process => { process.Kill(entireProcessTree: true); return Task.CompletedTask; });
        await EndsAsync("n1", "2 installed\nactive");
        Assert.Equal("1 installed\nactive", (await lab.ShellAsync("n2", Show)).Text);

        // The upgrade itself is killed on the machine: its unit returns. A power cut: the next start does.
        await Probe.PublishAsync(lab, "3", Probe.Good, postinst: "sleep 2");
        await CutAsync("--quiet", _ => lab.ShellAsync("n1", "systemctl kill -s KILL 'dure-upgrade-*-run.service'"));
        await EndsAsync("n1", "2 installed\nactive");
        await CutAsync("--quiet", async _ =>
        {
            await lab.Lab.PowerCutAsync("n1", TestContext.Current.CancellationToken);
            ApplyLab.Value(await lab.Lab.BootAsync("n1", TestContext.Current.CancellationToken));
        });
        await EndsAsync("n1", "2 installed\nactive");
    }

    /// <summary>When the probe was started, seconds of the machine's clock, which is this host's.</summary>
    private async Task<double> StartedAsync(string machine) =>
        double.Parse((await lab.ShellAsync(machine, "systemctl show -p ActiveEnterTimestampMonotonic --value probe.service")).Text, CultureInfo.InvariantCulture) / 1e6;

    /// <summary>Begins an upgrade and does something to it while n1 installs.</summary>
    private async Task CutAsync(string more, Func<Process, Task> cut)
    {
        using var process = Process.Start(lab.Start(["upgrade", "--packages", "dure-probe", "--yes", more]))!;
        process.StandardInput.Close();
        var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        for (var i = 0; i < 200 && (await lab.ShellAsync("n1", "pgrep -f 'dure-probe[.]postinst'")).Code != 0; i++)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        await cut(process);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        await said;
        Assert.NotEqual(0, process.ExitCode);
    }

    private async Task EndsAsync(string machine, string wanted)
    {
        var shown = "";
        for (var i = 0; i < 100 && shown != wanted; i++)
        {
            shown = (await lab.ShellAsync(machine, Show)).Text;
            await Task.Delay(300, TestContext.Current.CancellationToken);
        }

        Assert.True(shown == wanted, $"{machine}:\n{shown}\n{(await lab.ShellAsync(machine, "cat /var/lib/dure-fleet/upgrades/*/told /var/lib/dure-fleet/upgrades/*/back.log")).Text}");
    }
}
