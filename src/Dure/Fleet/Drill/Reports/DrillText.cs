using System.Globalization;
using Dure.Host.Terminal;

namespace Dure.Fleet.Drill.Reports;

/// <summary>A report as tables of at most 100 columns.</summary>
internal static class DrillText
{
    private const int DrillWidth = 30;

    public static void Write(Screen screen, DrillReport report)
    {
        screen.Table(
            [new("Drill", DrillWidth), new("On"), new("Noticed", RightAligned: true), new("At most", RightAligned: true), new("Failed", RightAligned: true), new("Lost", RightAligned: true), new("Whole", RightAligned: true), new("Verdict", 20)],
            [.. report.Runs.Select(Row)]);
        screen.Line("");
        screen.Table(
            [new("Tier"), new("Control", RightAligned: true), new("Process", RightAligned: true), new("At most", RightAligned: true), new("Machine", RightAligned: true), new("At most", RightAligned: true), new("Other", RightAligned: true), new("Acked", RightAligned: true), new("Lost", RightAligned: true), new("Verdict", 12)],
            [.. report.Tiers.Select(tier => (IReadOnlyList<string>)[
                tier.Tier, Time(tier.ControlMs), Time(tier.ProcessMs), Time(tier.ProcessLimitMs), Time(tier.MachineMs), Time(tier.MachineLimitMs), Time(tier.OtherMs),
                tier.Acknowledged.ToString(CultureInfo.InvariantCulture), tier.Lost?.ToString(CultureInfo.InvariantCulture) ?? "-", Verdicts.Word(tier.Verdict)])]);
        screen.Line("");
        foreach (var failed in report.Runs.Where(run => run.Failure is not null))
            Wrapped(screen, $"{failed.Name}: {failed.Failure}");
        foreach (var tier in report.Tiers.Where(tier => tier.Note.Length > 0))
            Wrapped(screen, $"{tier.Tier}: {tier.Note}");
        screen.Line(Summary(report));
    }

    /// <summary>One line that says how it went.</summary>
    public static string Summary(DrillReport report)
    {
        var drills = report.Runs.Count - 1;
        var kept = report.Runs.Skip(1).Count(run => run.Ok);
        return $"{kept} of {Phrase.Count(drills, "drill")} kept every objective, in {Phrase.Took(report.TookMs)}; seed {report.Seed.ToString(CultureInfo.InvariantCulture)}"
            + (report.Skipped.Count > 0 ? $"; {report.Skipped.Count.ToString(CultureInfo.InvariantCulture)} more were covered by these." : ".");
    }

    /// <summary>The verdict of a whole drill: its own tier's when all went well, else who missed.</summary>
    public static string Verdict(DrillOutcome run)
    {
        if (run.Failure is { } failure)
            return failure[..failure.IndexOf(':', StringComparison.Ordinal)];
        var bad = run.Tiers.Where(tier => tier.Verdict is Drill.Verdict.Missed or Drill.Verdict.Void).ToList();
        if (bad.Count > 0)
            return string.Join(", ", bad.Select(tier => $"{Verdicts.Word(tier.Verdict)}: {tier.Tier} {(tier.Verdict == Drill.Verdict.Void ? "" : tier.Lost > tier.LostMax ? $"lost {tier.Lost}" : Time(tier.NoticedMs))}".TrimEnd()));
        var notes = run.Tiers.Where(tier => tier.Verdict is Drill.Verdict.NoStandBy or Drill.Verdict.LedgerLater or Drill.Verdict.CacheLost).Select(tier => $"{tier.Tier}: {Verdicts.Word(tier.Verdict)}").ToList();
        var own = run.Aimed is { Verdict: Drill.Verdict.Measured } ? Verdicts.Word(Drill.Verdict.Measured) : Verdicts.Word(Drill.Verdict.Kept);
        return notes.Count > 0 ? $"{own} ({string.Join(", ", notes)})" : own;
    }

    /// <summary>The tier whose time stands for the drill: the aimed one, else the one that noticed most.</summary>
    public static TierOutcome? Shown(DrillOutcome run) => run.Aimed ?? run.Tiers.MaxBy(tier => tier.NoticedMs / (tier.LimitMs ?? 1));

    public static string Time(double? milliseconds) => Phrase.Took(milliseconds);

    private static IReadOnlyList<string> Row(DrillOutcome run)
    {
        var shown = Shown(run);
        var written = run.Tiers.Where(tier => tier.Lost is not null).ToList();
        return
        [
            run.Name,
            run.Machine.Length > 0 ? run.Machine : run.Fault is null ? "-" : "all",
            Time(shown?.NoticedMs),
            Time(shown?.LimitMs),
            run.Tiers.Count == 0 ? "-" : run.Tiers.Sum(tier => tier.Failed).ToString(CultureInfo.InvariantCulture),
            written.Count == 0 ? "-" : written.Sum(tier => tier.Lost ?? 0).ToString(CultureInfo.InvariantCulture),
            run.HealedMs is { } healed && run.WholeMs is { } whole ? Time(whole - healed) : "-",
            Verdict(run),
        ];
    }

    private static void Wrapped(Screen screen, string text)
    {
        foreach (var line in TextWrap.Lines(text, 98))
            screen.Line(line);
    }
}
