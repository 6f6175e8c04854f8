using System.Diagnostics;
using Dure.Host;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Fleet.Apply;

/// <summary>A change that cuts the machine off undoes itself.</summary>
[Collection(ApplyLabs.Name)]
public sealed class GuardTest(ApplyLab lab)
{
    // Nobody is in that network, so nobody signs in.
    private const string LocksOut = "  management: {range: 192.0.2.0/24}\n";
    private const string Rules = "nft list chain inet dure input | sed 's/packets.*//' | sha256sum; sha256sum /etc/dure/firewall.nft; systemctl is-active dure-firewall.service";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_rule_that_drops_port_22_is_taken_back_unaided()
    {
        await lab.ResetAsync();
        lab.Fleet("firewall", "firewall");
        var opened = await lab.GoodAsync("apply", "--yes");
        Assert.Contains("[undoes itself if it cuts the machine off]", opened.Output, StringComparison.Ordinal);
        var before = (await lab.ShellAsync("n1", Rules)).Text;
        Assert.True(await SignsInAsync("n1"));

        LockOut();
        var applying = lab.DureAsync("apply", "--yes", "--machine", "n1", "--format", "json");
        Assert.True(await LockedOutAsync("n1"), "The rule did not land: the test would show nothing.");
        var cut = await applying;
        Assert.Equal(ExitCodes.Failed, cut.Code);
        Assert.Contains("DURE0809", cut.Error, StringComparison.Ordinal);
        Assert.Equal("DURE0809", (string)cut.Json["machines"]![0]!["error_id"]!);
        Assert.True(await SignsInAsync("n1"));
        await AsBeforeAsync(before);
        Assert.Equal("", (await lab.ShellAsync("n1", Overlays.Left)).Text);

        lab.Fleet("firewall", "firewall");
        Assert.Contains("nothing to do", (await lab.GoodAsync("plan", "--exit-code")).Output, StringComparison.Ordinal);
        await lab.ResetAsync();
        Assert.NotEqual(0, (await lab.ShellAsync("n1", "nft list table inet dure")).Code);
    }

    [Fact]
    public async Task It_is_taken_back_even_when_who_applied_it_is_gone_and_the_next_apply_waits_for_that()
    {
        var (process, before) = await LockingOutAsync();
        using var _ = process;
        await KillAsync(process);

        // Over the connection that is still open, the file would look as it should.
        lab.Fleet("firewall", "firewall");
        await lab.GoodAsync("apply", "--yes");
        Assert.True(await SignsInAsync("n1"));
        await AsBeforeAsync(before);
        Assert.Equal("", (await lab.ShellAsync("n1", Overlays.Left)).Text);
    }

    [Fact]
    public async Task It_is_taken_back_when_the_machine_loses_its_power_before_anybody_confirms_it()
    {
        var (process, before) = await LockingOutAsync();
        using var _ = process;
        ApplyLab.Value(await lab.Lab.PowerCutAsync("n1", Cancel));
        await KillAsync(process);
        ApplyLab.Value(await lab.Lab.BootAsync("n1", Cancel));

        for (var began = Stopwatch.GetTimestamp(); !await SignsInAsync("n1");)
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(20), "Nobody gets in any more.");
        await AsBeforeAsync(before);
        lab.Fleet("firewall", "firewall");
        await lab.GoodAsync("apply", "--yes");
        Assert.Equal("", (await lab.ShellAsync("n1", Overlays.Left + "; ls /etc/systemd/system | grep dure-undo")).Text);
    }

    // An apply that waits to be confirmed, with all that it started in a group of its own, and the rules before it.
    private async Task<(Process Applying, string Before)> LockingOutAsync()
    {
        await lab.ResetAsync();
        lab.Fleet("firewall", "firewall");
        await lab.GoodAsync("apply", "--yes");
        var before = (await lab.ShellAsync("n1", Rules)).Text;
        LockOut();
        var process = Process.Start(lab.Start(["apply", "--yes", "--machine", "n1"], "setsid"))!;
        Assert.True(await LockedOutAsync("n1"));
        return (process, before);
    }

    private static async Task KillAsync(Process leader)
    {
        await Child.RunAsync(Cancel, "kill", "-9", "--", $"-{leader.Id}");
        await leader.WaitForExitAsync(Cancel);
    }

    private void LockOut()
    {
        var path = Path.Combine(lab.Folder, "dure.yaml");
        File.WriteAllText(path, File.ReadAllText(path).Replace("machines:\n", LocksOut + "machines:\n", StringComparison.Ordinal));
    }

    // The unit that loads the rules again may still be at it.
    private async Task AsBeforeAsync(string before)
    {
        var now = "";
        for (var i = 0; i < 50 && (now = (await lab.ShellAsync("n1", Rules)).Text) != before; i++)
            await Task.Delay(100, Cancel);
        Assert.Equal(before, now);
    }

    private async Task<bool> SignsInAsync(string machine) =>
        (await Child.RunAsync(Cancel, "ssh", "-F", lab.SshConfig, "-o", "ControlPath=none", "-o", "ConnectTimeout=2", machine, "true")).Code == 0;

    private async Task<bool> LockedOutAsync(string machine)
    {
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(30);)
        {
            var rules = (await lab.ShellAsync(machine, "nft list chain inet dure input")).Text;
            if (rules.Contains("192.0.2.0", StringComparison.Ordinal) && !await SignsInAsync(machine))
                return true;
            await Task.Delay(50, Cancel);
        }

        return false;
    }
}
