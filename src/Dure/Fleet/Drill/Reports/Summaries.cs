using Dure.Fleet.Model;

namespace Dure.Fleet.Drill.Reports;

/// <summary>From single drills to what is said of each tier. Pure.</summary>
internal static class Summaries
{
    public static IReadOnlyList<TierSummary> Of(FleetModel fleet, IReadOnlyList<DrillOutcome> runs) =>
        [.. DrillTiers.Of(fleet).Where(tier => runs.Any(run => run.Tiers.Any(seen => seen.Tier == tier.Name))).Select(tier => Of(fleet, tier, runs))];

    private static TierSummary Of(FleetModel fleet, DrillTier tier, IReadOnlyList<DrillOutcome> runs)
    {
        var objective = tier.Objective(fleet);
        var seen = runs.SelectMany(run => run.Tiers.Where(outcome => outcome.Tier == tier.Name).Select(outcome => (run.Fault, Outcome: outcome))).ToList();
        // A tier whose only machine was away says nothing of its recovery.
        double? Worst(Func<string?, bool> of) => seen.Where(one => of(one.Fault) && one.Outcome.Verdict is not (Verdict.NoStandBy or Verdict.Void)).Select(one => (double?)one.Outcome.NoticedMs).Max();
        var process = FaultKinds.Word(FaultKind.ProcessKill);
        var holder = FaultKinds.Word(FaultKind.HolderGone);
        string[] machine = [FaultKinds.Word(FaultKind.PowerCut), FaultKinds.Word(FaultKind.NetworkCut), FaultKinds.Word(FaultKind.RollingReboot)];
        string[] other = [FaultKinds.Word(FaultKind.DiskFull), FaultKinds.Word(FaultKind.SlowNetwork)];
        var verdicts = seen.Select(one => one.Outcome.Verdict).ToHashSet();
        return new(
            tier.Name,
            Worst(fault => fault is null),
            Worst(fault => fault == process || fault == holder),
            (objective.ProcessRecovery ?? objective.Recovery).TotalMilliseconds,
            Worst(fault => machine.Contains(fault, StringComparer.Ordinal)),
            objective.Recovery.TotalMilliseconds,
            Worst(fault => other.Contains(fault, StringComparer.Ordinal)),
            seen.Sum(one => one.Outcome.Failed),
            seen.Sum(one => one.Outcome.Acknowledged),
            seen.Exists(one => one.Outcome.Lost is not null) ? seen.Sum(one => one.Outcome.Lost ?? 0) : null,
            new[] { Verdict.Void, Verdict.Missed, Verdict.LedgerLater, Verdict.CacheLost, Verdict.NoStandBy, Verdict.Kept, Verdict.Measured }.First(verdicts.Contains),
            tier.Note);
    }
}
