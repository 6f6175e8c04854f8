using Dure.Fleet.Check.Losses;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Fleet.Check;

/// <summary>
/// The analysis reads losses off terms. Here the same is found out by doing it: machines of random fleets are marked dead, one, two, a zone or any set of
/// them, and services are tried until none changes any more.
/// </summary>
public sealed class LossPropertyTest
{
    private const int Roles = 5;

    private static Arbitrary<Case> Cases { get; } =
        Gen.Zip(Gen.Choose(0, (1 << (Roles + 2)) - 1).ArrayOf(), Gen.Choose(0, 20_735).ArrayOf())
            .Select(pair => new Case(pair.Item1[..Math.Min(pair.Item1.Length, 8)], pair.Item2[..Math.Min(pair.Item2.Length, 6)]))
            .ToArbitrary();

    [Fact]
    public void Every_loss_of_one_machine_two_machines_or_a_zone_stops_what_a_simulation_sees_stop() =>
        Prop.ForAll(Cases, one => Assert.Equal("", Disagreement(one, one.Services()))).Check(Config.QuickThrowOnFailure.WithMaxTest(600));

    [Fact]
    public void The_smallest_losses_and_how_many_are_survived_are_those_of_a_simulation() =>
        Prop.ForAll(Cases, one =>
        {
            var fleet = one.Fleet();
            var analysis = new LossAnalysis(fleet, fleet.With, one.Services());
            foreach (var service in analysis.Services)
            {
                var fatal = Subsets(fleet.Machines).Where(dead => !Simulation.Works(fleet, one.Services(), dead).Contains(service.Service.Name)).ToList();
                var survives = fatal.Count == 0 ? int.MaxValue : fatal.Min(dead => dead.Count) - 1;
                Assert.Equal(survives, service.Survives);
                var alone = fatal.Where(dead => dead.Count == 1 && survives >= 0).Select(dead => dead.Single()).ToHashSet(StringComparer.Ordinal);
                Assert.Equal(alone.Order(StringComparer.Ordinal), LossAnalysis.Singles(service).Select(single => single.Machine.Name).Order(StringComparer.Ordinal));
                var pairs = fatal.Where(dead => dead.Count == 2 && survives >= 0 && !dead.Overlaps(alone)).Select(dead => string.Join(' ', dead.Order(StringComparer.Ordinal)));
                Assert.Equal(pairs.Order(StringComparer.Ordinal), LossAnalysis.Pairs(service).Select(pair => $"{pair.First.Name} {pair.Second.Name}").Order(StringComparer.Ordinal));
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(150));

    [Fact]
    public void An_analysis_that_forgets_what_services_need_is_caught() => Caught(condition => condition is Condition.Needs ? new Condition.Both([]) : condition);

    [Fact]
    public void An_analysis_that_takes_one_member_for_a_majority_is_caught() => Caught(condition => condition is Condition.MajorityOf most ? new Condition.AnyOf(most.Role) : condition);

    [Fact]
    public void An_analysis_that_wants_a_majority_where_one_is_enough_is_caught() => Caught(condition => condition is Condition.AnyOf any ? new Condition.MajorityOf(any.Role) : condition);

    [Fact]
    public void Services_that_need_each_other_work_together_and_stop_together()
    {
        var fleet = SampleRoles.Fleet(("n1", "r0"), ("n2", "r1"));
        Service[] services = [new("one", "t", new Condition.Both(new Condition.AnyOf("r0"), new Condition.Needs("two"))), new("two", "t", new Condition.Both(new Condition.AnyOf("r1"), new Condition.Needs("one")))];
        var analysis = new LossAnalysis(fleet, fleet.With, services);
        Assert.Empty(analysis.Stopped([]));
        Assert.Equal(["one", "two"], analysis.Stopped([fleet.Machines[1]]).Select(stop => stop.Service.Name));
    }

    // The broken analysis sees other conditions than the simulation: it must not get away with it.
    private static void Caught(Func<Condition, Condition> broken)
    {
        var failure = Assert.ThrowsAny<Exception>(() =>
            Prop.ForAll(Cases, one => Disagreement(one, [.. one.Services().Select(service => service with { Works = Replace(service.Works, broken) })]).Length == 0)
                .Check(Config.QuickThrowOnFailure.WithMaxTest(600)));
        Assert.Contains("Falsifiable", failure.Message, StringComparison.Ordinal);
    }

    private static Condition Replace(Condition condition, Func<Condition, Condition> with) =>
        condition is Condition.Both both ? new Condition.Both([.. both.Of.Select(each => Replace(each, with))]) : with(condition);

    private static string Disagreement(Case one, IReadOnlyList<Service> seen)
    {
        var fleet = one.Fleet();
        var analysis = new LossAnalysis(fleet, fleet.With, seen);
        foreach (var dead in Losses(fleet))
        {
            var working = Simulation.Works(fleet, one.Services(), dead);
            var stopped = analysis.Stopped(fleet.Machines.Where(machine => dead.Contains(machine.Name))).Select(stop => stop.Service.Name).ToHashSet(StringComparer.Ordinal);
            foreach (var service in one.Services().Where(service => stopped.Contains(service.Name) == working.Contains(service.Name)))
                return $"without [{string.Join(' ', dead)}] {service.Name} ({service.Works}): simulated {working.Contains(service.Name)}";
        }
        return "";
    }

    private static IEnumerable<HashSet<string>> Losses(FleetModel fleet) =>
    [
        [],
        .. fleet.Machines.Select(machine => new HashSet<string>(StringComparer.Ordinal) { machine.Name }),
        .. from first in fleet.Machines from second in fleet.Machines select new HashSet<string>(StringComparer.Ordinal) { first.Name, second.Name },
        .. fleet.Machines.GroupBy(machine => machine.Zone, StringComparer.Ordinal).Select(zone => zone.Select(machine => machine.Name).ToHashSet(StringComparer.Ordinal)),
    ];

    private static IEnumerable<HashSet<string>> Subsets(IReadOnlyList<Machine> machines) =>
        Enumerable.Range(0, 1 << machines.Count).Select(bits => machines.Where((_, index) => (bits >> index & 1) == 1).Select(machine => machine.Name).ToHashSet(StringComparer.Ordinal));

    /// <summary>A random fleet: a number for each machine (its roles, then its zone) and one for each service (its conditions).</summary>
    internal sealed record Case(int[] Machines, int[] Numbers)
    {
        public FleetModel Fleet()
        {
            var fleet = SampleRoles.Fleet([.. Machines.Select((number, index) => ($"n{index}", string.Join(',', Enumerable.Range(0, Roles).Where(role => (number >> role & 1) == 1).Select(role => $"r{role}"))))]);
            return fleet with { Machines = [.. fleet.Machines.Select((machine, index) => machine with { Zone = $"z{Machines[index] >> Roles}" })] };
        }

        public IReadOnlyList<Service> Services() => [.. Numbers.Select((number, index) => new Service($"s{index}", "t", Condition(number)))];

        public override string ToString() => $"machines [{string.Join(", ", Fleet().Machines.Select(machine => $"{machine.Name}: {string.Join(' ', machine.Roles.Select(role => role.Role))}"))}] services [{string.Join(", ", Services())}]";

        private Condition Condition(int number)
        {
            var conditions = new List<Condition>();
            for (; number > 0; number /= 12)
            {
                conditions.Add((number % 12) switch
                {
                    < Roles and var role => new Condition.AnyOf($"r{role}"),
                    < 2 * Roles and var role => new Condition.MajorityOf($"r{role - Roles}"),
                    _ => new Condition.Needs($"s{number / 12 % (Numbers.Length + 1)}"),
                });
            }
            return conditions.Count == 1 ? conditions[0] : conditions.Count > 2 ? new Condition.Both(conditions[0], new Condition.Both([.. conditions.Skip(1)])) : new Condition.Both(conditions);
        }
    }

    /// <summary>Machines die, and services are switched off one after another until nothing changes.</summary>
    private static class Simulation
    {
        public static HashSet<string> Works(FleetModel fleet, IReadOnlyList<Service> services, HashSet<string> dead)
        {
            var on = services.Select(service => service.Name).ToHashSet(StringComparer.Ordinal);
            while (services.FirstOrDefault(service => on.Contains(service.Name) && !Holds(service.Works, fleet, dead, on)) is { } off)
                on.Remove(off.Name);
            return on;
        }

        private static bool Holds(Condition condition, FleetModel fleet, HashSet<string> dead, HashSet<string> on)
        {
            int all = 0, alive = 0;
            switch (condition)
            {
                case Condition.Needs needs:
                    return on.Contains(needs.Service);
                case Condition.Both both:
                    foreach (var each in both.Of)
                    {
                        if (!Holds(each, fleet, dead, on))
                            return false;
                    }
                    return true;
                case Condition.AnyOf any:
                    Count(any.Role);
                    return alive > 0;
                case Condition.MajorityOf most:
                    Count(most.Role);
                    return alive * 2 > all;
                default:
                    throw new InvalidOperationException(condition.ToString());
            }
            void Count(string role)
            {
                foreach (var machine in fleet.Machines)
                {
                    if (machine.Roles.Any(given => given.Role == role))
                    {
                        all++;
                        alive += dead.Contains(machine.Name) ? 0 : 1;
                    }
                }
            }
        }
    }
}
