using Dure.Fleet.Check.Losses;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;

namespace Dure.Fleet.Check.Rules;

/// <summary>Quorums: how many vote, and what fails together.</summary>
internal static class QuorumRules
{
    public static IEnumerable<Finding> Find(CheckScope scope)
    {
        var domains = scope.Losses.Domains();
        var zones = scope.Fleet.Machines.Select(machine => machine.Zone).Distinct(StringComparer.Ordinal).Count();
        foreach (var role in scope.Quorums)
        {
            var members = scope.With(role);
            if (members.Count == 2)
                yield return CheckRules.QuorumTwo.At(scope.PlaceOf(role), $"{role} has two members, {Words.Names(members)}: two cannot hold a quorum, and when either dies the other stops too.");
            else if (members.Count > 2 && members.Count % 2 == 0)
                yield return CheckRules.QuorumEven.At(scope.PlaceOf(role), Words.Text($"{role} has {members.Count} members: it takes {(members.Count / 2) - 1} lost, as {members.Count - 1} would."));
            foreach (var finding in members.Count < 2 ? [] : Placement(scope, role, domains, zones))
                yield return finding;
        }
    }

    private static IEnumerable<Finding> Placement(CheckScope scope, string role, IReadOnlyList<Domain> domains, int zones)
    {
        var members = scope.With(role);
        var majority = (members.Count / 2) + 1;
        foreach (var (domain, inside) in domains.Select(domain => (domain, Inside(domain, role))))
        {
            var left = members.Count - inside.Count;
            if (domain.Kind == DomainKind.Zone)
            {
                // With one zone there is nothing to spread over: one note says so for the whole fleet. A zone with one member is that machine's own loss.
                if (zones > 1 && inside.Count > 1 && left < majority)
                    yield return CheckRules.QuorumZone.At(scope.PlaceOf(role), Words.Text($"Losing {domain} loses the {role} majority: {Words.Names(inside)} are there, {left} of {members.Count} would be left."));
            }
            else if (inside.Count > 1)
            {
                var finding = CheckRules.QuorumHost.At(CheckScope.PlaceOf(inside[1], role), Words.Text($"{Words.Names(inside)} are on {domain}: losing it leaves {left} of {members.Count} {role}{(left < majority ? ", no majority" : "")}."));
                yield return left < majority ? finding : finding with { Severity = Severity.Warning };
            }
        }
    }

    private static IReadOnlyList<Machine> Inside(Domain domain, string role) => [.. domain.Machines.Where(machine => machine.Has(role))];
}
