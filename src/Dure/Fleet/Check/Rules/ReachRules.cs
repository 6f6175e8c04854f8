using Dure.Fleet.Model;
using Dure.Fleet.Roles;

namespace Dure.Fleet.Check.Rules;

/// <summary>Machines that must speak with each other and cannot: for want of a common network, or because of the firewall.</summary>
internal static class ReachRules
{
    public static IEnumerable<Finding> Find(CheckScope scope) => [.. Needs(scope), .. Networks(scope), .. Firewall(scope)];

    // A role that needs another one reaches it itself, or through one that binds the virtual address and may ask it: a balancer.
    private static IEnumerable<Finding> Needs(CheckScope scope)
    {
        foreach (var kind in scope.Present)
        {
            foreach (var needed in kind.Needs.Where(needed => scope.With(needed).Count > 0 && !Reaches(scope, kind.Name, needed)))
            {
                if (scope.With(kind.Name).Any(machine => scope.With(needed).Any(other => other != machine)))
                    yield return CheckRules.Unreachable.At(scope.PlaceOf(kind.Name), $"{kind.Name} needs {needed}, and no port of {needed} is open to {kind.Name}.");
            }
        }
    }

    private static bool Reaches(CheckScope scope, string from, string to)
    {
        var ports = scope.Ports(to).Where(port => port.Reach != Reach.Loopback).ToList();
        return ports.Count == 0
            || ports.Exists(port => Admits(port, from))
            || ports.SelectMany(port => port.From).Any(between => scope.With(between).Count > 0 && scope.Ports(between).Any(port => port.OnVip && Admits(port, from)));
    }

    private static IEnumerable<Finding> Networks(CheckScope scope)
    {
        if (scope.Fleet.Networks.Count == 0)
            yield break;
        foreach (var (from, to) in Links(scope).Select(link => (link.From, link.To)).Distinct())
        {
            var there = scope.With(to).Where(machine => machine.Addresses.Count > 0).GroupBy(machine => NetworkOf(scope.Fleet, machine), StringComparer.Ordinal);
            foreach (var network in there.Where(network => network.Key != "public"))
            {
                var apart = scope.With(from).Where(machine => machine.Addresses.Count > 0 && machine.On(network.Key) is null).ToList();
                if (apart.Count > 0)
                    yield return CheckRules.NetworkApart.At(CheckScope.PlaceOf(apart[0], from), $"{from} on {Words.Names(apart)} speaks with {to} on {Words.Names(network)} over {network.Key}, and {(apart.Count == 1 ? "has" : "have")} no address there.");
            }
        }
    }

    // What is opened, and to whom, follows from roles: one machine speaks for all with the same roles, on either side.
    private static IEnumerable<Finding> Firewall(CheckScope scope)
    {
        if (scope.Opens is not { } opens)
            yield break;
        var alike = scope.Fleet.Machines.GroupBy(machine => string.Join(',', machine.Roles.Select(given => given.Role).Order(StringComparer.Ordinal)), StringComparer.Ordinal).Select(same => same.ToList()).ToList();
        var guarded = alike.Where(same => same[0].Has("firewall")).Select(same => (Machines: same, Lets: opens(scope.Fleet, same[0]))).ToList();
        foreach (var (from, to, port) in Links(scope))
        {
            var asking = alike.Where(same => from == BaseRole.Kind.Name || same[0].Has(from)).ToList();
            var shut = guarded.Where(same => same.Machines[0].Has(to) && asking.Exists(others => others.Find(other => other != same.Machines[0]) is { } other && !same.Lets(other, port.Protocol, port.Number)))
                .SelectMany(same => same.Machines).OrderBy(machine => machine.Order).ToList();
            if (shut.Count > 0)
                yield return CheckRules.Unreachable.At(scope.PlaceOf(to), Words.Text($"{from} must reach {port.What} ({port.Number}/{port.Protocol}) of {to} on {Words.Names(shut)}, and the firewall there does not open it."));
        }
    }

    private static IEnumerable<(string From, string To, Port Port)> Links(CheckScope scope) =>
        from kind in scope.Present
        from port in scope.Ports(kind.Name)
        where port.Reach == Reach.Roles
        from role in port.From
        where scope.With(role).Count > 0
        select (role, kind.Name, port);

    private static bool Admits(Port port, string from) => port.Reach is Reach.World or Reach.Fleet || port.Reach == Reach.Roles && (port.From.Contains(from, StringComparer.Ordinal) || port.From.Contains(BaseRole.Kind.Name, StringComparer.Ordinal));

    private static string NetworkOf(FleetModel fleet, Machine machine) => machine.On(fleet.Internal.Name) is not null ? fleet.Internal.Name : machine.Addresses[0].Network;
}
