using Dure.Fleet.Upgrade;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Fleet.Upgrade;

public sealed class UpgradeOrderTest
{
    /// <summary>Up to nine machines in up to four zones, of which some lead something.</summary>
    private static Arbitrary<Waiting[]> Fleets { get; } =
        Gen.Zip(Gen.Choose(0, 3), Gen.Choose(0, 5)).ArrayOf()
            .Select(machines => machines.Take(9).Select((one, i) => new Waiting($"n{i}", "abcd"[one.Item1].ToString(), i, Math.Max(0, one.Item2 - 3))).ToArray()).ToArbitrary();

    [Fact]
    public void Every_machine_has_one_turn_and_the_order_of_asking_is_all_the_same() =>
        Prop.ForAll(Fleets, machines =>
        {
            var order = UpgradeOrder.Of(machines);
            Assert.Equal(machines.ToHashSet(), order.ToHashSet());
            Assert.Equal(machines.Length, order.Count);
            Assert.Equal(order, UpgradeOrder.Of([.. machines.Reverse()]));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void A_zone_that_is_begun_is_finished_before_another() =>
        Prop.ForAll(Fleets, machines =>
        {
            var zones = UpgradeOrder.Of(machines).Select(machine => machine.Zone).ToList();
            var turns = zones.Where((zone, i) => i == 0 || zones[i - 1] != zone).ToList();
            Assert.Equal(turns.Distinct(), turns);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void In_a_zone_those_that_lead_come_last_and_zones_in_which_more_lead_come_later() =>
        Prop.ForAll(Fleets, machines =>
        {
            var order = UpgradeOrder.Of(machines);
            foreach (var (before, after) in order.Zip(order.Skip(1)))
            {
                if (before.Zone == after.Zone)
                    Assert.True((before.Leads > 0 ? 1 : 0, before.Place).CompareTo((after.Leads > 0 ? 1 : 0, after.Place)) < 0, $"{before}, {after}");
                else
                    Assert.True(Leaders(before.Zone) <= Leaders(after.Zone), $"{before}, {after}");
            }

            int Leaders(string zone) => machines.Count(machine => machine.Zone == zone && machine.Leads > 0);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void Who_begins_to_lead_on_the_way_is_last_of_the_zone_that_is_left()
    {
        Waiting Of(string name, string zone, int place, int leads = 0) => new(name, zone, place, leads);
        Assert.Equal("n2", UpgradeOrder.Next([Of("n1", "a", 0, leads: 1), Of("n2", "b", 1), Of("n3", "b", 2)], null).Machine);
        // n2 leads by now, although the file names it first.
        Assert.Equal("n3", UpgradeOrder.Next([Of("n2", "b", 1, leads: 1), Of("n3", "b", 2)], "b").Machine);
        // The zone is finished although n1 leads nothing any more.
        Assert.Equal("n2", UpgradeOrder.Next([Of("n1", "a", 0), Of("n2", "b", 1, leads: 2)], "b").Machine);
    }
}
