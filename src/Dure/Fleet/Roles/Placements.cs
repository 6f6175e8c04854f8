using System.Globalization;
using Dure.Fleet.Model;
using Dure.Host.Configuration;

namespace Dure.Fleet.Roles;

/// <summary>What several roles find wrong in the same way: how many members there are, and where they stand.</summary>
internal static class Placements
{
    /// <summary>A quorum of one, two or an even number, and one whose majority stands in one zone although the fleet has zones enough.</summary>
    /// <param name="what">What the members are: <c>etcd</c>, <c>Redis Sentinel</c>.</param>
    public static IEnumerable<Finding> Quorum(FleetModel fleet, string role, string what)
    {
        var members = fleet.With(role);
        if (members.Count == 0)
            yield break;
        if (members.Count < 3)
        {
            yield return new("quorum-small", Severity.Warning, At(fleet, role),
                $"{what} has {members.Count} of the three members that a quorum needs: the loss of {(members.Count == 1 ? members[0].Name : "either one")} stops it.",
                $"Give the role {role} to three machines.");
        }
        else if (members.Count % 2 == 0)
        {
            yield return new("quorum-even", Severity.Warning, At(fleet, role),
                $"{what} has {members.Count} members, which survives no more losses than {members.Count - 1} and is lost to a cut through the middle.",
                $"Give the role {role} to {members.Count - 1} or {members.Count + 1} machines.");
        }

        if (members.Count >= 3 && Crowded(fleet, members) is { } zone)
        {
            yield return new("quorum-zone", Severity.Warning, At(fleet, role),
                $"Zone {zone} holds {members.Count(machine => machine.Zone == zone)} of the {members.Count} members of {what}: when it fails, their majority is gone.",
                $"Spread the role {role} over the fleet's zones.");
        }
    }

    /// <summary>All members stand in one zone although the fleet has another.</summary>
    public static IEnumerable<Finding> OneZone(FleetModel fleet, string role, string what)
    {
        var members = fleet.With(role);
        if (members.Count >= 2 && Zones(members) == 1 && Zones(fleet.Machines) > 1)
        {
            yield return new("one-zone", Severity.Warning, At(fleet, role),
                $"Every machine with {what} stands in zone {members[0].Zone}: when it fails, none is left.",
                $"Give the role {role} to a machine in another zone.");
        }
    }

    /// <summary>Where the file first gives a role.</summary>
    public static Place At(FleetModel fleet, string role) =>
        fleet.With(role) is [var first, ..] ? first.Roles.First(given => given.Role == role).Place : new(fleet.File, 1, 1);

    /// <summary>Where the file gives a setting; where it first gives the role when the setting is the default.</summary>
    public static Place At(FleetModel fleet, string role, Setting setting)
    {
        if (fleet.Settings.TryGetValue(setting.Key, out var given) && given.Where.Split(':') is [.. var file, var line, var column]
            && long.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var atLine)
            && long.TryParse(column, NumberStyles.None, CultureInfo.InvariantCulture, out var atColumn))
        {
            return new(string.Join(':', file), atLine, atColumn);
        }

        return At(fleet, role);
    }

    // With two zones one of them has to hold the majority of three; only all of them in one is a mistake then.
    private static string? Crowded(FleetModel fleet, IReadOnlyList<Machine> members)
    {
        var zones = Zones(fleet.Machines);
        var fullest = members.GroupBy(machine => machine.Zone, StringComparer.Ordinal).MaxBy(zone => zone.Count())!;
        var allowed = zones switch { 1 => members.Count, 2 => members.Count - 1, _ => (members.Count - 1) / 2 };
        return fullest.Count() > allowed ? fullest.Key : null;
    }

    private static int Zones(IEnumerable<Machine> machines) => machines.Select(machine => machine.Zone).Distinct(StringComparer.Ordinal).Count();
}
