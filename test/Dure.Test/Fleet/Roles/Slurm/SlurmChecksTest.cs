using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Fleet.Roles.Slurm;
using Xunit;

namespace Dure.Test.Fleet.Roles.Slurm;

public sealed class SlurmChecksTest
{
    private static readonly Place Here = new("dure.yaml", 1, 1);

    [Fact]
    public void A_fleet_as_it_should_be_has_no_faults()
    {
        var fleet = HpcFleets.Slurm();
        Assert.Empty(SlurmControllerRole.Kind.Check(fleet));
        Assert.Empty(SlurmDbRole.Kind.Check(fleet));
        Assert.Empty(SlurmNodeRole.Kind.Check(fleet));
    }

    [Fact]
    public void State_on_one_server_only_is_found()
    {
        var finding = Assert.Single(SlurmControllerRole.Kind.Check(HpcFleets.With(HpcFleets.Slurm(), "n3", "slurm-controller,slurm-node,slurm-db")));
        Assert.Equal(("slurm-state-local", Severity.Error), (finding.Rule, finding.Severity));
        Assert.Contains("n3 alone", finding.What, StringComparison.Ordinal);
    }

    [Fact]
    public void State_outside_the_shared_folder_is_found() =>
        Assert.Equal("slurm-state-local", Assert.Single(SlurmControllerRole.Kind.Check(HpcFleets.Slurm(settings: ("slurm-controller.state", "/var/lib/slurm-state")))).Rule);

    [Fact]
    public void One_controller_may_keep_its_state_to_itself() =>
        Assert.Empty(SlurmControllerRole.Kind.Check(FleetSamples.Of([], ("n1", "slurm-controller,slurm-node"))));

    [Theory]
    [InlineData("nas:/slurm", "nas:/slurm", "nfs4", null)]
    [InlineData("nas:/slurm", "nas:/other", "nfs4", "slurm-state-local")]
    [InlineData("/dev/sdb1", "/dev/sdb1", "ext4", "slurm-state-local")]
    public void A_disk_is_shared_when_both_controllers_mount_the_same_remote_one(string first, string second, string fileSystem, string? rule)
    {
        var fleet = FleetSamples.Of([("slurm-controller.state", "/srv/queue/state")], ("n1", "slurm-controller"), ("n2", "slurm-controller"), ("n3", "slurm-node"));
        fleet = HpcFleets.With(fleet, "n1", machine => machine with { Disks = [new Disk("/srv/queue", first, fileSystem, "", Here)] });
        fleet = HpcFleets.With(fleet, "n2", machine => machine with { Disks = [new Disk("/srv/queue", second, fileSystem, "", Here)] });
        Assert.Equal(rule, SlurmControllerRole.Kind.Check(fleet).SingleOrDefault()?.Rule);
    }

    [Fact]
    public void State_on_the_one_nfs_server_is_a_warning()
    {
        var fleet = FleetSamples.Of([], ("n1", "slurm-controller,nfs"), ("n2", "slurm-controller,nfs-client"), ("n3", "slurm-node"));
        var finding = Assert.Single(SlurmControllerRole.Kind.Check(fleet));
        Assert.Equal(("slurm-state-server", Severity.Warning), (finding.Rule, finding.Severity));
    }

    [Theory]
    [InlineData("10s", 20, null)]
    [InlineData("30s", 20, "slurm-objective")]
    public void A_time_out_that_misses_the_objective_is_found(string timeout, int objective, string? rule)
    {
        var fleet = HpcFleets.Slurm(settings: ("slurm-controller.timeout", timeout)) with { Objectives = [new Objective("slurmctld", TimeSpan.FromSeconds(objective), null, 0, Here)] };
        Assert.Equal(rule, SlurmControllerRole.Kind.Check(fleet).SingleOrDefault()?.Rule);
    }

    [Theory]
    [InlineData("debian-12", "debian-12", null)]
    [InlineData("debian-12", "ubuntu-22.04", null)]
    [InlineData("debian-13", "debian-12", "slurm-versions")]
    [InlineData("debian-12", "debian-13", "slurm-versions")]
    [InlineData("ubuntu-24.04", "debian-12", null)]
    public void A_node_that_its_controller_does_not_understand_is_found(string controllers, string node, string? rule)
    {
        var fleet = HpcFleets.With(HpcFleets.Slurm(controllers), "n5", machine => machine with { Os = node });
        Assert.Equal(rule, SlurmControllerRole.Kind.Check(fleet).SingleOrDefault()?.Rule);
    }

    [Fact]
    public void Controllers_with_different_releases_are_found()
    {
        var fleet = HpcFleets.With(HpcFleets.Slurm(), "n2", machine => machine with { Os = "ubuntu-24.04" });
        Assert.Contains(SlurmControllerRole.Kind.Check(fleet), finding => finding.Rule == "slurm-versions");
    }

    [Fact]
    public void Accounting_without_a_database_is_found()
    {
        var fleet = FleetSamples.Of([], ("n1", "slurm-controller,slurm-db,slurm-node"));
        Assert.Equal("slurm-db-storage", Assert.Single(SlurmDbRole.Kind.Check(fleet)).Rule);
    }

    [Fact]
    public void Two_accountings_with_a_database_each_are_found() =>
        Assert.Equal("slurm-db-split", Assert.Single(SlurmDbRole.Kind.Check(HpcFleets.Slurm(settings: ("slurm-db.host", "127.0.0.1")))).Rule);

    [Fact]
    public void A_third_accounting_is_found() =>
        Assert.Equal("slurm-db-backups", Assert.Single(SlurmDbRole.Kind.Check(HpcFleets.With(HpcFleets.Slurm(), "n4", "gluster,galera,slurm-db"))).Rule);

    [Fact]
    public void A_node_without_its_hardware_is_found()
    {
        var fleet = HpcFleets.With(HpcFleets.Slurm(), "n4", machine => machine with { Hardware = new Hardware(0, 0, 0, 0) });
        Assert.Equal("slurm-hardware", Assert.Single(SlurmNodeRole.Kind.Check(fleet)).Rule);
    }

    [Fact]
    public void A_partition_that_takes_the_gpus_name_is_found() =>
        Assert.Equal("slurm-partition", Assert.Single(SlurmNodeRole.Kind.Check(HpcFleets.Slurm(settings: ("slurm-controller.partition", "gpu")))).Rule);
}
