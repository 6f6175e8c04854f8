using Dure.Fleet.Desired;
using Dure.Fleet.Model;
using Dure.Fleet.Plan;
using Dure.Fleet.Roles;
using Xunit;

namespace Dure.Test.Fleet.Plan;

/// <summary>The planner as the pure function that it is: from what should be and what is to what is done.</summary>
public sealed class PlannerTest
{
    private const string Config = "/etc/app/app.conf";
    private const string Live = "/etc/app/live.conf";

    private static Lowered Desired(Action<DesiredMachine>? change = null)
    {
        var machine = new DesiredMachine("n1");
        machine.Packages.Add(new("app", "web"));
        machine.Users.Add(new("appuser", null, "/var/lib/app", "/usr/sbin/nologin", ["ssl"], "web"));
        machine.Folders.Add(new("/etc/app", "0750", "root", "root", "web"));
        machine.Files.Add(new(Config, "port 1\n", "web"));
        machine.Files.Add(new(Live, "live 1\n", "web"));
        machine.Files.Add(new("/etc/hosts", "10.0.0.1 n1\n", "base") { Kind = FileKind.Block });
        machine.Files.Add(new("/etc/app/seed.conf", "seed 1\n", "redis") { Kind = FileKind.Seed });
        machine.Files.Add(new("/etc/app/default.conf", "", "web") { Kind = FileKind.Absent });
        machine.Sysctls.Add(new("net.ipv4.ip_nonlocal_bind", "1", "balancer"));
        machine.Units.Add(new DesiredUnit("app.service", UnitState.Running, "web") { RestartOn = [Config], ReloadOn = [Live] });
        machine.Units.Add(new("old.service", UnitState.Masked, "web"));
        machine.Steps.Add(new("A database is there", "true", "true", "web"));
        change?.Invoke(machine);
        return Lowered.Of(machine);
    }

    private static string[] Told(Lowered desired, SeenMachine seen) =>
        [.. Planner.Plan(desired, seen.Read()).Changes.Select(change => $"{"+~-"[(int)change.Sign]} {change.What}{(change.Drift ? " (drift)" : "")}")];

    [Fact]
    public void There_is_nothing_to_do_when_a_machine_is_what_it_should_be()
    {
        Assert.Empty(Told(Desired(), SeenMachine.After(Desired())));
        Assert.Empty(Planner.Plan(Desired(), SeenMachine.After(Desired()).Read()).Kept);
    }

    [Fact]
    public void A_bare_machine_gets_everything_in_the_order_in_which_it_works()
    {
        Assert.Equal(
            ["+ package app", "+ user appuser", "+ folder /etc/app", "+ file /etc/app/app.conf", "+ file /etc/app/live.conf", "~ file /etc/hosts", "+ file /etc/app/seed.conf", "- file /etc/app/default.conf",
                "+ file /etc/sysctl.d/60-dure-balancer.conf", "~ kernel setting net.ipv4.ip_nonlocal_bind", "+ start app.service", "- unit old.service", "+ A database is there"],
            Told(Desired(), new SeenMachine().File("/etc/hosts", "127.0.0.1 localhost\n")));
    }

    [Fact]
    public void A_change_in_the_file_is_no_drift_and_a_change_by_hand_is()
    {
        var changed = Desired(machine => machine.Files[0] = machine.Files[0] with { Text = "port 2\n" });
        Assert.Equal(["~ file /etc/app/app.conf", "~ restart app.service"], Told(changed, SeenMachine.After(Desired())));
        Assert.Equal(["~ file /etc/app/app.conf (drift)", "~ restart app.service"], Told(Desired(), SeenMachine.After(Desired()).File(Config, "port 7\n")));
        Assert.Equal(["~ file /etc/app/live.conf (drift)", "~ reload app.service"], Told(Desired(), SeenMachine.After(Desired()).File(Live, "port 7\n")));
        Assert.Equal(["+ file /etc/app/app.conf (drift)", "~ restart app.service"], Told(Desired(), SeenMachine.After(Desired()).Gone(Config)));
        Assert.Equal(["~ file /etc/app/app.conf (drift)"], Told(Desired(), SeenMachine.After(Desired()).File(Config, "port 1\n", "600")));
        Assert.Equal(["~ file /etc/app/app.conf (drift)"], Told(Desired(), SeenMachine.After(Desired()).File(Config, "port 1\n", owner: "me")));
        Assert.Equal(["- file /etc/app/default.conf (drift)"], Told(Desired(), SeenMachine.After(Desired()).File("/etc/app/default.conf", "back\n")));
        Assert.Equal(["+ start app.service (drift)"], Told(Desired(), SeenMachine.After(Desired()).Unit("app.service", "inactive", "enabled")));
        Assert.Equal(["~ unit app.service (drift)"], Told(Desired(), SeenMachine.After(Desired()).Unit("app.service", "active", "disabled")));
        Assert.Equal(["- unit old.service (drift)"], Told(Desired(), SeenMachine.After(Desired()).Unit("old.service", "active", "enabled")));
        var without = SeenMachine.After(Desired());
        without.Packages.Clear();
        Assert.Contains("+ package app (drift)", Told(Desired(), without));
    }

    [Fact]
    public void A_unit_is_restarted_for_what_it_starts_with_and_reloaded_for_what_it_reads()
    {
        var live = Desired(machine => machine.Files[1] = machine.Files[1] with { Text = "live 2\n" });
        Assert.Equal(["~ file /etc/app/live.conf", "~ reload app.service"], Told(live, SeenMachine.After(Desired())));
        // The file was put there, and the apply was cut short before the unit read it.
        Assert.Equal(["~ reload app.service"], Told(live, SeenMachine.After(live).Stamp("app.service", Desired().Stamp(Desired().Units[0]))));
        var both = Desired(machine => (machine.Files[0], machine.Files[1]) = (machine.Files[0] with { Text = "port 2\n" }, machine.Files[1] with { Text = "live 2\n" }));
        Assert.Equal(["~ restart app.service"], Told(both, SeenMachine.After(both).Stamp("app.service", Desired().Stamp(Desired().Units[0]))));
        Assert.NotEqual(Desired().Stamp(Desired().Units[0]), live.Stamp(live.Units[0]));
        Assert.Equal(Desired().Stamp(Desired().Units[0]).Split(' ')[0], live.Stamp(live.Units[0]).Split(' ')[0]);
    }

    [Fact]
    public void Lines_that_are_the_machines_own_are_no_difference()
    {
        var seen = SeenMachine.After(Desired()).File("/etc/hosts", Block.Put("127.0.0.1 localhost\n10.9.9.9 printer\n", "10.0.0.1 n1\n"));
        Assert.Empty(Told(Desired(), seen));
        Assert.Equal(["~ file /etc/hosts (drift)"], Told(Desired(), seen.File("/etc/hosts", "127.0.0.1 localhost\n")));
    }

    [Fact]
    public void A_seed_that_a_program_changed_stays_and_one_that_the_file_changed_is_written()
    {
        Assert.Empty(Told(Desired(), SeenMachine.After(Desired()).File("/etc/app/seed.conf", "seed 1\n# written by the program\n")));
        var other = Desired(machine => machine.Files[3] = machine.Files[3] with { Text = "seed 2\n" });
        Assert.Equal(["~ file /etc/app/seed.conf"], Told(other, SeenMachine.After(Desired())));
    }

    [Fact]
    public void A_seed_whose_first_apply_was_cut_short_is_still_to_be_written()
    {
        var desired = Desired();
        var package = new SeenMachine().File("/etc/app/seed.conf", "what the package brought\n");
        var plan = Planner.Plan(desired, package.Read());
        package.Manifest = Manifest.During(Manifest.Empty, plan.Manifest);
        Assert.Contains("~ file /etc/app/seed.conf", Told(desired, package));
        // The same for another text.
        var other = Desired(machine => machine.Files[3] = machine.Files[3] with { Text = "seed 2\n" });
        var seen = SeenMachine.After(desired);
        seen.Manifest = Manifest.During(seen.Manifest, Planner.Plan(other, seen.Read()).Manifest);
        Assert.Contains("~ file /etc/app/seed.conf", Told(other, seen));
    }

    [Fact]
    public void What_an_apply_that_was_cut_short_did_not_make_is_no_drift_and_still_goes_with_its_role()
    {
        var seen = new SeenMachine { Manifest = Manifest.During(Manifest.Empty, Manifest.After(Desired(), Manifest.Empty, new Dictionary<string, string>())) };
        var told = Told(Desired(), seen);
        Assert.True(told.Length > 10);
        Assert.DoesNotContain(told, change => change.Contains("drift", StringComparison.Ordinal));
        Assert.Contains("- unit app.service", Told(Lowered.Of(new DesiredMachine("n1")), seen.Unit("app.service", "active", "disabled")));
    }

    [Fact]
    public void An_apply_that_was_cut_short_right_before_its_end_is_put_on_record()
    {
        var seen = SeenMachine.After(Desired());
        seen.Manifest = new([.. seen.Manifest.All.Select(made => made is { Kind: "unit" } ? made with { Mark = Manifest.Pending } : made)]);
        Assert.Equal(["~ record of what was applied"], Told(Desired(), seen));
        Assert.Equal(["~ record of what was applied"], Told(Desired(), Reordered(SeenMachine.After(Desired()), drop: 1)));
        Assert.Empty(Told(Desired(), Reordered(SeenMachine.After(Desired()), drop: 0)));
    }

    private static SeenMachine Reordered(SeenMachine seen, int drop)
    {
        seen.Manifest = new([.. seen.Manifest.All.Reverse().Skip(drop)]);
        return seen;
    }

    [Fact]
    public void A_tree_is_sent_when_another_build_is_there_and_when_its_apply_was_cut_short()
    {
        using var scratch = new Processes.Scratch();
        File.WriteAllText(scratch["one"], "1");
        File.WriteAllText(scratch["two"], "2");
        var one = Desired(machine => machine.Trees.Add(new(scratch["one"], "/opt/app", "dure")));
        var two = Desired(machine => machine.Trees.Add(new(scratch["two"], "/opt/app", "dure")));
        Assert.Empty(Told(one, SeenMachine.After(one)));
        Assert.Equal(["~ tree /opt/app"], Told(two, SeenMachine.After(one)));
        Assert.Equal(["+ tree /opt/app"], Told(one, SeenMachine.After(one).Gone("/opt/app")));
        var seen = SeenMachine.After(one);
        seen.Manifest = Manifest.During(seen.Manifest, Manifest.After(two, seen.Manifest, seen.Read().Packages));
        Assert.Equal(["~ tree /opt/app"], Told(two, seen));
        seen = SeenMachine.After(one);
        seen.Manifest = Manifest.During(Manifest.Empty, seen.Manifest);
        Assert.Equal(["~ tree /opt/app", "~ file /etc/app/seed.conf"], Told(one, seen));
    }

    [Fact]
    public void A_role_that_goes_takes_along_what_it_made()
    {
        var bare = Lowered.Of(new DesiredMachine("n1"));
        var plan = Planner.Plan(bare, SeenMachine.After(Desired()).Read());
        Assert.Equal(
            ["stop app.service", "file /etc/app/app.conf", "file /etc/app/live.conf", "file /etc/hosts", "file /etc/app/seed.conf", "file /etc/app/default.conf", "file /etc/sysctl.d/60-dure-balancer.conf",
                "folder /etc/app", "packages app", "user appuser"],
            plan.Changes.Select(change => change.What.Replace("unit app", "stop app", StringComparison.Ordinal)));
        Assert.All(plan.Changes, change => Assert.Equal(ChangeSign.Remove, change.Sign));
        Assert.Equal([true], plan.Changes.Select(change => change.Act).OfType<Act.RestoreFile>().Where(restore => restore.Path == "/etc/hosts").Select(restore => restore.IsBlock));
        Assert.Empty(plan.Manifest.All);
    }

    [Fact]
    public void Data_stays_when_a_role_goes_and_is_named()
    {
        var role = RoleKinds.All.First(known => known.Data.Count > 0 && known.Leave.Length == 0);
        var machine = new DesiredMachine("n1");
        machine.Folders.Add(new(role.Data[0], "0750", "root", "root", role.Name));
        machine.Folders.Add(new("/etc/other", "0750", "root", "root", role.Name));
        var plan = Planner.Plan(Lowered.Of(new DesiredMachine("n1")), SeenMachine.After(Lowered.Of(machine)).Read());
        Assert.Equal(["folder /etc/other"], plan.Changes.Select(change => change.What));
        Assert.Equal(role.Data, plan.Kept);
    }

    [Fact]
    public void A_package_that_was_there_before_is_not_ours_and_stays()
    {
        var bare = Lowered.Of(new DesiredMachine("n1"));
        Assert.DoesNotContain("- packages app", Told(bare, SeenMachine.After(Desired(), null, "app")));
        Assert.Contains("- packages app", Told(bare, SeenMachine.After(Desired())));
        // Once ours, it is ours at every later apply, at which it is there before.
        var again = SeenMachine.After(Desired(), SeenMachine.After(Desired()).Manifest, "app");
        Assert.Contains("- packages app", Told(bare, again));
    }

    [Fact]
    public void What_may_cut_the_machine_off_comes_last_with_the_unit_that_reads_it()
    {
        var desired = Desired(machine => machine.Files[0] = machine.Files[0] with { Guarded = true });
        var changes = Planner.Plan(desired, new SeenMachine().Read()).Changes;
        Assert.Equal(["file /etc/app/app.conf", "start app.service"], changes.Where(change => change.Guarded).Select(change => change.What));
        Assert.Equal(changes.TakeLast(2), changes.Where(change => change.Guarded));
    }

    [Fact]
    public void Kernel_settings_and_steps_that_are_not_so_are_made_so()
    {
        var seen = SeenMachine.After(Desired()).Sysctl("net.ipv4.ip_nonlocal_bind", "0");
        seen.StepsDone.Clear();
        Assert.Equal(["~ kernel setting net.ipv4.ip_nonlocal_bind", "+ A database is there"], Told(Desired(), seen));
    }

    [Fact]
    public void Every_machine_of_the_layout_has_nothing_to_do_once_it_is_what_it_should_be()
    {
        var fleet = FleetSamples.Four();
        foreach (var machine in fleet.Machines.Where(machine => !machine.Has("dure")))
        {
            var desired = Lowered.Of(FleetSamples.State(fleet, machine.Name));
            Assert.True(desired.Files.Count > 3);
            Assert.Empty(Told(desired, SeenMachine.After(desired)));
            Assert.NotEmpty(Told(desired, new SeenMachine()));
        }
    }
}
