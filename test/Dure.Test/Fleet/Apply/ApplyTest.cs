using System.Text.Json.Nodes;
using Dure.Host;
using Xunit;

namespace Dure.Test.Fleet.Apply;

/// <summary>Applies of the role overlay on real machines.</summary>
[Collection(ApplyLabs.Name)]
public sealed class ApplyTest(ApplyLab lab)
{
    [Fact]
    public async Task Applying_twice_changes_nothing()
    {
        await lab.ResetAsync();
        Overlays.A(lab);
        Assert.Equal(ExitCodes.Failed, (await lab.DureAsync("plan", "--exit-code")).Code);
        var first = await lab.GoodAsync("apply", "--yes");
        Assert.Contains("2 machines changed", first.Output, StringComparison.Ordinal);
        foreach (var machine in new[] { "n1", "n2" })
            Assert.Equal(Overlays.ShownA(machine), (await lab.ShellAsync(machine, Overlays.Show)).Text);
        var before = await SignsAsync();

        var second = await lab.GoodAsync("apply", "--yes");
        Assert.Contains("2 machines: nothing to do.", second.Output, StringComparison.Ordinal);
        Assert.Equal(before, await SignsAsync());
        var plan = (await lab.GoodAsync("plan", "--exit-code", "--format", "json")).Json;
        Assert.Equal(("test", 0, 2), ((string)plan["fleet"]!, (int)plan["changes"]!, plan["machines"]!.AsArray().Count));
        Assert.Equal("debian-12", (string)plan["machines"]![0]!["facts"]!["os"]!);
        Assert.Equal("", (await lab.ShellAsync("n1", Overlays.Left)).Text);

        // The signs do move when something is done.
        await lab.ShellAsync("n1", "systemctl restart one.service");
        Assert.NotEqual(before, await SignsAsync());
    }

    [Fact]
    public async Task A_change_by_hand_is_drift_and_is_put_back_and_a_change_in_the_file_is_none()
    {
        await lab.ResetAsync();
        Overlays.A(lab);
        await lab.GoodAsync("apply", "--yes");
        Assert.Contains("2 machines: as applied.", (await lab.GoodAsync("drift")).Output, StringComparison.Ordinal);
        Overlays.B(lab);
        await lab.GoodAsync("drift");
        Overlays.A(lab);

        await lab.ShellAsync("n2", $"echo by hand >>{Overlays.Config}; chmod 600 /etc/motd; systemctl stop one.service");
        var drift = await lab.DureAsync("drift", "--format", "json");
        Assert.Equal(ExitCodes.Failed, drift.Code);
        Assert.Empty(drift.Json["machines"]![0]!["changes"]!.AsArray());
        var changes = drift.Json["machines"]![1]!["changes"]!.AsArray();
        Assert.Equal(["~ file /etc/dure-test/one.conf", "~ file /etc/motd", "+ start one.service"], changes.Select(change => $"{change!["sign"]} {change["what"]}"));
        Assert.All(changes, change => Assert.True((bool)change!["drift"]!));
        Assert.Contains("-by hand\n", (string)changes[0]!["diff"]!, StringComparison.Ordinal);
        Assert.Equal(("WriteFile", "overlay"), ((string)changes[0]!["kind"]!, (string)changes[0]!["role"]!));

        Assert.Contains("1 machine changed", (await lab.GoodAsync("apply", "--yes")).Output, StringComparison.Ordinal);
        Assert.Equal(Overlays.ShownA("n2"), (await lab.ShellAsync("n2", Overlays.Show)).Text);
        await lab.GoodAsync("drift");
    }

    [Fact]
    public async Task A_unit_that_does_not_start_undoes_what_was_replaced_on_its_machine()
    {
        await lab.ResetAsync();
        Overlays.A(lab);
        await lab.GoodAsync("apply", "--yes");
        var manifest = (await lab.ShellAsync("n1", "cat /var/lib/dure-fleet/manifest")).Text;
        Overlays.B(lab);
        lab.Files("overlay/n1/etc/systemd/system/two.service", Overlays.Service("/bin/sh -c 'echo no luck today; sleep 0.1; exit 7'"));
        var failed = await lab.DureAsync("apply", "--yes", "--format", "json");
        Assert.Equal(ExitCodes.Failed, failed.Code);
        Assert.Contains("DURE0808", failed.Error, StringComparison.Ordinal);
        Assert.Contains("no luck today", failed.Error, StringComparison.Ordinal);
        var machine = failed.Json["machines"]![0]!;
        Assert.Equal(("failed", "DURE0808", false), ((string)machine["end"]!, (string)machine["error_id"]!, (bool)failed.Json["ok"]!));
        Assert.InRange((int)machine["done"]!, 1, (int)machine["of"]! - 1);
        Assert.Equal(Overlays.ShownA("n1"), (await lab.ShellAsync("n1", Overlays.Show)).Text);
        Assert.Equal(manifest, (await lab.ShellAsync("n1", "cat /var/lib/dure-fleet/manifest")).Text);
        Assert.NotEqual("", (await lab.ShellAsync("n1", "systemctl cat two.service 2>&1 | grep -i 'no files'")).Text);
        // The other machine keeps what was applied to it.
        Assert.Equal(Overlays.ShownB, (await lab.ShellAsync("n2", Overlays.Show)).Text);

        File.Delete(Path.Combine(lab.Folder, "overlay/n1/etc/systemd/system/two.service"));
        await lab.GoodAsync("apply", "--yes");
        Assert.Equal(Overlays.ShownB, (await lab.ShellAsync("n1", Overlays.Show)).Text);
        Assert.Equal("", (await lab.ShellAsync("n1", Overlays.Left)).Text);
    }

    [Fact]
    public async Task A_role_that_goes_brings_back_what_was_there()
    {
        await lab.ResetAsync();
        await lab.ShellAsync("n1", "printf 'as it came\\n' >/etc/motd; chown 7:8 /etc/motd; chmod 640 /etc/motd; ln -sfn /nowhere /etc/dure-test-link; echo 10.9.9.9 printer >>/etc/hosts");
        Overlays.A(lab);
        lab.Files("overlay/all/etc/dure-test-link", "a file\n");
        await lab.GoodAsync("apply", "--yes");
        Overlays.B(lab);
        lab.Files("overlay/all/etc/dure-test-link", "another file\n");
        await lab.GoodAsync("apply", "--yes");
        Assert.Equal("another file", (await lab.ShellAsync("n1", "cat /etc/dure-test-link")).Text);

        lab.Fleet("", "");
        await lab.GoodAsync("apply", "--yes");
        Assert.Equal("as it came\n7:8 640 regular file\n/nowhere", (await lab.ShellAsync("n1", "cat /etc/motd; stat -c '%u:%g %a %F' /etc/motd; readlink /etc/dure-test-link")).Text);
        Assert.Equal("inactive\ninactive", (await lab.ShellAsync("n1", "ls /etc/dure-test/one.conf /etc/systemd/system/one.service 2>/dev/null; systemctl is-active one.service two.service")).Text);
        Assert.Equal("", (await lab.ShellAsync("n1", "dpkg-query -W -f '${db:Status-Status}\\n' psmisc 2>/dev/null | grep -x installed; ls /var/lib/dure-fleet/originals | grep -E 'motd|dure-test|one\\.service|two\\.service'; ls /var/lib/dure-fleet/units")).Text);
        var hosts = (await lab.ShellAsync("n1", "cat /etc/hosts")).Text;
        Assert.Contains("10.9.9.9 printer", hosts, StringComparison.Ordinal);
        Assert.Contains($"{lab.Address("n2")} n2", hosts, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_package_that_was_there_before_stays_when_its_role_goes()
    {
        await lab.ResetAsync();
        await lab.ShellAsync("n1", "apt-get -qq update; apt-get -qqy install psmisc");
        Overlays.A(lab);
        await lab.GoodAsync("apply", "--yes");
        await lab.ResetAsync();
        const string asked = "dpkg-query -W -f '${db:Status-Status}' psmisc 2>/dev/null | grep -x installed";
        Assert.Equal("installed", (await lab.ShellAsync("n1", asked)).Text);
        Assert.Equal("", (await lab.ShellAsync("n2", asked)).Text);
        await lab.ShellAsync("n1", "apt-get -qqy remove psmisc");
    }

    [Fact]
    public async Task Who_comes_while_another_applies_is_told_who_it_is_and_changes_nothing()
    {
        await lab.ResetAsync();
        Overlays.A(lab);
        await lab.ShellAsync("n1", "echo 'eve@desk since noon' >/var/lib/dure-fleet/holder; setsid sh -c 'echo $$ >/run/held; exec 9>>/var/lib/dure-fleet/lock; flock 9; exec sleep 1000' >/dev/null 2>&1 </dev/null & sleep 0.5");
        var refused = await lab.DureAsync("apply", "--yes", "--machine", "n1");
        Assert.Equal(ExitCodes.Conflict, refused.Code);
        Assert.Contains("DURE0807", refused.Error, StringComparison.Ordinal);
        Assert.Contains("eve@desk since noon", refused.Error, StringComparison.Ordinal);
        Assert.NotEqual("state A", (await lab.ShellAsync("n1", "cat /etc/motd")).Text);
        await lab.ShellAsync("n1", "kill $(cat /run/held)");
        await lab.GoodAsync("apply", "--yes", "--machine", "n1");
        Assert.Equal("state A", (await lab.ShellAsync("n1", "cat /etc/motd")).Text);
    }

    [Fact]
    public async Task Secrets_are_in_no_plan_no_record_no_history_and_no_summary_of_the_machine()
    {
        await lab.ResetAsync();
        lab.Fleet("munge", "munge");
        var said = new List<string> { (await lab.GoodAsync("plan")).All, (await lab.GoodAsync("plan", "--format", "json")).All, (await lab.GoodAsync("apply", "--yes")).All };
        await lab.ShellAsync("n1", "echo by-hand >/etc/munge/munge.key; cat /etc/munge/munge.key");
        said.Add((await lab.DureAsync("drift")).All);
        said.Add((await lab.DureAsync("drift", "--format", "json")).All);
        said.Add((await lab.GoodAsync("apply", "--yes", "--format", "json")).All);
        var history = (await lab.GoodAsync("history", "--format", "json")).Json.AsArray();
        said.Add(history.ToJsonString());
        said.Add((await lab.GoodAsync("history", (string)history[^1]!["id"]!)).All);
        said.AddRange(Directory.GetFiles(lab.Records).Select(File.ReadAllText));
        said.Add((await lab.ShellAsync("n1", "cat /var/lib/dure-fleet/manifest /var/lib/dure-fleet/applies/*/summary /var/lib/dure-fleet/applies/*/log; journalctl -q --no-pager")).Text);
        lab.Fleet("", "");
        said.Add((await lab.GoodAsync("plan")).All);
        said.Add((await lab.GoodAsync("apply", "--yes")).All);
        Assert.All(said, text => Assert.DoesNotContain("not-to-be-seen", text, StringComparison.Ordinal));
        Assert.All(said, text => Assert.DoesNotContain("+by-hand", text, StringComparison.Ordinal));
        Assert.Contains(said, text => text.Contains("munge.key", StringComparison.Ordinal) && text.Contains("(a secret is not shown)", StringComparison.Ordinal));
        // It was there to be seen: what the apply replaced is kept for root alone.
        Assert.NotEqual("", (await lab.ShellAsync("n1", "grep -rl not-to-be-seen /var/lib/dure-fleet/applies")).Text);
        Assert.Equal("700 root", (await lab.ShellAsync("n1", "stat -c '%a %U' /var/lib/dure-fleet")).Text);
    }

    [Fact]
    public async Task Every_apply_is_on_record_with_what_it_changed()
    {
        await lab.ResetAsync();
        Overlays.A(lab);
        var applied = (await lab.GoodAsync("apply", "--yes", "--format", "json")).Json;
        var id = (string)applied["id"]!;
        var listed = (await lab.GoodAsync("history", "--format", "json")).Json.AsArray();
        Assert.Equal(id, (string)listed[^1]!["id"]!);
        var one = (await lab.GoodAsync("history", id, "--format", "json")).Json;
        Assert.True(JsonNode.DeepEquals(applied, one));
        Assert.Equal(("test", true, "applied"), ((string)one["fleet"]!, (bool)one["ok"]!, (string)one["machines"]![0]!["end"]!));
        var shown = (await lab.GoodAsync("history", id)).Output;
        Assert.Contains("+state = A", shown, StringComparison.Ordinal);
        Assert.Contains("+ start one.service", shown, StringComparison.Ordinal);
        Assert.Contains("start one.service", (await lab.ShellAsync("n2", $"cat /var/lib/dure-fleet/applies/{id}/summary")).Text, StringComparison.Ordinal);
        // Nothing done, nothing recorded.
        await lab.GoodAsync("apply", "--yes");
        Assert.Equal(listed.Count, (await lab.GoodAsync("history", "--format", "json")).Json.AsArray().Count);
        Assert.Equal(ExitCodes.NotFound, (await lab.DureAsync("history", "20200101-000000-abcdef")).Code);
        Assert.Equal(ExitCodes.NotFound, (await lab.DureAsync("history", "../../../etc/passwd")).Code);
    }

    [Fact]
    public async Task A_part_is_applied_when_a_part_is_asked_for()
    {
        await lab.ResetAsync();
        Overlays.A(lab);
        await lab.GoodAsync("apply", "--yes", "--machine", "n2");
        Assert.NotEqual("state A", (await lab.ShellAsync("n1", "cat /etc/motd")).Text);
        Assert.Equal("state A", (await lab.ShellAsync("n2", "cat /etc/motd")).Text);
        await lab.GoodAsync("apply", "--yes", "--only", "base");
        Assert.NotEqual("state A", (await lab.ShellAsync("n1", "cat /etc/motd")).Text);
        // What the other role made on n2 is still known to be its own.
        Assert.Equal(0, (int)(await lab.GoodAsync("plan", "--machine", "n2", "--format", "json")).Json["changes"]!);
        var refused = await lab.DureAsync("apply", "--machine", "n1");
        Assert.NotEqual(0, refused.Code);
        Assert.NotEqual("state A", (await lab.ShellAsync("n1", "cat /etc/motd")).Text);
    }

    private async Task<string> SignsAsync()
    {
        const string signs = "stat -c '%n %y %i' /etc/motd /etc/dure-test/* /etc/hosts /etc/systemd/system/one.service /var/lib/dure-fleet/manifest; systemctl show -p InvocationID --value one.service; ls /var/lib/dure-fleet/applies";
        return (await lab.ShellAsync("n1", signs)).Text + (await lab.ShellAsync("n2", signs)).Text;
    }
}
