using System.Text.Json.Serialization;
using Dure.Fleet.Apply;
using Dure.Fleet.Plan;
using Dure.Host;

namespace Dure.Fleet.Commands;

/// <summary>One change, as <c>--format json</c> tells it.</summary>
internal sealed record ChangeView(string Sign, string Kind, string Role, string What, string? Why, bool Drift, bool Guarded, string? Diff);

/// <summary>What would be done on one machine.</summary>
internal sealed record MachinePlanView(string Machine, IReadOnlyDictionary<string, string> Facts, IReadOnlyList<ChangeView> Changes, IReadOnlyList<string> DataKept);

/// <summary>What would be done.</summary>
internal sealed record PlanView(string Fleet, int Changes, IReadOnlyList<MachinePlanView> Machines);

internal sealed record HealthView(string Role, string Check, bool Healthy, long TookMs, string? Text);

/// <summary>What became of one machine.</summary>
internal sealed record MachineApplyView(string Machine, string End, int Done, int Of, long TookMs, string? ErrorId, string? Error, IReadOnlyList<HealthView> Health, IReadOnlyList<ChangeView> Changes);

/// <summary>What an apply did: what <c>--format json</c> prints and the record that is kept.</summary>
internal sealed record ApplyView(string Id, string Fleet, string Who, DateTimeOffset At, long TookMs, bool Ok, IReadOnlyList<MachineApplyView> Machines);

/// <summary>From plans and outcomes to what is shown of them. Secrets never get here: their differences are masked where they are made.</summary>
internal static class FleetViews
{
    public static PlanView Of(string fleet, IReadOnlyList<MachineSession> machines, IReadOnlyDictionary<Change, string> diffs) =>
        new(fleet, machines.Sum(machine => machine.Plan.Changes.Count), [.. machines.Select(machine => new MachinePlanView(machine.Machine.Name, machine.Seen.Facts, Changes(machine.Plan, diffs), machine.Plan.Kept))]);

    public static MachineApplyView Of(MachineOutcome outcome, IReadOnlyDictionary<Change, string> diffs) => new(
        outcome.Machine,
        outcome.End switch { MachineEnd.NotBegun => "not-begun", var end => end.ToString().ToLowerInvariant() },
        outcome.Done,
        outcome.Plan.Changes.Count,
        (long)outcome.Took.TotalMilliseconds,
        outcome.Problem?.Kind.Id,
        outcome.Problem?.Detail,
        [.. outcome.Health.Select(check => new HealthView(check.Role, check.Name, check.Healthy, (long)check.Took.TotalMilliseconds, check.Text.Length > 0 ? check.Text : null))],
        Changes(outcome.Plan, diffs));

    private static IReadOnlyList<ChangeView> Changes(MachinePlan plan, IReadOnlyDictionary<Change, string> diffs) =>
    [
        .. plan.Changes.Select(change => new ChangeView(PlanText.Sign(change), change.Act.GetType().Name, change.Role, change.What, change.Why.Length > 0 ? change.Why : null, change.Drift, change.Guarded, diffs.GetValueOrDefault(change))),
    ];
}

/// <summary>The slice's JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PlanView))]
[JsonSerializable(typeof(ApplyView))]
[JsonSerializable(typeof(IReadOnlyList<ApplyView>))]
internal sealed partial class FleetJson : JsonSerializerContext;
