using System.Text.Json.Serialization;
using Dure.Fleet.Commands;

namespace Dure.Fleet.Upgrade;

/// <summary>What could be upgraded on one machine.</summary>
/// <param name="Dure">Another build of Dure is here than there.</param>
internal sealed record MachineOfferView(string Machine, string Zone, IReadOnlyList<string> Leads, bool Dure, IReadOnlyList<OfferedPackageView> Packages);

internal sealed record OfferedPackageView(string Name, string? Installed, string Candidate);

/// <summary>What could be upgraded, and in which order.</summary>
internal sealed record OfferView(string Fleet, IReadOnlyList<string> Order, IReadOnlyList<MachineOfferView> Machines);

/// <summary>From an upgrade to what is shown and kept of it: it is kept as applies are.</summary>
internal static class UpgradeViews
{
    public static MachineApplyView Of(MachineUpgrade one, UpgradeWork work)
    {
        var changes = work.Changes(one.Machine);
        return new(
            one.Name,
            one.End switch { UpgradeEnd.NotBegun => "not-begun", var end => end.ToString().ToLowerInvariant() },
            one.End == UpgradeEnd.Upgraded ? changes.Count : 0,
            changes.Count,
            (long)one.Took.TotalMilliseconds,
            one.Problem?.Kind.Id,
            one.Problem?.Detail,
            [.. one.Health.Select(check => new HealthView(check.Role, check.Name, check.Healthy, (long)check.Took.TotalMilliseconds, check.Text.Length > 0 ? check.Text : null))],
            changes);
    }
}

/// <summary>The JSON of what is offered.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OfferView))]
internal sealed partial class UpgradeJson : JsonSerializerContext;
