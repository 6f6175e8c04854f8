using Dure.Fleet.Model;
using Dure.Host.Configuration;

namespace Dure.Fleet.Roles.Galera;

/// <summary>What is wrong with a fleet's Galera.</summary>
internal static class GaleraChecks
{
    public static IEnumerable<Finding> Find(FleetModel fleet) =>
        fleet.With("galera").Count == 0 ? [] : [.. Safety(fleet), .. Times(fleet)];

    private static IEnumerable<Finding> Safety(FleetModel fleet)
    {
        if (fleet.Get(GaleraRole.Flush) != 1)
        {
            yield return new("galera-flush", Severity.Error, Places.Of(fleet, GaleraRole.Flush),
                "With galera.flush other than 1, a power cut of all members loses writes that were acknowledged.",
                "Set galera.flush to 1.");
        }

        if (fleet.Get(GaleraRole.Writers) > 1)
        {
            yield return new("galera-writers", Severity.Warning, Places.Of(fleet, GaleraRole.Writers),
                $"Clients write to {fleet.Get(GaleraRole.Writers)} members at once: updates of the same row can be lost, and commits can fail.",
                "Set galera.writers to 1.");
        }
    }

    private static IEnumerable<Finding> Times(FleetModel fleet)
    {
        var (suspect, inactive) = (fleet.Get(GaleraRole.Suspect), fleet.Get(GaleraRole.Inactive));
        if (inactive < suspect)
        {
            yield return new("galera-inactive", Severity.Error, Places.Of(fleet, GaleraRole.Inactive),
                $"galera.inactive ({Units.WriteDuration(inactive)}) is shorter than galera.suspect ({Units.WriteDuration(suspect)}).",
                $"Set galera.inactive to {Units.WriteDuration(suspect * 2)} or more.");
        }

        if (suspect < TimeSpan.FromSeconds(1))
        {
            yield return new("galera-suspect", Severity.Warning, Places.Of(fleet, GaleraRole.Suspect),
                $"Members are suspected after {Units.WriteDuration(suspect)} of silence, with a sign of life every 0.5 s: a busy machine is out for nothing.",
                "Set galera.suspect to 1500ms.");
        }
    }
}
