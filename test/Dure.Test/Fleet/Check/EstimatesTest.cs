using Dure.Fleet.Check;
using Dure.Fleet.Check.Estimates;
using Dure.Fleet.Model;
using Xunit;

namespace Dure.Test.Fleet.Check;

public sealed class EstimatesTest
{
    [Fact]
    public void What_is_left_without_the_largest_machine_is_counted_against_all_that_is_asked()
    {
        var fleet = SampleRoles.Good().Change("n3", machine => machine with { Hardware = new(16, 32L << 30, 500L << 30, 0) });
        var capacity = SampleRoles.Check(fleet).Capacity;
        Assert.Equal(28, capacity.There.Cores);
        Assert.Equal(56.0 * (1L << 30), capacity.There.Memory);
        var memory = capacity.WithoutLargest.Single(left => left.Resource == "memory");
        Assert.Equal(("n3", 24.0 * (1L << 30)), (memory.Lost, memory.Left));
        Assert.Equal(memory.Left - capacity.Asked.Memory, memory.Free);
    }

    [Fact]
    public void Labels_say_the_cost_and_electricity_is_estimated_for_the_others()
    {
        var fleet = SampleRoles.Fleet(("n1", "web"), ("n2", "web"), ("n3", "web"))
            .Change("n1", machine => machine with { Labels = ["cost=49"] })
            .Change("n2", machine => machine with { Labels = ["watts=100"] })
            .Change("n3", machine => machine with { Hardware = new(0, 0, 0, 0) });
        var cost = CostEstimate.Of(fleet);
        Assert.Equal((49m, 21.90m, 70.90m), (cost.Rent, cost.Power, cost.Total));
        Assert.Equal("About 71 EUR a month: 49 for 1 machine by label cost, 22 for the electricity of 1 machine (estimated 100 W at 0.30 EUR/kWh). Not in it: purchase, cooling, network, people, and n3, of which neither hardware nor cost is given.", cost.ToString());
    }

    [Fact]
    public void Electricity_grows_with_cores_memory_and_gpus()
    {
        double Watts(Hardware hardware) => CostEstimate.Of(SampleRoles.Fleet(("n1", "web")).Change("n1", machine => machine with { Hardware = hardware })).Watts;
        var small = Watts(new(4, 8L << 30, 1, 0));
        Assert.InRange(small, 30, 120);
        Assert.True(Watts(new(8, 8L << 30, 1, 0)) > small);
        Assert.True(Watts(new(4, 64L << 30, 1, 0)) > small);
        Assert.True(Watts(new(4, 8L << 30, 1, 2)) > small + 300);
    }

    [Fact]
    public void The_readiness_list_says_unknown_where_nobody_looked_and_yes_or_no_where_somebody_did()
    {
        var blind = States(new CheckFacts(SampleRoles.Now));
        Assert.Equal(Answer.Yes, blind["machine-loss"]);
        Assert.Equal(Answer.Yes, blind["quorum"]);
        Assert.Equal(Answer.Yes, blind["door"]);
        Assert.Equal(Answer.No, blind["objectives"]);
        Assert.All(["tls", "secrets", "alerts", "drill", "backup", "restore", "drift"], item => Assert.Equal(Answer.Unknown, blind[item]));

        var seen = new CheckFacts(SampleRoles.Now)
        {
            Secrets = new HashSet<string>(StringComparer.Ordinal) { "vrrp", "postgres", "slack" },
            Certificates = [new("lab.pem", ["lab.example.org"], SampleRoles.Now.AddDays(60))],
            Backup = new(SampleRoles.Now.AddHours(-2), SampleRoles.Now.AddDays(-30)),
            Drill = new(SampleRoles.Now.AddDays(-30), true),
            Drifted = 0,
        };
        Assert.All(["tls", "secrets", "alerts", "drill", "backup", "restore", "drift"], item => Assert.Equal(Answer.Yes, States(seen)[item]));

        var bad = States(seen with
        {
            Secrets = new HashSet<string>(StringComparer.Ordinal) { "vrrp" },
            Certificates = [new("lab.pem", ["lab.example.org"], SampleRoles.Now.AddDays(6))],
            Backup = new(SampleRoles.Now.AddDays(-2), null),
            Drill = new(SampleRoles.Now.AddDays(-3), false),
            Drifted = 2,
        });
        Assert.All(["tls", "secrets", "alerts", "drill", "backup", "restore", "drift"], item => Assert.Equal(Answer.No, bad[item]));
    }

    [Fact]
    public void A_fleet_that_one_loss_ends_is_not_ready()
    {
        var report = SampleRoles.Check(SampleRoles.Fleet(("n1", "balancer,web"), ("n2", "redis")));
        var items = report.Readiness.ToDictionary(item => item.Id, StringComparer.Ordinal);
        Assert.Equal((Answer.No, "Virtual address, Web and Redis do not take it"), (items["machine-loss"].State, items["machine-loss"].Evidence));
        Assert.Equal((Answer.No, "redis 1"), (items["quorum"].State, items["quorum"].Evidence));
        Assert.Equal(Answer.No, items["door"].State);
        Assert.Equal(Answer.No, items["monitoring"].State);
        Assert.Equal((Answer.No, "not on n1 and n2"), (items["firewall"].State, items["firewall"].Evidence));
    }

    private static Dictionary<string, Answer> States(CheckFacts facts) =>
        SampleRoles.Check(SampleRoles.Good(), facts).Readiness.ToDictionary(item => item.Id, item => item.State, StringComparer.Ordinal);
}
