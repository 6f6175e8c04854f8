using System.Globalization;
using System.Text;

namespace Dure.Fleet.Drill.Reports;

/// <summary>The timeline of one drill: a lane for each tier, green while its clients are served, red while they are not; the moments of the fault, its end, and wholeness.</summary>
internal static class TimelineSvg
{
    private const int Width = 1000;
    private const int Left = 92;
    private const int Right = 118;
    private const int Top = 30;
    private const int Lane = 24;
    private const int Bar = 12;

    public static string Render(DrillOutcome run)
    {
        var height = Top + (run.Tiers.Count * Lane) + 26;
        var scale = (Width - Left - Right) / Math.Max(run.EndMs, 1);
        double X(double ms) => Left + (Math.Clamp(ms, 0, run.EndMs) * scale);
        var svg = new StringBuilder();
        Write(svg, $"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-label=\"Timeline of {Escape(run.Name)}\">");
        Axis(svg, run, X, height);
        foreach (var (index, tier) in run.Tiers.Index())
            Tier(svg, run, tier, X, Top + (index * Lane));
        Moments(svg, run, X, height);
        svg.Append("</svg>");
        return svg.ToString();
    }

    /// <summary>Text as it may stand in a page.</summary>
    public static string Escape(string text) => System.Net.WebUtility.HtmlEncode(text);

    // Seconds from the fault on, a line for about every tenth of the width.
    private static void Axis(StringBuilder svg, DrillOutcome run, Func<double, double> x, int height)
    {
        double[] steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600];
        var step = steps.FirstOrDefault(step => run.EndMs / (step * 1000) <= 12, 600) * 1000;
        var first = 0 - (Math.Floor(run.FaultMs / step) * step);
        for (var at = first; at + run.FaultMs <= run.EndMs; at += step)
        {
            var place = x(at + run.FaultMs);
            Write(svg, $"<line class=\"grid\" x1=\"{place:0.#}\" y1=\"{Top - 4}\" x2=\"{place:0.#}\" y2=\"{height - 22}\"/>");
            Write(svg, $"<text class=\"axis\" x=\"{place:0.#}\" y=\"{height - 8}\" text-anchor=\"middle\">{at / 1000:0} s</text>");
        }
    }

    private static void Tier(StringBuilder svg, DrillOutcome run, TierOutcome tier, Func<double, double> x, int top)
    {
        var middle = top + (Lane / 2);
        var aimed = tier.Tier == run.Tier ? " aimed" : "";
        Write(svg, $"<text class=\"name{aimed}\" x=\"{Left - 10}\" y=\"{middle + 4}\" text-anchor=\"end\">{Escape(tier.Tier)}</text>");
        Write(svg, $"<rect class=\"served\" x=\"{x(0):0.#}\" y=\"{middle - (Bar / 2)}\" width=\"{x(run.EndMs) - x(0):0.#}\" height=\"{Bar}\" rx=\"3\"/>");
        foreach (var gap in tier.Gaps)
        {
            Write(svg, $"<rect class=\"gap\" x=\"{x(gap.FromMs):0.#}\" y=\"{middle - (Bar / 2)}\" width=\"{Math.Max(1.5, x(gap.ToMs) - x(gap.FromMs)):0.#}\" height=\"{Bar}\"><title>{gap.Ms / 1000:0.00} s without an answer, from {(gap.FromMs - run.FaultMs) / 1000:0.00} s</title></rect>");
        }

        foreach (var failed in tier.FailedAtMs)
            Write(svg, $"<line class=\"failed\" x1=\"{x(failed):0.#}\" y1=\"{middle + (Bar / 2) + 1}\" x2=\"{x(failed):0.#}\" y2=\"{middle + (Bar / 2) + 4}\"/>");
        var missed = tier.Verdict is Verdict.Missed or Verdict.Void ? " bad" : "";
        Write(svg, $"<text class=\"figure{missed}\" x=\"{Width - Right + 10}\" y=\"{middle + 4}\">{DrillText.Time(tier.NoticedMs)}{(tier.LimitMs is { } limit ? $" / {DrillText.Time(limit)}" : "")}</text>");
    }

    private static void Moments(StringBuilder svg, DrillOutcome run, Func<double, double> x, int height)
    {
        if (run.Fault is null)
            return;
        var taken = double.MinValue;
        void Moment(double? ms, string name, string title)
        {
            if (ms is not { } at)
                return;
            var place = x(at);
            Write(svg, $"<line class=\"moment {name}\" x1=\"{place:0.#}\" y1=\"{Top - 6}\" x2=\"{place:0.#}\" y2=\"{height - 22}\"/>");
            // Moments that lie close together share a line of text: the later one moves to the right of the earlier.
            var text = Math.Max(place, taken);
            Write(svg, $"<text class=\"moment {name}\" x=\"{text:0.#}\" y=\"{Top - 12}\">{title}</text>");
            taken = text + (title.Length * 6.4) + 8;
        }

        Moment(run.FaultMs, "fault", $"▼ {run.Fault}{(run.Machine.Length > 0 ? $" on {Escape(run.Machine)}" : "")}");
        if (run.Fault != FaultKinds.Word(FaultKind.ProcessKill) && run.Machine.Length > 0)
            Moment(run.HealedMs, "healed", "▽ ended");
        Moment(run.WholeMs, "whole", "◆ whole again");
    }

    private static void Write(StringBuilder svg, FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
