using System.Text.Json;
using System.Xml.Linq;
using Dure.Fleet.Drill;
using Dure.Fleet.Drill.Reports;
using Dure.Host.Terminal;
using Xunit;

namespace Dure.Test.Fleet.Drill;

public sealed class DrillReportTest
{
    [Fact]
    public void The_page_needs_nothing_but_itself()
    {
        var page = DrillHtml.Render(Sample());
        foreach (var outside in new[] { "http://", "https://", "src=", "@import", "<script", "url(" })
            Assert.DoesNotContain(outside, page, StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme: dark", page, StringComparison.Ordinal);
        Assert.Contains("postgres-power-cut", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_timeline_shows_each_gap_in_its_lane_and_the_fault_at_zero()
    {
        var run = Sample().Runs[1];
        var svg = XElement.Parse(TimelineSvg.Render(run));
        Assert.Equal(1, svg.Elements("rect").Count(rect => (string?)rect.Attribute("class") == "gap"));
        Assert.Equal(run.Tiers.Count, svg.Elements("rect").Count(rect => (string?)rect.Attribute("class") == "served"));
        Assert.Contains(svg.Elements("text"), text => text.Value == "0 s");
        Assert.Contains(svg.Elements("text"), text => text.Value == "▼ power-cut on n3");
    }

    [Fact]
    public void What_machines_say_cannot_become_part_of_the_page()
    {
        var sample = Sample();
        var run = sample.Runs[1] with { Landed = "<img onerror=x>", Failure = "DURE0873: </style><b>" };
        var page = DrillHtml.Render(sample with { Runs = [run] });
        Assert.DoesNotContain("<img", page, StringComparison.Ordinal);
        Assert.DoesNotContain("</style><b>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void The_tables_fit_a_hundred_columns()
    {
        var text = new StringWriter();
        DrillText.Write(new Screen(text, TextWriter.Null, new TerminalTraits(true, true, false, 100, false), TimeProvider.System, OutputFormat.Table, quiet: false), Sample());
        Assert.All(text.ToString().Split('\n'), line => Assert.InRange(System.Text.RegularExpressions.Regex.Replace(line, "\e\\[[0-9;]*m", "", System.Text.RegularExpressions.RegexOptions.NonBacktracking).TrimEnd().Length, 0, 100));
        Assert.Contains("missed: postgres 26.0s", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("0 of 1 drill kept every objective", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void JSON_says_the_same()
    {
        using var json = JsonDocument.Parse(JsonSerializer.Serialize(Sample(), DrillJson.Default.DrillReport));
        var tier = json.RootElement.GetProperty("runs")[1].GetProperty("tiers")[0];
        Assert.Equal(26_000, tier.GetProperty("noticed_ms").GetDouble());
        Assert.Equal("Missed", tier.GetProperty("verdict").GetString());
        Assert.Equal(2_000, tier.GetProperty("gaps")[0].GetProperty("from_ms").GetDouble());
    }

    [Fact]
    public void A_tier_is_as_good_as_its_worst_drill()
    {
        var postgres = Sample().Tiers.Single(tier => tier.Tier == "postgres");
        Assert.Equal(Verdict.Missed, postgres.Verdict);
        Assert.Equal(26_000, postgres.MachineMs);
        Assert.Equal(30, postgres.ControlMs);
        Assert.Null(postgres.ProcessMs);
    }

    private static DrillReport Sample()
    {
        var fleet = FleetSamples.Four();
        TierOutcome Tier(string name, double noticed, double? limit, Verdict verdict, params Gap[] gaps) =>
            new(name, name == "postgres" ? "leader" : null, 500, 480, 20, noticed, 2000, 2000 + noticed, false, limit, name == "web" ? null : 0, 0, 1, 4.5, verdict, "refused", gaps, [2100, 2200]);
        DrillOutcome[] runs =
        [
            new("control", "", null, "", "nothing is done", "", 2000, null, null, 10_000, [Tier("postgres", 30, 2000, Verdict.Kept), Tier("web", 10, 1500, Verdict.Kept)], null),
            new("postgres-power-cut", "postgres", "power-cut", "n3", "n3 alone says that it leads postgres", "n3 has no power", 2000, 30_000, 41_000, 42_500,
                [Tier("postgres", 26_000, 25_000, Verdict.Missed, new Gap(2000, 28_100)), Tier("web", 10, 1500, Verdict.Kept)], null),
        ];
        return new("lab", "lab lab", 1, false, DateTimeOffset.UnixEpoch, 60_000, false, new Dictionary<string, string>(StringComparer.Ordinal) { ["postgres"] = "rows" }, Summaries.Of(fleet, runs), runs, ["redis-power-cut"]);
    }
}
