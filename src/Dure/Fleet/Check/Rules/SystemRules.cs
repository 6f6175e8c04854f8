using System.Globalization;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;

namespace Dure.Fleet.Check.Rules;

/// <summary>Operating systems and versions.</summary>
internal static class SystemRules
{
    private const int EndingDays = 180;

    /// <summary>Systems that the roles are made for, and the last month of their free security updates (Debian: with LTS; Ubuntu: five years).</summary>
    public static readonly IReadOnlyDictionary<string, DateTimeOffset> Supported = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal)
    {
        ["debian-12"] = new(2028, 6, 30, 0, 0, 0, TimeSpan.Zero),
        ["debian-13"] = new(2030, 6, 30, 0, 0, 0, TimeSpan.Zero),
        ["ubuntu-22.04"] = new(2027, 4, 30, 0, 0, 0, TimeSpan.Zero),
        ["ubuntu-24.04"] = new(2029, 4, 30, 0, 0, 0, TimeSpan.Zero),
    };

    public static IEnumerable<Finding> Find(CheckScope scope) => [.. Systems(scope), .. Quorums(scope), .. Facts(scope)];

    private static IEnumerable<Finding> Systems(CheckScope scope)
    {
        foreach (var same in scope.Fleet.Machines.GroupBy(machine => machine.Os, StringComparer.Ordinal))
        {
            if (!Supported.TryGetValue(same.Key, out var ends))
            {
                yield return CheckRules.OsUnsupported.At(same.First().Place, $"{Words.Names(same)}: the roles are not made for {(same.Key.Length == 0 ? "a system that is not named" : same.Key)}.");
                continue;
            }
            var days = (ends - scope.Facts.Now).TotalDays;
            if (days < EndingDays)
                yield return CheckRules.OsEnding.At(same.First().Place, $"{Words.Names(same)}: security updates of {same.Key} {(days < 0 ? "ended" : "end")} in {ends.ToString("MMMM yyyy", CultureInfo.InvariantCulture)}.");
        }
    }

    private static IEnumerable<Finding> Quorums(CheckScope scope)
    {
        var facts = scope.Facts.Machines.DistinctBy(fact => fact.Machine, StringComparer.Ordinal).ToDictionary(fact => fact.Machine, StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var role in scope.Quorums)
        {
            var members = scope.With(role);
            if (members.Select(machine => machine.Os).Distinct(StringComparer.Ordinal).Skip(1).Any())
            {
                var by = members.GroupBy(machine => machine.Os, StringComparer.Ordinal).Select(same => $"{same.Key} on {Words.Names(same)}");
                yield return CheckRules.OsMixed.At(scope.PlaceOf(role), $"{role} runs on {string.Join(", ", by)}.");
                continue;
            }
            var versions = members.Select(machine => facts.GetValueOrDefault(machine.Name)).OfType<MachineFact>()
                .SelectMany(fact => fact.Versions.Select(version => (version.Key, version.Value, fact.Machine)))
                .GroupBy(version => version.Key, StringComparer.Ordinal);
            foreach (var package in versions.Where(package => package.Select(version => version.Value).Distinct(StringComparer.Ordinal).Skip(1).Any()))
            {
                var text = string.Join(", ", package.GroupBy(version => version.Value, StringComparer.Ordinal).Select(same => $"{same.Key} on {Words.List([.. same.Select(version => version.Machine)])}"));
                if (seen.Add($"{package.Key} {text}"))
                    yield return CheckRules.VersionMixed.At(scope.PlaceOf(role), $"{package.Key} of {role} is {text}.");
            }
        }
    }

    private static IEnumerable<Finding> Facts(CheckScope scope)
    {
        var machines = scope.Fleet.Machines.ToLookup(machine => machine.Name, StringComparer.Ordinal);
        return
            from fact in scope.Facts.Machines
            from machine in machines[fact.Machine]
            where fact.Os.Length > 0 && fact.Os != machine.Os
            select CheckRules.OsDiffers.At(machine.Place, $"{machine.Name} runs {fact.Os}; the file says {machine.Os}.");
    }
}
