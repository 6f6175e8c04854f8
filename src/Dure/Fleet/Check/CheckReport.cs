using Dure.Fleet.Check.Drawing;
using Dure.Fleet.Check.Estimates;
using Dure.Fleet.Check.Losses;
using Dure.Fleet.Check.Rules;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Host;

namespace Dure.Fleet.Check;

/// <summary>All that <c>dure check</c> says about a fleet. Pure: the same fleet and facts give the same report.</summary>
internal sealed record CheckReport(
    string Fleet,
    int Machines,
    IReadOnlyList<Finding> Findings,
    LossReport Losses,
    Topology Topology,
    CapacityEstimate Capacity,
    CostEstimate Cost,
    IReadOnlyList<ReadinessItem> Readiness)
{
    public int Errors => Findings.Count(finding => finding.Severity == Severity.Error);

    public int Warnings => Findings.Count(finding => finding.Severity == Severity.Warning);

    /// <param name="catalogue">Every role that there is; <see cref="RoleKinds.All"/> but in tests.</param>
    /// <param name="opens">What a machine's firewall lets in, asked for few machines; null when none is derived.</param>
    public static CheckReport Of(FleetModel fleet, IReadOnlyList<RoleKind> catalogue, CheckFacts facts, Func<FleetModel, Machine, Admits>? opens = null)
    {
        var scope = new CheckScope(fleet, catalogue, facts, opens);
        var losses = LossReport.Of(scope);
        var capacity = CapacityEstimate.Of(scope);
        return new(fleet.Name, fleet.Machines.Count, FleetFindings.Of(scope), losses, Topology.Of(scope), capacity, CostEstimate.Of(fleet), ReadinessList.Of(scope, losses, capacity));
    }

    /// <summary>0 when nothing is wrong enough; 2 when there are errors, or with <paramref name="strict"/> warnings.</summary>
    public int ExitCode(bool strict) => Errors > 0 || strict && Warnings > 0 ? ExitCodes.Usage : ExitCodes.Ok;
}
