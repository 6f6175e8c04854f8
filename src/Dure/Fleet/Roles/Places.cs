using System.Globalization;
using Dure.Fleet.Model;
using Dure.Host.Configuration;

namespace Dure.Fleet.Roles;

/// <summary>Where in the fleet's file something can be changed.</summary>
internal static class Places
{
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
}
