using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Dure.Host.Metrics;
using Xunit;

namespace Dure.Test.Host.Metrics;

public sealed partial class MetricsPageTest
{
    [Fact]
    public void Counters_gauges_and_histograms_are_written_as_prometheus_reads_them()
    {
        using var page = new MetricsPage();
        using var meter = new Meter("Dure.Test.Page");
        meter.CreateCounter<long>("t_total", null, "Counts.").Add(3, new KeyValuePair<string, object?>("name", "a \"quoted\"\n\\ name"));
        meter.CreateObservableGauge("t_gauge", () => 1.5, null, "Looks.");
        var histogram = meter.CreateHistogram<double>("t_seconds", "s", "Takes.");
        histogram.Record(0.004);
        histogram.Record(7);
        histogram.Record(1e9);
        var text = page.Render();
        Assert.Contains("# HELP t_total Counts.\n# TYPE t_total counter\nt_total{name=\"a \\\"quoted\\\"\\n\\\\ name\"} 3\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE t_gauge gauge\nt_gauge 1.5\n", text, StringComparison.Ordinal);
        Assert.Contains("t_seconds_bucket{le=\"0.0025\"} 0\nt_seconds_bucket{le=\"0.005\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("t_seconds_bucket{le=\"3600\"} 2\nt_seconds_bucket{le=\"+Inf\"} 3\nt_seconds_sum 1000000007.004\nt_seconds_count 3\n", text, StringComparison.Ordinal);
        Assert.All(text.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Matches(Line(), line));
    }

    [Fact]
    public void More_label_values_than_allowed_are_summed_up()
    {
        using var page = new MetricsPage();
        using var meter = new Meter("Dure.Test.Many");
        var counter = meter.CreateCounter<long>("many_total");
        for (var i = 0; i < MetricFamily.SeriesMax + 500; i++)
            counter.Add(1, new KeyValuePair<string, object?>("name", $"n{i}"));
        var lines = page.Render().Split('\n').Where(line => line.StartsWith("many_total{", StringComparison.Ordinal)).ToList();
        Assert.Equal(MetricFamily.SeriesMax + 1, lines.Count);
        Assert.Contains("many_total{name=\"_other\"} 500", lines);
    }

    [GeneratedRegex("""^(# (HELP|TYPE) [a-z_]+ .*|[a-z_]+(\{([a-z_]+="([^"\\]|\\.)*",?)+\})? [-+0-9.eEInfNa]+)$""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Line();
}
