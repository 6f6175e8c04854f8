using Dure.Fleet.Check.Losses;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;

namespace Dure.Fleet.Check.Rules;

/// <summary>Services that stop when a machine, a zone or a host is lost.</summary>
internal static class SurvivalRules
{
    public static IEnumerable<Finding> Find(CheckScope scope) => [.. Down(scope), .. Singles(scope), .. Together(scope)];

    private static IEnumerable<Finding> Down(CheckScope scope)
    {
        foreach (var service in scope.Losses.Services.Where(service => service.Survives < 0))
        {
            var missing = service.Terms.Where(part => part.Term.Members.Count == 0).Select(part => $"a machine with {part.Term.Role}")
                .Concat(service.Unknown.Select(name => $"the service {name}")).ToList();
            yield return CheckRules.ServiceDown.At(Where(scope, service), $"{service.Service.Name} cannot work: {Words.List(missing)} {(missing.Count == 1 ? "is" : "are")} missing.");
        }
    }

    // One line for each machine, with all that it stops: a reader mends machines and roles, not services. A quorum of two has its own rule.
    private static IEnumerable<Finding> Singles(CheckScope scope)
    {
        if (scope.Fleet.Machines.Count == 1)
            yield break;
        var stops = scope.Losses.Services.Where(service => service.Survives >= 0)
            .SelectMany(service => service.Terms.Select(part => (service.Service, part.Term)))
            .Where(stop => stop.Term.Members.Count == 1);
        foreach (var machine in stops.GroupBy(stop => (stop.Term.Members[0].Order, Expected: stop.Service.Note.Length > 0)))
        {
            var lost = machine.First().Term.Members[0];
            var services = machine.Select(stop => stop.Service).DistinctBy(service => service.Name, StringComparer.Ordinal).ToList();
            var roles = machine.Select(stop => stop.Term.Role).Distinct(StringComparer.Ordinal).ToList();
            var finding = CheckRules.SinglePoint.At(
                CheckScope.PlaceOf(lost, roles[0]),
                $"If {lost.Name} dies, {Words.All([.. services.Select(service => service.Name)])} {(services.Count == 1 ? "stops" : "stop")}: {lost.Name} is the only {Words.All(roles)}.");
            yield return machine.Key.Expected
                ? finding with { Severity = Severity.Note, What = $"{finding.What} {string.Join(' ', services.Select(service => service.Note).Distinct(StringComparer.Ordinal))}" }
                : finding;
        }
    }

    private static IEnumerable<Finding> Together(CheckScope scope)
    {
        var zones = scope.Fleet.Machines.Select(machine => machine.Zone).Distinct(StringComparer.Ordinal).ToList();
        if (zones.Count == 1 && scope.Fleet.Machines.Count > 1)
            yield return CheckRules.ZonesOne.At(scope.Top, Words.Text($"All {scope.Fleet.Machines.Count} machines are in {(zones[0].Length == 0 ? "no zone" : "zone " + zones[0])}."));
        var users = scope.Losses.Services.SelectMany(service => service.Terms.Select(part => (part.Term, service.Service.Name)))
            .Where(pair => pair.Term is { Majority: false, Members.Count: > 1 })
            .ToLookup(pair => pair.Term.Role, pair => pair.Name, StringComparer.Ordinal);
        foreach (var used in users)
        {
            var members = scope.With(used.Key);
            var stopped = Words.All([.. used.Distinct(StringComparer.Ordinal)]);
            if (zones.Count > 1 && Shared(members, machine => machine.Zone) is { } zone)
                yield return CheckRules.ZoneAll.At(scope.PlaceOf(used.Key), Words.Text($"All {members.Count} {used.Key} are in zone {zone} ({Words.Names(members)}): losing it stops {stopped}."));
            if (Shared(members, machine => LossAnalysis.HostOf(machine) ?? "") is { } host)
                yield return CheckRules.HostAll.At(scope.PlaceOf(used.Key), Words.Text($"All {members.Count} {used.Key} are on host {host} ({Words.Names(members)}): losing it stops {stopped}."));
        }
    }

    private static string? Shared(IReadOnlyList<Machine> members, Func<Machine, string> of) =>
        members.Select(of).Distinct(StringComparer.Ordinal).Take(2).ToList() is [{ Length: > 0 } one] ? one : null;

    private static Place Where(CheckScope scope, ServiceParts service) =>
        service.Terms.Where(part => part.Term.Members.Count > 0).Select(part => scope.PlaceOf(part.Term.Role)).Append(scope.Top).First();
}
