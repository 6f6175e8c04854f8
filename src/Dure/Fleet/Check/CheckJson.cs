using System.Text.Json.Serialization;
using Dure.Fleet.Check.Drawing;
using Dure.Fleet.Check.Estimates;
using Dure.Fleet.Check.Losses;
using Dure.Fleet.Roles;

namespace Dure.Fleet.Check;

/// <summary>What <c>dure check --format json</c> prints.</summary>
/// <param name="Cost">EUR a month; see the text for what is in it.</param>
internal sealed record CheckView(
    string Fleet,
    int Machines,
    int Errors,
    int Warnings,
    IReadOnlyList<FindingView> Findings,
    LossReport Losses,
    Topology Topology,
    CapacityEstimate Capacity,
    CostView Cost,
    IReadOnlyList<ReadinessView> Readiness)
{
    public static CheckView Of(CheckReport report) => new(
        report.Fleet,
        report.Machines,
        report.Errors,
        report.Warnings,
        [.. report.Findings.Select(finding => new FindingView(finding.Rule, Word(finding.Severity), finding.Where.ToString(), finding.What, finding.Remedy))],
        report.Losses,
        report.Topology,
        report.Capacity,
        new CostView(report.Cost.Total, "EUR", report.Cost.ToString()),
        [.. report.Readiness.Select(item => new ReadinessView(item.Id, item.Title, item.State.ToString().ToLowerInvariant(), item.Evidence))]);

    /// <summary><c>error</c>, <c>warning</c> or <c>note</c>.</summary>
    public static string Word(Severity severity) => severity.ToString().ToLowerInvariant();
}

/// <summary>A finding; the place is <c>dure.yaml:3:5</c>.</summary>
internal sealed record FindingView(string Rule, string Severity, string Where, string What, string Remedy);

/// <summary>An amount for a month, and what it is made of.</summary>
internal sealed record CostView(decimal Month, string Currency, string Text);

/// <summary>A line of the readiness list: <c>yes</c>, <c>no</c> or <c>unknown</c>.</summary>
internal sealed record ReadinessView(string Id, string Title, string State, string Evidence);

/// <summary>JSON that <c>dure check</c> prints.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(CheckView))]
internal sealed partial class CheckJson : JsonSerializerContext;
