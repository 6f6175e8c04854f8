using System.Globalization;
using System.Text;
using Dure.Host.Terminal;
using static Dure.Fleet.Drill.Reports.TimelineSvg;

namespace Dure.Fleet.Drill.Reports;

/// <summary>A report as one page that needs nothing else: what was promised and kept per tier, and a timeline of every drill.</summary>
internal static class DrillHtml
{
    public static string Render(DrillReport report)
    {
        var page = new StringBuilder();
        var bad = report.Runs.Count(run => !run.Ok);
        page.Append(CultureInfo.InvariantCulture, $"<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Drills of {Escape(report.Fleet)}</title>\n<style>\n{Style}</style>\n<main>\n");
        page.Append(CultureInfo.InvariantCulture, $"<h1>Drills of {Escape(report.Fleet)}</h1>\n<p class=\"lead\"><span class=\"badge {(bad == 0 ? "good" : "bad")}\">{(bad == 0 ? "every objective kept" : $"{bad} of {Phrase.Count(report.Runs.Count, "run")} not kept")}</span> {Escape(DrillText.Summary(report))}</p>\n");
        page.Append(CultureInfo.InvariantCulture, $"<p class=\"quiet\">On {Escape(report.Where)}, {report.Began:yyyy-MM-dd HH:mm} UTC. <em>Noticed</em> is the longest time between two acknowledged requests of a client, less the pace at which it sends.</p>\n");
        Tiers(page, report);
        foreach (var run in report.Runs)
            Run(page, run);
        if (report.Skipped.Count > 0)
            page.Append(CultureInfo.InvariantCulture, $"<h2>Left out</h2>\n<p class=\"quiet\">Earlier faults covered these, because a machine that goes takes each of its tiers with it: {Escape(string.Join(", ", report.Skipped))}.</p>\n");
        page.Append("</main>\n</html>\n");
        return page.ToString();
    }

    private static void Tiers(StringBuilder page, DrillReport report)
    {
        page.Append("<div class=\"scroll\"><table>\n<thead><tr><th>tier</th><th class=\"n\">no fault</th><th class=\"n\">process lost</th><th class=\"n\">at most</th><th class=\"n\">machine lost</th><th class=\"n\">at most</th><th class=\"n\">disk, slow network</th><th class=\"n\">acknowledged</th><th class=\"n\">failed</th><th class=\"n\">writes lost</th><th>verdict</th></tr></thead>\n<tbody>\n");
        foreach (var tier in report.Tiers)
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><th title=\"{Escape(report.Clients.GetValueOrDefault(tier.Tier, ""))}\">{Escape(tier.Tier)}</th>");
            Number(page, DrillText.Time(tier.ControlMs), false);
            Number(page, DrillText.Time(tier.ProcessMs), tier.ProcessMs > tier.ProcessLimitMs);
            Number(page, DrillText.Time(tier.ProcessLimitMs), false, "quiet");
            Number(page, DrillText.Time(tier.MachineMs), tier.MachineMs > tier.MachineLimitMs);
            Number(page, DrillText.Time(tier.MachineLimitMs), false, "quiet");
            Number(page, DrillText.Time(tier.OtherMs), false);
            Number(page, tier.Acknowledged.ToString(CultureInfo.InvariantCulture), false);
            Number(page, tier.Failed.ToString(CultureInfo.InvariantCulture), false);
            Number(page, tier.Lost?.ToString(CultureInfo.InvariantCulture) ?? "–", tier.Lost > 0);
            page.Append(CultureInfo.InvariantCulture, $"<td>{Badge(tier.Verdict)}</td></tr>\n");
        }

        page.Append("</tbody></table></div>\n<ul class=\"quiet\">\n");
        foreach (var tier in report.Tiers)
            page.Append(CultureInfo.InvariantCulture, $"<li><b>{Escape(tier.Tier)}</b>: {Escape(report.Clients.GetValueOrDefault(tier.Tier, ""))}.{(tier.Note.Length > 0 ? " " + Escape(tier.Note) : "")}</li>\n");
        page.Append("</ul>\n");
    }

    private static void Run(StringBuilder page, DrillOutcome run)
    {
        page.Append(CultureInfo.InvariantCulture, $"<section id=\"{Escape(run.Name)}\"><h2>{Escape(run.Name)} <span class=\"badge {(run.Ok ? "good" : "bad")}\">{Escape(DrillText.Verdict(run))}</span></h2>\n<p class=\"quiet\">");
        if (run.Proof.Length > 0)
            page.Append(CultureInfo.InvariantCulture, $"{Escape(Sentence(run.Proof))} ");
        if (run.Landed.Length > 0)
            page.Append(CultureInfo.InvariantCulture, $"{Escape(Sentence(run.Landed))} ");
        if (run is { HealedMs: { } healed, WholeMs: { } whole })
            page.Append(CultureInfo.InvariantCulture, $"Whole again {DrillText.Time(whole - run.FaultMs)} after the fault{(run.Fault == FaultKinds.Word(FaultKind.ProcessKill) ? "" : $", {DrillText.Time(whole - healed)} after its end")}.");
        page.Append("</p>\n");
        if (run.Failure is { } failure)
            page.Append(CultureInfo.InvariantCulture, $"<p class=\"failure\">{Escape(failure)}</p>\n");
        if (run.Tiers.Count == 0)
        {
            page.Append("</section>\n");
            return;
        }

        page.Append(TimelineSvg.Render(run)).Append("\n<details><summary>figures</summary><div class=\"scroll\"><table>\n<thead><tr><th>tier</th><th>the target was</th><th class=\"n\">noticed</th><th class=\"n\">at most</th><th class=\"n\">sent</th><th class=\"n\">acknowledged</th><th class=\"n\">failed</th><th class=\"n\">lost</th><th class=\"n\">median</th><th>verdict</th><th>most failures said</th></tr></thead>\n<tbody>\n");
        foreach (var tier in run.Tiers)
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><th>{Escape(tier.Tier)}</th><td>{tier.Hit ?? "–"}</td>");
            Number(page, DrillText.Time(tier.NoticedMs) + (tier.Open ? ", not over" : ""), tier.Verdict == Verdict.Missed && tier.NoticedMs > tier.LimitMs);
            Number(page, DrillText.Time(tier.LimitMs), false, "quiet");
            foreach (var count in new[] { tier.Sent, tier.Acknowledged, tier.Failed })
                Number(page, count.ToString(CultureInfo.InvariantCulture), false);
            Number(page, tier.Lost?.ToString(CultureInfo.InvariantCulture) ?? "–", tier.Lost > tier.LostMax);
            Number(page, DrillText.Time(tier.MedianMs), false);
            page.Append(CultureInfo.InvariantCulture, $"<td>{Badge(tier.Verdict)}</td><td class=\"said\">{Escape(tier.Error ?? "")}</td></tr>\n");
        }

        page.Append("</tbody></table></div></details></section>\n");
    }

    private static string Badge(Verdict verdict) =>
        $"<span class=\"badge {(verdict switch { Verdict.Kept => "good", Verdict.Missed or Verdict.Void => "bad", _ => "note" })}\">{Verdicts.Word(verdict)}</span>";

    private static void Number(StringBuilder page, string text, bool bad, string extra = "") =>
        page.Append(CultureInfo.InvariantCulture, $"<td class=\"n{(bad ? " bad" : "")}{(extra.Length > 0 ? " " + extra : "")}\">{Escape(text)}</td>");

    private static string Sentence(string text) => text.TrimEnd('.') + ".";

    private const string Style =
        """
        :root { color-scheme: light dark; --page: #fbfbfa; --card: #fff; --ink: #1d2329; --quiet: #5c6670; --line: #dfe3e6; --served: #7cc49a; --gap: #d1344b; --failed: #d98a12; --good: #1f7a46; --good-back: #dff3e6; --bad: #a81d33; --bad-back: #fbe1e4; --note: #735c0f; --note-back: #f6ecc8; --fault: #a81d33; --whole: #1b62a8; }
        @media (prefers-color-scheme: dark) { :root { --page: #14181c; --card: #1b2026; --ink: #e4e8eb; --quiet: #9aa5ae; --line: #333b43; --served: #2f7d51; --gap: #f0576d; --failed: #eab04d; --good: #7ddba3; --good-back: #173a27; --bad: #ff8c9c; --bad-back: #4a1a23; --note: #ecd27d; --note-back: #41370f; --fault: #ff8c9c; --whole: #7fb8f5; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
        main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
        h1 { font-size: 26px; margin: 0 0 8px; }
        h2 { font-size: 17px; margin: 0 0 4px; }
        .lead { margin: 0 0 4px; }
        .quiet { color: var(--quiet); }
        p.quiet { margin: 0 0 12px; font-size: 14px; }
        ul.quiet { margin: 8px 0 24px; padding-left: 18px; font-size: 13px; }
        section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px 10px; margin: 0 0 16px; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
        th, td { padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; vertical-align: top; }
        thead th { color: var(--quiet); font-weight: 500; white-space: normal; vertical-align: bottom; }
        th { font-weight: 600; }
        .n { text-align: right; font-variant-numeric: tabular-nums; }
        td.bad { color: var(--bad); font-weight: 600; }
        .said { color: var(--quiet); white-space: normal; min-width: 200px; overflow-wrap: anywhere; }
        .badge { display: inline-block; padding: 0 8px; border-radius: 9px; font-size: 12.5px; font-weight: 600; line-height: 19px; }
        .badge.good { color: var(--good); background: var(--good-back); }
        .badge.bad { color: var(--bad); background: var(--bad-back); }
        .badge.note { color: var(--note); background: var(--note-back); }
        .failure { color: var(--bad); margin: 0 0 10px; }
        summary { cursor: pointer; color: var(--quiet); font-size: 13px; padding: 4px 0; }
        svg { width: 100%; height: auto; display: block; font: 12px system-ui, sans-serif; }
        svg text { fill: var(--ink); }
        svg .axis { fill: var(--quiet); font-size: 11px; }
        svg .name.aimed { font-weight: 700; }
        svg .figure { fill: var(--quiet); }
        svg .figure.bad { fill: var(--bad); font-weight: 700; }
        svg .grid { stroke: var(--line); }
        svg .served { fill: var(--served); }
        svg .gap { fill: var(--gap); }
        svg .failed { stroke: var(--failed); stroke-width: 1.5; }
        svg line.moment { stroke-width: 1.5; stroke: var(--quiet); stroke-dasharray: 3 3; }
        svg line.fault { stroke: var(--fault); stroke-dasharray: none; }
        svg line.whole { stroke: var(--whole); stroke-dasharray: none; }
        svg text.fault { fill: var(--fault); font-weight: 600; }
        svg text.healed { fill: var(--quiet); }
        svg text.whole { fill: var(--whole); font-weight: 600; }

        """;
}
