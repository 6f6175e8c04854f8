using System.Text;
using Dure.Fleet.Apply;
using Dure.Fleet.Desired;
using Dure.Fleet.Observe;
using Dure.Fleet.Plan;
using Xunit;

namespace Dure.Test.Fleet.Apply;

/// <summary>The engine's script on a real machine, with states that no role asks for.</summary>
[Collection(ApplyLabs.Name)]
public sealed class EngineTest(ApplyLab lab)
{
    private const string One = "/etc/dure-engine/one.conf";

    private static Lowered Desired(Action<DesiredMachine> with)
    {
        var machine = new DesiredMachine("n1");
        with(machine);
        return Lowered.Of(machine);
    }

    [Fact]
    public async Task Every_kind_of_file_is_made_kept_and_taken_back()
    {
        await EmptyAsync("mkdir -p /etc/dure-engine; echo package >/etc/dure-engine/seed.conf; echo default >/etc/dure-engine/default.conf; echo own >/etc/dure-engine/block.conf; rm -f /etc/dure-engine/new-block.conf");
        var desired = Desired(machine =>
        {
            machine.Files.Add(new(One, "größe $HOME `id` 'x' \"y\"\n\n", "test") { Mode = "0640", Group = "adm" });
            machine.Files.Add(new("/etc/dure-engine/seed.conf", "seed\n", "test") { Kind = FileKind.Seed });
            machine.Files.Add(new("/etc/dure-engine/default.conf", "", "test") { Kind = FileKind.Absent });
            machine.Files.Add(new("/etc/dure-engine/block.conf", "ours\n", "test") { Kind = FileKind.Block });
            machine.Files.Add(new("/etc/dure-engine/new-block.conf", "ours\n", "test") { Kind = FileKind.Block });
            machine.Folders.Add(new("/var/lib/dure-engine", "0750", "daemon", "daemon", "test"));
            machine.Users.Add(new("dure-engine", null, "/var/lib/dure-engine", "/usr/sbin/nologin", ["adm"], "test"));
        });
        Assert.Contains("applied", await ApplyAsync(desired));
        Assert.Empty((await PlanAsync(desired)).Plan.Changes);
        Assert.Equal($"größe $HOME `id` 'x' \"y\"\n\n640 root adm", (await lab.ShellAsync("n1", $"cat {One}; stat -c '%a %U %G' {One}")).Text);
        Assert.Equal($"seed\nown\n{Block.Begin}\nours\n{Block.End}\n750 daemon", (await lab.ShellAsync("n1", "cd /etc/dure-engine; cat seed.conf block.conf; ls default.conf 2>/dev/null; stat -c '%a %U' /var/lib/dure-engine")).Text);

        // The program writes into its seed, and somebody brings the default back.
        await lab.ShellAsync("n1", "echo program >>/etc/dure-engine/seed.conf; echo again >/etc/dure-engine/default.conf");
        Assert.Equal(["file /etc/dure-engine/default.conf"], (await PlanAsync(desired)).Plan.Changes.Select(change => change.What));
        await lab.ShellAsync("n1", "touch /var/lib/dure-engine/data");

        Assert.Contains("applied", await ApplyAsync(Desired(static _ => { })));
        Assert.Equal("package\ndefault\nown\ndata", (await lab.ShellAsync("n1", $"cd /etc/dure-engine; cat seed.conf default.conf block.conf; ls new-block.conf {One} 2>/dev/null; ls /var/lib/dure-engine; getent passwd dure-engine")).Text);
        await lab.ShellAsync("n1", "rm -r /var/lib/dure-engine");
    }

    [Fact]
    public async Task A_file_that_its_program_does_not_accept_never_takes_the_place_of_the_old()
    {
        await EmptyAsync("");
        Lowered Wants(string text) => Desired(machine => machine.Files.AddRange([new("/etc/dure-engine/first.conf", text, "test"), new(One, text, "test") { Check = "grep -q good \"$new\" || { echo line 1 is bad; exit 1; }" }]));
        Assert.Contains("applied", await ApplyAsync(Wants("good\n")));
        var lines = await ApplyAsync(Wants("bad\n"));
        var failed = lines.Single(line => line.StartsWith("failed\t1\t1\t", StringComparison.Ordinal));
        Assert.Contains("line 1 is bad\n/etc/dure-engine/one.conf was not accepted", Encoding.UTF8.GetString(Convert.FromBase64String(failed.Split('\t')[3])), StringComparison.Ordinal);
        Assert.Equal("good\ngood", (await lab.ShellAsync("n1", $"cat /etc/dure-engine/first.conf {One}; find /etc/dure-engine -name '.*'")).Text);
    }

    [Fact]
    public async Task A_role_that_does_not_become_healthy_is_put_back_and_a_sick_one_that_was_not_touched_is_only_told()
    {
        await EmptyAsync("");
        Lowered Wants(string text, string role) => Desired(machine =>
        {
            machine.Files.Add(new(One, text, "test"));
            machine.Health.Add(new("It is well", "grep -q well /etc/dure-engine/one.conf || { echo it says $(cat /etc/dure-engine/one.conf); exit 1; }", TimeSpan.FromSeconds(1), role));
        });
        Assert.Contains(await ApplyAsync(Wants("well\n", "test")), line => line.StartsWith("healthy\t0\t", StringComparison.Ordinal));
        var lines = await ApplyAsync(Wants("sick\n", "test"));
        Assert.Contains(lines, line => line.StartsWith("unhealthy\t0\t", StringComparison.Ordinal) && Encoding.UTF8.GetString(Convert.FromBase64String(line.Split('\t')[3])) == "it says sick");
        Assert.DoesNotContain("applied", lines);
        Assert.Equal("well", (await lab.ShellAsync("n1", $"cat {One}")).Text);

        lines = await ApplyAsync(Wants("sick\n", "another"));
        Assert.Contains(lines, line => line.StartsWith("unhealthy\t0\t", StringComparison.Ordinal));
        Assert.Contains("applied", lines);
        Assert.Equal("sick", (await lab.ShellAsync("n1", $"cat {One}")).Text);
    }

    [Fact]
    public async Task A_plan_that_another_apply_has_overtaken_is_not_carried_out()
    {
        await EmptyAsync("");
        Lowered Wants(string text) => Desired(machine => machine.Files.Add(new(One, text, "test")));
        var mine = await PlanAsync(Wants("mine\n"));
        Assert.Contains("applied", await ApplyAsync(Wants("theirs\n")));
        var lines = await RunAsync(Wants("mine\n"), mine);
        Assert.StartsWith("stale\t", Assert.Single(lines), StringComparison.Ordinal);
        Assert.Equal("theirs", (await lab.ShellAsync("n1", $"cat {One}")).Text);
        Assert.Contains("applied", await ApplyAsync(Wants("mine\n")));
    }

    [Fact]
    public async Task Originals_of_files_with_names_alike_are_told_apart()
    {
        await EmptyAsync("mkdir -p /etc/dure-engine/a; echo one >/etc/dure-engine/a/b; echo two >/etc/dure-engine/a_b; echo three >/etc/dure-engine/a%2Fb");
        string[] paths = ["/etc/dure-engine/a/b", "/etc/dure-engine/a_b", "/etc/dure-engine/a%2Fb"];
        Assert.Contains("applied", await ApplyAsync(Desired(machine => machine.Files.AddRange(paths.Select(path => new DesiredFile(path, "ours\n", "test"))))));
        Assert.Contains("applied", await ApplyAsync(Desired(static _ => { })));
        Assert.Equal("one\ntwo\nthree", (await lab.ShellAsync("n1", "cd /etc/dure-engine; cat a/b a_b a%2Fb")).Text);
    }

    [Fact]
    public async Task What_a_failed_apply_installed_still_goes_with_its_role()
    {
        await EmptyAsync("");
        Assert.Equal("", (await lab.ShellAsync("n1", "dpkg-query -W -f '${db:Status-Status}' psmisc 2>/dev/null | grep -x installed")).Text);
        Lowered Wants(string step) => Desired(machine =>
        {
            machine.Packages.Add(new("psmisc", "test"));
            machine.Steps.Add(new("It goes well", "false", step, "test"));
        });
        var lines = await ApplyAsync(Wants("echo it goes wrong; exit 4"));
        Assert.Contains("it goes wrong", Encoding.UTF8.GetString(Convert.FromBase64String(lines.Single(line => line.StartsWith("failed\t", StringComparison.Ordinal)).Split('\t')[3])), StringComparison.Ordinal);
        Assert.Contains("packages psmisc", (await PlanAsync(Desired(static _ => { }))).Plan.Changes.Select(change => change.What));
        Assert.Contains("applied", await ApplyAsync(Wants("true")));
        Assert.Contains("applied", await ApplyAsync(Desired(static _ => { })));
        Assert.Equal("", (await lab.ShellAsync("n1", "dpkg-query -W -f '${db:Status-Status}' psmisc 2>/dev/null | grep -x installed")).Text);
    }

    [Fact]
    public async Task A_unit_that_was_off_before_a_failed_apply_is_off_after_it_and_one_that_ran_runs()
    {
        await EmptyAsync("printf '[Service]\\nExecStart=/bin/sleep 200001\\n[Install]\\nWantedBy=multi-user.target\\n' | tee /lib/systemd/system/off.service >/lib/systemd/system/on.service; systemctl daemon-reload; systemctl disable --now off 2>/dev/null; systemctl enable --now on 2>/dev/null");
        var lines = await ApplyAsync(Desired(machine =>
        {
            machine.Units.Add(new("off.service", UnitState.Running, "test"));
            machine.Units.Add(new("on.service", UnitState.Masked, "test"));
            machine.Units.Add(new("nowhere.service", UnitState.Running, "test") { StartLimit = TimeSpan.FromSeconds(2) });
        }));
        Assert.Contains("done\t0", lines);
        Assert.Contains(lines, line => line.StartsWith("failed\t2\t", StringComparison.Ordinal));
        Assert.Equal("inactive\nactive\ndisabled\nenabled", (await lab.ShellAsync("n1", "systemctl is-active off on; systemctl is-enabled off on")).Text);
        await lab.ShellAsync("n1", "systemctl disable --now on; rm /lib/systemd/system/on.service /lib/systemd/system/off.service; systemctl daemon-reload");
    }

    [Fact]
    public async Task What_a_machine_that_lost_its_power_kept_of_an_apply_is_cleared_away()
    {
        await EmptyAsync("mkdir -p /etc/dure-engine; echo half >/etc/dure-engine/.one.conf.dure-new; printf '#!/bin/sh\\n# dure-apply: no starts\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d");
        Assert.Contains("applied", await ApplyAsync(Desired(machine => machine.Files.Add(new(One, "whole\n", "test")))));
        Assert.Equal("whole", (await lab.ShellAsync("n1", $"cat {One}; ls -A /etc/dure-engine | grep dure-new; ls /usr/sbin/policy-rc.d 2>/dev/null")).Text);
        // Somebody else's stays.
        await lab.ShellAsync("n1", "printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d");
        Assert.Contains("applied", await ApplyAsync(Desired(machine => machine.Files.Add(new(One, "other\n", "test")))));
        Assert.Equal("/usr/sbin/policy-rc.d", (await lab.ShellAsync("n1", "ls /usr/sbin/policy-rc.d; rm /usr/sbin/policy-rc.d")).Text);
    }

    /// <summary>A machine without anything of ours, then what the test begins with.</summary>
    private async Task EmptyAsync(string script)
    {
        await lab.ResetAsync();
        Assert.Contains("applied", await ApplyAsync(Desired(machine => machine.Files.Add(new("/etc/dure-engine-marker", "x\n", "test")))));
        Assert.Contains("applied", await ApplyAsync(Desired(static _ => { })));
        var (code, text) = await lab.ShellAsync("n1", "rm -rf /etc/dure-engine; " + script);
        Assert.True(code == 0, text);
    }

    private async Task<(Observation Seen, MachinePlan Plan)> PlanAsync(Lowered desired)
    {
        var (code, text) = await lab.ShellAsync("n1", ObservationScript.Of(desired, [], withHealth: false));
        var seen = Observation.Read(text.Split('\n'));
        Assert.True(code == 0 && seen is not null, text);
        return (seen!, Planner.Plan(desired, seen!));
    }

    private async Task<string[]> ApplyAsync(Lowered desired) => await RunAsync(desired, await PlanAsync(desired));

    private async Task<string[]> RunAsync(Lowered desired, (Observation Seen, MachinePlan Plan) planned)
    {
        var id = $"20260101-000000-{Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(3))}";
        return (await lab.ShellAsync("n1", ApplyScript.Of(planned.Plan, desired, planned.Seen, id, "a test"))).Text.Split('\n');
    }
}
