using Dure.Fleet.Drill;
using Dure.Fleet.Model;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Fleet.Drill;

public sealed class CoveringTest
{
    private static readonly string[] Roles = ["balancer", "web", "dure", "postgres", "redis", "galera", "slurm-controller"];

    private static Arbitrary<(int[] Machines, int Seed)> Fleets { get; } =
        Gen.Zip(Gen.Choose(1, (1 << 7) - 1).ArrayOf(), Gen.Choose(0, 1000)).Select(pair => (pair.Item1[..Math.Min(pair.Item1.Length, 7)], pair.Item2)).ToArbitrary();

    [Fact]
    public void Every_two_of_tier_fault_and_position_that_can_meet_do_meet_in_a_drill_of_all() =>
        Prop.ForAll(Fleets, one =>
        {
            var possible = PlannedDrill.Possible(Fleet(one.Machines), lab: true);
            var chosen = Covering.Choose(possible, one.Seed);
            foreach (var drill in possible)
            {
                Assert.Contains(chosen, other => other.Tier == drill.Tier && other.Fault == drill.Fault);
                Assert.Contains(chosen, other => other.Tier == drill.Tier && other.Position == drill.Position);
                Assert.Contains(chosen, other => other.Fault == drill.Fault && other.Position == drill.Position);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void Whoever_leads_a_tier_loses_its_process_and_its_power() =>
        Prop.ForAll(Fleets, one =>
        {
            var fleet = Fleet(one.Machines);
            var chosen = Covering.Choose(PlannedDrill.Possible(fleet, lab: true), one.Seed);
            foreach (var tier in DrillTiers.Of(fleet).Where(tier => tier.Shares is null))
            {
                Assert.Contains(new PlannedDrill(tier, FaultKind.PowerCut, Position.Leader), chosen);
                Assert.Contains(new PlannedDrill(tier, FaultKind.ProcessKill, Position.Leader), chosen);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(100));

    [Fact]
    public void A_drill_fewer_leaves_something_uncovered()
    {
        var chosen = Covering.Choose(PlannedDrill.Possible(FleetSamples.Four(), lab: true), 1);
        var whole = Covering.Of(chosen);
        // The bad control of the tests above: they would notice. Greedy may leave one to spare, not many.
        var spare = chosen.Count(drill => Covering.Of(chosen.Where(other => other != drill)).SetEquals(whole));
        Assert.InRange(spare, 0, chosen.Count / 5);
        Assert.InRange(chosen.Count, 1, PlannedDrill.Possible(FleetSamples.Four(), lab: true).Count * 2 / 3);
    }

    [Fact]
    public void The_same_seed_gives_the_same_order_and_another_seed_another()
    {
        var possible = PlannedDrill.Possible(FleetSamples.Four(), lab: true);
        Assert.Equal(Covering.Choose(possible, 7), Covering.Choose([.. possible.Reverse()], 7));
        Assert.NotEqual(Covering.Shuffled(possible, 7), Covering.Shuffled(possible, 8));
        Assert.Equal(possible.ToHashSet(), Covering.Shuffled(possible, 8).ToHashSet());
    }

    [Fact]
    public void Without_a_lab_nothing_is_offered_that_SSH_cannot_do()
    {
        var possible = PlannedDrill.Possible(FleetSamples.Four(), lab: false);
        Assert.All(possible, drill => Assert.Contains(drill.Fault, new[] { FaultKind.ProcessKill, FaultKind.RollingReboot }));
        Assert.Contains(possible, drill => drill.Name == "postgres-process-kill");
        Assert.Contains(possible, drill => drill.Name == "fleet-rolling-reboot");
        Assert.Contains(PlannedDrill.Possible(FleetSamples.Four(), lab: true), drill => drill.Name == "redis-power-cut-standby");
    }

    [Fact]
    public void Every_drill_has_a_name_of_its_own()
    {
        var names = PlannedDrill.Possible(FleetSamples.Four(), lab: true).Select(drill => drill.Name).ToList();
        Assert.Equal(names.Count, names.Distinct(StringComparer.Ordinal).Count());
    }

    private static FleetModel Fleet(int[] machines) => FleetSamples.Of(
        [],
        [.. machines.Select((mask, index) => ($"n{index + 1}", string.Join(',', Roles.Where((_, bit) => (mask & (1 << bit)) != 0))))]);
}
