using System.Text.Json.Serialization;

namespace Dure.Host.Web;

/// <summary>Values over time in buckets of equal length; the first begins at <paramref name="From"/>. Times are Unix ms.</summary>
public sealed record Series(long From, long To, long StepMs, [property: JsonPropertyName("series")] IReadOnlyList<SeriesLine> Lines);

/// <summary>One line of a chart: the least, the greatest and the mean value of each bucket; null where nothing was measured.</summary>
public sealed class SeriesLine
{
    [JsonConstructor]
    public SeriesLine()
    {
    }

    /// <summary>An empty line.</summary>
    public SeriesLine(string name, string unit, int buckets)
    {
        (Name, Unit) = (name, unit);
        (Min, Max, Mean, Count) = (new double?[buckets], new double?[buckets], new double?[buckets], new long[buckets]);
    }

    /// <summary>What was measured.</summary>
    public string Name { get; init; } = "";

    /// <summary>Its unit.</summary>
    public string Unit { get; init; } = "";

    /// <summary>The least value of each bucket.</summary>
    public double?[] Min { get; init; } = [];

    /// <summary>The greatest.</summary>
    public double?[] Max { get; init; } = [];

    /// <summary>The mean, by the number of measurements.</summary>
    public double?[] Mean { get; init; } = [];

    /// <summary>Measurements in each bucket.</summary>
    public long[] Count { get; init; } = [];

    /// <summary>Takes measurements into a bucket.</summary>
    public void Take(int bucket, double min, double mean, double max, long count)
    {
        Min[bucket] = Math.Min(Min[bucket] ?? min, min);
        Max[bucket] = Math.Max(Max[bucket] ?? max, max);
        Mean[bucket] = ((Mean[bucket] ?? 0) * Count[bucket] + mean * count) / (Count[bucket] + count);
        Count[bucket] += count;
    }

    /// <summary>Rounded to what a chart can show.</summary>
    public SeriesLine Done()
    {
        for (var i = 0; i < Mean.Length; i++)
            Mean[i] = Mean[i] is { } mean ? Math.Round(mean, 3) : null;
        return this;
    }
}
