using Dure.Fleet.Roles;
using Dure.Fleet.Roles.Slurm;
using Xunit;

namespace Dure.Test.Fleet.Roles.Slurm;

public sealed class SlurmRolesTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("n1", "slurm-client", "client")]
    [InlineData("n2", "slurm-controller", "controller")]
    [InlineData("n2", "slurm-db", "db-first")]
    [InlineData("n3", "slurm-db", "db-waiting")]
    [InlineData("n4", "slurm-node", "node-with-files")]
    [InlineData("n5", "slurm-node", "node")]
    public void Each_role_gives_what_its_golden_file_says(string machine, string role, string golden) =>
        Golden.Same(FleetSamples.State(HpcFleets.Slurm(), machine), role, golden);

    [Theory]
    [InlineData("debian-13")]
    [InlineData("ubuntu-22.04")]
    [InlineData("ubuntu-24.04")]
    public void Other_distributions_give_what_their_golden_files_say(string os) =>
        Golden.Same(FleetSamples.State(HpcFleets.Slurm(os), "n3"), "slurm-client", $"client-{os}");

    [Fact]
    public void A_controller_without_accounting_or_a_second_one_waits_for_nobody() =>
        Golden.Same(FleetSamples.State(FleetSamples.Of([], ("n1", "slurm-controller,slurm-node")), "n1"), "slurm-controller", "controller-alone");

    [Fact]
    public void Slurm_s_files_are_the_same_on_all_its_machines()
    {
        var fleet = HpcFleets.Slurm();
        foreach (var path in new[] { SlurmConfiguration.Main, SlurmConfiguration.Tuning, SlurmConfiguration.Gres })
            Assert.Single(fleet.Machines.Select(machine => FleetSamples.State(fleet, machine.Name).Files.Single(file => file.Path == path).Text).Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public void Without_a_balancer_the_accounting_goes_to_one_galera_member_and_then_to_the_next()
    {
        var fleet = HpcFleets.With(HpcFleets.Slurm(), "n1", "slurm-client");
        Assert.Equal(("10.77.5.12", "10.77.5.13"), SlurmDbRole.Storage(fleet));
        Assert.Equal(("10.77.5.100", null), SlurmDbRole.Storage(HpcFleets.Slurm()));
        Assert.Equal(("db.example.org", null), SlurmDbRole.Storage(HpcFleets.Slurm(settings: ("slurm-db.host", "db.example.org"))));
    }

    [Fact]
    public void The_accounting_works_where_the_first_controller_is_not()
    {
        var fleet = HpcFleets.Slurm();
        Assert.Equal(["n3", "n2"], SlurmDbRole.Order(fleet).Select(machine => machine.Name));
        Assert.Equal(["n2", "n3"], SlurmDbRole.Order(HpcFleets.With(fleet, "n2", "gluster,galera,slurm-db")).Select(machine => machine.Name));
        var text = FleetSamples.State(fleet, "n2").Files.Single(file => file.Path == "/etc/slurm/slurmdbd.conf").Text;
        Assert.Contains("DbdHost=n3\nDbdBackupHost=n2\n", text, StringComparison.Ordinal);
        Assert.Contains("AccountingStorageHost=n3\nAccountingStorageBackupHost=n2\n", SlurmConfiguration.MainText(fleet), StringComparison.Ordinal);
    }

    [Fact]
    public void A_change_of_times_reloads_and_a_change_of_nodes_restarts()
    {
        var (before, times, nodes) = (HpcFleets.Slurm(), HpcFleets.Slurm(settings: ("slurm-controller.timeout", "20s")), HpcFleets.With(HpcFleets.Slurm(), "n4", "gluster,galera"));
        Assert.Equal(SlurmConfiguration.MainText(before), SlurmConfiguration.MainText(times));
        Assert.NotEqual(SlurmConfiguration.TuningText(before), SlurmConfiguration.TuningText(times));
        Assert.NotEqual(SlurmConfiguration.MainText(before), SlurmConfiguration.MainText(nodes));
        var unit = FleetSamples.State(before, "n2").Units.Single(known => known.Name == "slurmctld.service");
        Assert.Contains(SlurmConfiguration.Main, unit.RestartOn);
        Assert.DoesNotContain(SlurmConfiguration.Tuning, unit.RestartOn);
        Assert.Contains(SlurmConfiguration.Tuning, unit.ReloadOn);
    }

    [Fact]
    public void A_name_that_slurm_would_not_take_is_made_one_that_it_does() =>
        Assert.Equal("my-lab-2", SlurmConfiguration.Cluster(HpcFleets.Slurm(settings: ("slurm-controller.cluster", "My Lab.2"))));

    [Fact]
    public async Task Slurm_reads_its_files_and_refuses_a_misspelt_key()
    {
        var state = FleetSamples.State(HpcFleets.Slurm(), "n3");
        foreach (var path in new[] { SlurmConfiguration.Main, SlurmConfiguration.Tuning })
        {
            var (code, text) = await HpcValidators.Hpc.CheckAsync(state, path, Cancel);
            Assert.True(code == 0 && text.Length == 0, text);
            (code, text) = await HpcValidators.Hpc.CheckAsync(state, path, Cancel, state.Files.Single(file => file.Path == path).Text + "SlurmctldTimeOutt=3\n");
            Assert.NotEqual(0, code);
            Assert.Contains("SlurmctldTimeOutt", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Slurm_sees_the_nodes_that_the_fleet_has_and_no_others()
    {
        var files = FleetSamples.State(HpcFleets.Slurm(), "n5").Files.Where(file => file.Path.StartsWith("/etc/slurm/", StringComparison.Ordinal)).Select(file => (file.Path, file.Text));
        var (code, text) = await HpcValidators.Hpc.RunAsync("for n in 1 2 3 4 5; do scontrol show aliases n$n; done", Cancel, files);
        Assert.Equal((0, "n3\nn4\nn5"), (code, text.Trim()));
    }

    [Fact]
    public async Task Slurmdbd_reads_its_file_and_refuses_a_misspelt_key()
    {
        var state = FleetSamples.State(HpcFleets.Slurm(settings: ("slurm-db.host", "127.0.0.1")), "n2");
        const string Path = "/etc/slurm/slurmdbd.conf";
        const string Try = "chown slurm /etc/slurm/slurmdbd.conf; chmod 0600 /etc/slurm/slurmdbd.conf; hostname n2; timeout 4 slurmdbd -D -vv 2>&1";
        var good = state.Files.Where(file => file.Path == Path || file.Path == "/etc/hosts").Select(file => (file.Path, file.Text)).ToList();
        var (_, text) = await HpcValidators.Hpc.RunAsync(Try, Cancel, good);
        Assert.DoesNotContain("arsing error", text, StringComparison.Ordinal);
        Assert.DoesNotContain("unrecognized", text, StringComparison.Ordinal);
        Assert.Contains("mysql", text, StringComparison.OrdinalIgnoreCase);
        (_, text) = await HpcValidators.Hpc.RunAsync(Try, Cancel, good.Select(file => file.Path == Path ? (file.Path, file.Text + "StorageHoost=x\n") : file));
        Assert.Contains("StorageHoost", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_scripts_are_shell_that_parses()
    {
        var scripts = new[] { "n2", "n4" }.SelectMany(machine => FleetSamples.State(HpcFleets.Slurm(), machine).Files)
            .Where(file => file.Text.StartsWith("#!/bin/sh", StringComparison.Ordinal)).DistinctBy(file => file.Path).ToList();
        Assert.Equal(5, scripts.Count);
        foreach (var script in scripts)
        {
            var (code, text) = await HpcValidators.Hpc.RunAsync("sh -n /script", Cancel, ("/script", script.Text));
            Assert.True(code == 0, $"{script.Path}: {text}");
            (code, _) = await HpcValidators.Hpc.RunAsync("sh -n /script", Cancel, ("/script", script.Text + "if\n"));
            Assert.NotEqual(0, code);
        }
    }

    [Fact]
    public void Every_role_says_what_it_opens_asks_and_survives()
    {
        var fleet = HpcFleets.Slurm();
        Assert.Equal(6817, SlurmControllerRole.Kind.Ports(fleet).First().Number);
        Assert.Equal(6818, SlurmNodeRole.Kind.Ports(fleet).First().Number);
        Assert.Equal(6819, SlurmDbRole.Kind.Ports(fleet).First().Number);
        Assert.Equal(["munge_key", "slurm_db_password"], SlurmControllerRole.Kind.Secrets(fleet).Select(secret => secret.Name));
        var works = Assert.IsType<Condition.Both>(SlurmControllerRole.Kind.Services(fleet).Single().Works);
        Assert.Contains(new Condition.MajorityOf("gluster"), works.Of);
    }
}
