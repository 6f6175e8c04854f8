using System.Globalization;
using System.Text.Json.Serialization;
using Dure.Host;
using Dure.Host.Identity;
using Dure.Host.Web;
using Dure.Host.Web.OpenApi;

namespace Dure.Functions.Trends;

/// <summary><c>GET /api/series</c>: what ended, how long it ran and how long it waited, over time and in buckets that stay the same however often they are asked for.</summary>
internal sealed class TrendsApi(FunctionCatalog catalog, TrendCache trends, TimeProvider time)
{
    private const int DefaultBuckets = 120;
    private const int BucketsMost = 1000;
    private static readonly string[] Metrics = ["finished", "failed", "duration", "queue_wait"];

    /// <summary>The part of the API's document.</summary>
    public static readonly IReadOnlyList<ApiOperation> Operations =
    [
        new("GET", "/api/series", "A chart of invocations by the time at which they ended.", 200, TrendsJson.Default.Series)
        {
            Parameters = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["metric"] = "finished, failed (a minute), duration or queue_wait (ms; with their medians).", ["function"] = "Of this function only.",
                ["from"] = "Unix ms.", ["to"] = "Unix ms; without, now.", ["buckets"] = "At most so many, 1 to 1000; they have round lengths and are aligned to them.",
            },
        },
    ];

    /// <summary>Maps the endpoint.</summary>
    public void Map(Gate gate) => gate.Map("GET", "/api/series", Scopes.Read, HandleAsync);

    private async Task HandleAsync(HttpContext http)
    {
        var asked = Read(http.Request.Query);
        if (!asked.Ok)
        {
            await ProblemResponse.WriteAsync(http, asked.Problem);
            return;
        }
        var (metric, function, grid) = asked.Value;
        var buckets = await trends.ReadAsync(function, grid, http.RequestAborted);
        IReadOnlyList<SeriesLine> lines = metric switch
        {
            "finished" => [Rate(metric, grid, buckets, static bucket => bucket.Finished)],
            "failed" => [Rate(metric, grid, buckets, static bucket => bucket.Failed)],
            "duration" => [Spread(metric, buckets, static bucket => bucket.Duration), Median(buckets, static bucket => bucket.Duration)],
            _ => [Spread(metric, buckets, static bucket => bucket.Wait), Median(buckets, static bucket => bucket.Wait)],
        };
        await JsonBody.WriteAsync(http, new Series(grid.First * grid.StepMs, (grid.First + grid.Count) * grid.StepMs, grid.StepMs, lines), TrendsJson.Default.Series);
    }

    // A bucket that is not over yet counts for as long as it has lasted, and for nothing while that says nothing.
    private SeriesLine Rate(string name, TrendGrid grid, TrendBucket[] buckets, Func<TrendBucket, long> count)
    {
        var line = new SeriesLine(name, "/min", buckets.Length);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        for (var i = 0; i < buckets.Length; i++)
        {
            var lasted = Math.Min(grid.StepMs, now - (grid.First + i) * grid.StepMs);
            if (lasted * 4 < grid.StepMs)
                continue;
            var rate = Math.Round(count(buckets[i]) * 60_000.0 / lasted, 3);
            (line.Min[i], line.Max[i], line.Mean[i], line.Count[i]) = (rate, rate, rate, count(buckets[i]));
        }
        return line;
    }

    private static SeriesLine Spread(string name, TrendBucket[] buckets, Func<TrendBucket, Measured> measured)
    {
        var line = new SeriesLine(name, "ms", buckets.Length);
        for (var i = 0; i < buckets.Length; i++)
        {
            if (measured(buckets[i]) is { Count: > 0 } m)
                (line.Min[i], line.Max[i], line.Mean[i], line.Count[i]) = (m.Min, m.Max, Math.Round(m.Mean, 3), m.Count);
        }
        return line;
    }

    private static SeriesLine Median(TrendBucket[] buckets, Func<TrendBucket, Measured> measured)
    {
        var line = new SeriesLine("p50", "ms", buckets.Length);
        for (var i = 0; i < buckets.Length; i++)
        {
            if (measured(buckets[i]) is { Count: > 0 } m)
                (line.Min[i], line.Max[i], line.Mean[i], line.Count[i]) = (m.Median, m.Median, m.Median, m.Count);
        }
        return line;
    }

    private Outcome<(string Metric, long Function, TrendGrid Grid)> Read(IQueryCollection query)
    {
        var faults = new List<Fault>();
        long Number(string name, long otherwise, long least, long most)
        {
            if (query[name].ToString() is not { Length: > 0 } text)
                return otherwise;
            if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
                return value;
            faults.Add(new Fault(name, string.Create(CultureInfo.InvariantCulture, $"'{text}' is not a number from {least} to {most}.")));
            return otherwise;
        }
        var metric = query["metric"].ToString();
        if (!Metrics.Contains(metric, StringComparer.Ordinal))
            faults.Add(new Fault("metric", $"'{metric}' is none of {string.Join(", ", Metrics)}."));
        var latest = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() / 2;
        var to = Number("to", time.GetUtcNow().ToUnixTimeMilliseconds(), 0, latest);
        var from = Number("from", Math.Max(0, to - 3_600_000), 0, latest);
        var buckets = (int)Number("buckets", DefaultBuckets, 1, BucketsMost);
        if (to <= from || to - from > TrendGrid.SpanMost)
            faults.Add(new Fault("from", "It must be before `to`, by 400 days at most."));
        var name = query["function"].ToString();
        var function = name.Length == 0 ? 0 : catalog.Find(name)?.Id ?? -1;
        if (faults.Count > 0)
            return FunctionErrors.BadFilter.With("The query has faults.", faults);
        return function < 0 ? FunctionErrors.NoSuchFunction.With($"There is no function '{name}'.") : (metric, function, TrendGrid.Of(from, to, buckets));
    }
}

/// <summary>JSON of charts: nulls are where nothing was.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Series))]
internal sealed partial class TrendsJson : JsonSerializerContext;
