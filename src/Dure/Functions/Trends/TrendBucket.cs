namespace Dure.Functions.Trends;

/// <summary>What was measured of many, milliseconds.</summary>
/// <param name="Median">The lower one of two in the middle.</param>
internal readonly record struct Measured(double Min, double Max, double Mean, double Median, long Count)
{
    /// <summary>Works it out.</summary>
    /// <param name="values">Sorted by this.</param>
    public static Measured Of(List<double> values)
    {
        if (values.Count == 0)
            return default;
        values.Sort();
        return new Measured(values[0], values[^1], values.Sum() / values.Count, values[(values.Count - 1) / 2], values.Count);
    }
}

/// <summary>What ended within a span of time.</summary>
/// <param name="Failed">Those that failed or whose outcome is unknown.</param>
/// <param name="Duration">From the first start to the end, of those that were started.</param>
/// <param name="Wait">From the request to the first start, likewise.</param>
internal sealed record TrendBucket(long Finished, long Failed, Measured Duration, Measured Wait)
{
    /// <summary>Nothing ended.</summary>
    public static readonly TrendBucket Empty = new(0, 0, default, default);
}

/// <summary>Which buckets a chart gets: of a round length that depends only on what is asked for, and aligned to it, so that every refresh shows the same ones.</summary>
/// <param name="StepMs">Length of a bucket.</param>
/// <param name="First">The number of the first bucket: it begins at <c>First * StepMs</c>.</param>
/// <param name="Count">Buckets.</param>
internal readonly record struct TrendGrid(long StepMs, long First, int Count)
{
    private static readonly long[] Seconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_592_000];

    /// <summary>The longest span that can be asked for: 400 days.</summary>
    public const long SpanMost = 400L * 86_400_000;

    /// <summary>At most <paramref name="buckets"/> of them cover the span, and one more where it does not begin with one.</summary>
    public static TrendGrid Of(long from, long to, int buckets)
    {
        var least = (to - from + buckets - 1) / buckets;
        var step = 1000 * (Seconds.FirstOrDefault(s => 1000 * s >= least) is > 0 and var found ? found : (least + 86_399_999) / 86_400_000 * 86_400);
        var first = from / step;
        return new TrendGrid(step, first, (int)((to + step - 1) / step - first));
    }
}
