using Dure.Fleet.Model;
using Dure.Fleet.Roles;

namespace Dure.Fleet.Check.Rules;

/// <summary>Ports that two roles want.</summary>
internal static class PortRules
{
    public static IEnumerable<Finding> Find(CheckScope scope)
    {
        var clashes = scope.Fleet.Machines
            .SelectMany(machine => Clashes(scope, machine).Select(clash => (machine, clash)))
            .GroupBy(pair => pair.clash, pair => pair.machine)
            .ToList();
        var onMachines = clashes.Select(clash => clash.Key).ToHashSet();
        return
        [
            .. clashes.Select(clash => CheckRules.PortClash.At(
                CheckScope.PlaceOf(clash.First(), clash.Key.Second),
                Words.Text($"{clash.Key.First} and {clash.Key.Second} both listen on {clash.Key.Number}/{clash.Key.Protocol} of {Words.Names(clash)}."))),
            .. OnVip(scope).Where(clash => !onMachines.Contains(clash)).Select(clash => CheckRules.VipPortClash.At(
                scope.PlaceOf(clash.Second),
                Words.Text($"{clash.First} and {clash.Second} both bind {clash.Number}/{clash.Protocol} on the virtual address."))),
        ];
    }

    private static IEnumerable<Clash> Clashes(CheckScope scope, Machine machine)
    {
        var taken = new Dictionary<(int, string, bool), (string Role, string What)>();
        var found = new HashSet<Clash>();
        foreach (var role in scope.RolesOf(machine))
        {
            // A number of 0 is an IP protocol, which several may speak.
            foreach (var port in scope.Ports(role).Where(port => port.Number > 0))
            {
                foreach (var onVip in port.OnlyVip ? new[] { true } : port.OnVip ? [true, false] : [false])
                {
                    // One program may come with several roles.
                    if (!taken.TryAdd((port.Number, port.Protocol, onVip), (role, port.What)) && taken[(port.Number, port.Protocol, onVip)] is var first && first.Role != role && first.What != port.What)
                        found.Add(new Clash(first.Role, role, port.Number, port.Protocol));
                }
            }
        }
        return found;
    }

    private static IEnumerable<Clash> OnVip(CheckScope scope) =>
        scope.Present.SelectMany(kind => scope.Ports(kind.Name).Where(port => port is { OnVip: true, Number: > 0 }).Select(port => (kind.Name, port.Number, port.Protocol)))
            .Distinct()
            .GroupBy(bound => (bound.Number, bound.Protocol))
            .SelectMany(same => same.Skip(1).Select(other => new Clash(same.First().Name, other.Name, same.Key.Number, same.Key.Protocol)));

    private sealed record Clash(string First, string Second, int Number, string Protocol);
}
