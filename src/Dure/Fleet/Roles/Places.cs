using System.Globalization;
using Dure.Fleet.Model;
using Dure.Host.Configuration;

namespace Dure.Fleet.Roles;

/// <summary>Where the file says what a finding is about.</summary>
internal static class Places
{
    /// <summary>Where a setting is given; where the role is first named when it has its default.</summary>
    public static Place Of(FleetModel fleet, Setting setting)
    {
        if (fleet.Settings.TryGetValue(setting.Key, out var given) && given.Where.Split(':') is [.. var file, var line, var column]
            && long.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var atLine)
            && long.TryParse(column, NumberStyles.None, CultureInfo.InvariantCulture, out var atColumn))
            return new(string.Join(':', file), atLine, atColumn);
        return Of(fleet, setting.Section);
    }

    /// <summary>Where a role is first named; the top of the file when it is nowhere.</summary>
    public static Place Of(FleetModel fleet, string role) =>
        fleet.With(role) is [var first, ..] ? Of(first, role) : new(fleet.File, 1, 1);

    /// <summary>Where a machine is given a role.</summary>
    public static Place Of(Machine machine, string role) => machine.Roles.First(given => given.Role == role).Place;
}
