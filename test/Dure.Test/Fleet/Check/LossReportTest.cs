using Dure.Fleet.Model;
using Xunit;

namespace Dure.Test.Fleet.Check;

public sealed class LossReportTest
{
    [Fact]
    public void What_a_machine_takes_with_it_is_said_in_a_sentence()
    {
        var report = SampleRoles.Check(SampleRoles.Fleet(("psi", "redis,galera"), ("rho", "redis,galera,slurm-db"), ("tau", "redis,galera")));
        var lines = report.Losses.Machines.Select(line => line.ToString()).ToList();
        Assert.Equal("If psi dies: Redis and MariaDB keep quorum (2 of 3).", lines[0]);
        Assert.Equal("If rho dies: Slurm accounting stops (rho is the only slurm-db); Redis and MariaDB keep quorum (2 of 3).", lines[1]);
    }

    [Fact]
    public void Two_losses_that_end_a_quorum_are_listed_and_others_are_not()
    {
        var report = SampleRoles.Check(SampleRoles.Fleet(("n1", "redis"), ("n2", "redis"), ("n3", "redis"), ("n4", "web,balancer"), ("n5", "web,balancer")));
        Assert.Equal(["n1 n2", "n1 n3", "n2 n3", "n4 n5"], report.Losses.Pairs.Select(pair => string.Join(' ', pair.Lost)));
        Assert.Equal("If n1 and n2 die: Redis stops (redis keeps 1 of 3, a majority is 2).", report.Losses.Pairs[0].ToString());
        Assert.Equal("If n4 and n5 die: Virtual address stops (none of 2 balancer is left); Web stops (none of 2 web is left).", report.Losses.Pairs[3].ToString());
    }

    [Fact]
    public void A_zone_that_takes_a_majority_is_named_and_one_that_does_not_is_not()
    {
        var fleet = SampleRoles.Fleet(("n1", "etcd"), ("n2", "etcd"), ("n3", "etcd"));
        Assert.DoesNotContain(SampleRoles.Check(fleet).Losses.Domains, domain => domain.Stops.Count > 0);
        var close = SampleRoles.Check(fleet.Change("n3", machine => machine with { Zone = "b" }));
        Assert.Equal("If zone b dies: etcd stops (etcd keeps 1 of 3, a majority is 2).", close.Losses.Domains.Single(domain => domain.Stops.Count > 0).ToString());
        Assert.Equal(["b"], close.Losses.Quorums.Single().Fatal);
        Assert.Contains(close.Findings, finding => finding.Rule == "quorum-zone" && finding.What == "Losing zone b loses the etcd majority: n2 and n3 are there, 1 of 3 would be left.");
    }

    [Fact]
    public void How_many_losses_a_service_takes_is_counted()
    {
        var report = SampleRoles.Check(SampleRoles.Fleet(("n1", "redis"), ("n2", "redis"), ("n3", "redis"), ("n4", "redis"), ("n5", "redis,slurm-controller")));
        Assert.Equal(2, report.Losses.Services.Single(service => service.Service == "Redis").Survives);
        Assert.Equal(0, report.Losses.Services.Single(service => service.Service == "Slurm").Survives);
    }

    [Fact]
    public void Virtual_machines_of_one_host_fail_together()
    {
        var fleet = SampleRoles.Fleet(("n1", "redis"), ("n2", "redis"), ("n3", "redis"));
        Machine On(Machine machine, string host) => machine with { Labels = ["rack=7", "host=" + host] };
        var report = SampleRoles.Check(fleet.Change("n1", machine => On(machine, "iron1")).Change("n2", machine => On(machine, "iron1")).Change("n3", machine => On(machine, "iron2")));
        Assert.Contains(report.Findings, finding => finding is { Rule: "quorum-host", What: "n1 and n2 are on host iron1: losing it leaves 1 of 3 redis, no majority." });
        Assert.Contains(report.Losses.Domains, domain => domain.Lost[0] == "host iron1" && domain.Stops.Count == 1);
        Assert.DoesNotContain(report.Losses.Domains, domain => domain.Lost[0] == "host iron2");
    }
}
