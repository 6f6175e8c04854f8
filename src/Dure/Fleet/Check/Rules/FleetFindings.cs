using Dure.Fleet.Roles;

namespace Dure.Fleet.Check.Rules;

/// <summary>All rules over one fleet.</summary>
internal static class FleetFindings
{
    private static readonly Func<CheckScope, IEnumerable<Finding>>[] Rules =
    [
        AddressRules.Find, PortRules.Find, RoleRules.Find, DoorRules.Find, QuorumRules.Find, SurvivalRules.Find, ReachRules.Find,
        DemandRules.Find, SecretRules.Find, SystemRules.Find, CertificateRules.Find, ObjectiveRules.Find, OfRoles,
    ];

    /// <summary>Everything that was found: errors first, then in the order of the file.</summary>
    public static IReadOnlyList<Finding> Of(CheckScope scope) =>
        [.. Rules.SelectMany(rule => rule(scope)).Distinct().OrderByDescending(finding => finding.Severity).ThenBy(finding => finding.Where.Line).ThenBy(finding => finding.Where.Column)];

    private static IEnumerable<Finding> OfRoles(CheckScope scope) => scope.Present.SelectMany(kind => kind.Check(scope.Fleet));
}
