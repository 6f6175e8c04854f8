using Dure.Fleet.Check;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Xunit;

namespace Dure.Test.Fleet.Check;

/// <summary>The two layouts that are asked for and cannot hold what they promise, and the one that does.</summary>
public sealed class ReferenceLayoutTest
{
    /// <summary>One balancer, one data server, one slurmctld.</summary>
    private static FleetModel Four => Sized(
        SampleRoles.Fleet(("s1", "balancer,web"), ("s2", "dure,slurm-controller,slurm-db,munge"), ("s3", "dure,slurm-node,munge"), ("s4", "redis,galera,etcd,postgres")),
        (4, 8, 100), (8, 16, 200), (8, 16, 200), (4, 16, 500));

    /// <summary>Two balancers, three for the web and the applications, two for data.</summary>
    private static FleetModel Seven => Sized(
        SampleRoles.Fleet(("s1", "balancer"), ("s2", "balancer"), ("s3", "web,dure,slurm-controller,munge"), ("s4", "web,dure,slurm-controller,munge"), ("s5", "web,dure,slurm-node,munge"),
            ("s6", "redis,galera,etcd,postgres,slurm-db"), ("s7", "redis,galera,etcd,postgres,slurm-db")));

    [Fact]
    public void The_reference_of_four_is_faulted_for_its_one_balancer_one_data_server_and_one_slurmctld()
    {
        var report = SampleRoles.Check(Four);
        Has(report, "balancer-one", Severity.Warning, "s1 is the only balancer: when it dies, 10.77.5.100 answers no more.");
        Has(report, "single-point", Severity.Warning, "If s1 dies, Virtual address, Web and Portal and API stop: s1 is the only balancer and web.");
        Has(report, "single-point", Severity.Warning, "If s2 dies, Slurm accounting and Slurm stop: s2 is the only slurm-db and slurm-controller.");
        Has(report, "single-point", Severity.Warning, "If s4 dies, Portal and API, etcd, PostgreSQL, Redis, MariaDB and Slurm accounting stop: s4 is the only postgres, etcd, redis and galera.");
        Assert.Equal(0, report.ExitCode(strict: false));
        Assert.Equal(2, report.ExitCode(strict: true));
    }

    [Fact]
    public void The_reference_of_seven_is_faulted_for_two_data_servers_that_hold_no_quorum()
    {
        var report = SampleRoles.Check(Seven);
        Has(report, "quorum-two", Severity.Error, "redis has two members, s6 and s7: two cannot hold a quorum, and when either dies the other stops too.");
        Has(report, "quorum-two", Severity.Error, "galera has two members, s6 and s7: two cannot hold a quorum, and when either dies the other stops too.");
        Has(report, "quorum-two", Severity.Error, "etcd has two members, s6 and s7: two cannot hold a quorum, and when either dies the other stops too.");
        Assert.DoesNotContain(report.Findings, finding => finding.Rule is "balancer-one" or "single-point");
        Assert.Equal(2, report.ExitCode(strict: false));
    }

    [Fact]
    public void A_third_data_server_mends_the_reference_of_seven()
    {
        var seven = Seven;
        var mended = seven.Change("s5", machine => machine with { Roles = [.. machine.Roles, .. new[] { "redis", "galera", "etcd" }.Select(role => new MachineRole(role, machine.Place))] });
        var report = SampleRoles.Check(mended);
        Assert.Empty(report.Findings.Where(finding => finding.Severity == Severity.Error));
        Assert.All(report.Losses.Machines, line => Assert.True(line.Stops.Count == 0 || line.Stops.All(stop => stop.Service == "Alerts"), line.ToString()));
    }

    [Fact]
    public void A_layout_of_four_with_everything_twice_or_three_times_has_nothing_wrong()
    {
        var report = SampleRoles.Check(SampleRoles.Good());
        Assert.True(report.Findings.Count == 0, string.Join('\n', CheckText.Findings(report.Findings)));
        Assert.Equal(0, report.ExitCode(strict: true));
        Assert.All(report.Losses.Machines, line => Assert.Empty(line.Stops));
    }

    private static void Has(CheckReport report, string rule, Severity severity, string what) =>
        Assert.True(report.Findings.Any(finding => finding.Rule == rule && finding.Severity == severity && finding.What == what), $"{rule}: {what}\nis not among\n{string.Join('\n', CheckText.Findings(report.Findings))}");

    private static FleetModel Sized(FleetModel fleet, params (int Cores, long Memory, long Disk)[] sizes) => sizes.Length == 0 ? fleet : fleet with
    {
        Machines = [.. fleet.Machines.Select((machine, index) => machine with { Hardware = new(sizes[index].Cores, sizes[index].Memory << 30, sizes[index].Disk << 30, 0) })],
    };
}
