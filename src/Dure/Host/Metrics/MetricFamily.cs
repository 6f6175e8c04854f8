using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Dure.Host.Metrics;

/// <summary>The values of up to three labels, in the order of their family's names.</summary>
internal readonly record struct LabelValues(string? First, string? Second, string? Third)
{
    public string? this[int at] => at switch { 0 => First, 1 => Second, _ => Third };
}

/// <summary>What was measured for one set of label values.</summary>
internal sealed class MetricSeries(int buckets)
{
    private readonly Lock _gate = new();
    private readonly long[] _counts = new long[buckets];
    private double _value;
    private long _count;

    public void Add(double value)
    {
        lock (_gate)
            _value += value;
    }

    public void Set(double value)
    {
        lock (_gate)
            _value = value;
    }

    public void Record(double value, double[] bounds)
    {
        var at = Array.BinarySearch(bounds, value);
        at = at < 0 ? ~at : at;
        lock (_gate)
        {
            if (at < _counts.Length)
                _counts[at]++;
            _count++;
            _value += value;
        }
    }

    public (double Value, long Count, long[] Counts) Read()
    {
        lock (_gate)
            return (_value, _count, [.. _counts]);
    }
}

/// <summary>One metric: its series, bounded in number, and its text.</summary>
internal sealed class MetricFamily(Instrument instrument)
{
    /// <summary>Series of one metric at most; what is beyond is summed up under the label value <c>_other</c>.</summary>
    public const int SeriesMax = 2000;

    private const string Other = "_other";

    // Seconds: from a warm call of a millisecond to work of an hour.
    private static readonly double[] Bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600];

    private readonly ConcurrentDictionary<LabelValues, MetricSeries> _series = new();
    private readonly bool _histogram = IsKind(instrument, typeof(Histogram<>));
    private readonly bool _counter = IsKind(instrument, typeof(Counter<>)) || IsKind(instrument, typeof(ObservableCounter<>));
    private volatile string[]? _names;

    public string Name => instrument.Name;

    /// <summary>Takes a measurement.</summary>
    public void Measure(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        _names ??= NamesOf(tags);
        var values = new LabelValues(ValueOf(tags, 0), ValueOf(tags, 1), ValueOf(tags, 2));
        if (!_series.TryGetValue(values, out var series))
        {
            if (_series.Count >= SeriesMax)
                values = new LabelValues(tags.Length > 0 ? Other : null, tags.Length > 1 ? Other : null, tags.Length > 2 ? Other : null);
            series = _series.GetOrAdd(values, static (_, count) => new MetricSeries(count), _histogram ? Bounds.Length : 0);
        }
        if (_histogram)
            series.Record(value, Bounds);
        else if (instrument.IsObservable)
            series.Set(value);
        else
            series.Add(value);
    }

    /// <summary>Forgets what is about to be observed anew.</summary>
    public void BeginScrape()
    {
        if (instrument.IsObservable)
            _series.Clear();
    }

    /// <summary>Writes the metric in Prometheus's text format.</summary>
    public void Write(StringBuilder text)
    {
        if (_series.IsEmpty)
            return;
        text.Append(CultureInfo.InvariantCulture, $"# HELP {Name} {instrument.Description?.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\n");
        text.Append(CultureInfo.InvariantCulture, $"# TYPE {Name} {(_histogram ? "histogram" : _counter ? "counter" : "gauge")}\n");
        foreach (var (labels, series) in _series.OrderBy(s => s.Key.First, StringComparer.Ordinal).ThenBy(s => s.Key.Second, StringComparer.Ordinal).ThenBy(s => s.Key.Third, StringComparer.Ordinal))
        {
            var (value, count, counts) = series.Read();
            if (!_histogram)
            {
                WriteLine(text, Name, labels, null, value);
                continue;
            }
            long below = 0;
            for (var i = 0; i < counts.Length; i++)
                WriteLine(text, Name + "_bucket", labels, Number(Bounds[i]), below += counts[i]);
            WriteLine(text, Name + "_bucket", labels, "+Inf", count);
            WriteLine(text, Name + "_sum", labels, null, value);
            WriteLine(text, Name + "_count", labels, null, count);
        }
    }

    /// <summary>A number as Prometheus reads it.</summary>
    public static string Number(double value) => double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);

    private void WriteLine(StringBuilder text, string name, LabelValues labels, string? bound, double value)
    {
        text.Append(name);
        var names = _names ?? [];
        var open = '{';
        for (var i = 0; i < names.Length; i++)
        {
            text.Append(open).Append(names[i]).Append("=\"").Append(Escape(labels[i] ?? "")).Append('"');
            open = ',';
        }
        if (bound is not null)
        {
            text.Append(open).Append("le=\"").Append(bound).Append('"');
            open = ',';
        }
        text.Append(open == ',' ? "} " : " ").Append(Number(value)).Append('\n');
    }

    private static string Escape(string value) => value
        .Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string[] NamesOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var names = new string[Math.Min(3, tags.Length)];
        for (var i = 0; i < names.Length; i++)
            names[i] = tags[i].Key;
        return names;
    }

    private static string? ValueOf(ReadOnlySpan<KeyValuePair<string, object?>> tags, int at) =>
        at >= tags.Length ? null : tags[at].Value as string ?? Convert.ToString(tags[at].Value, CultureInfo.InvariantCulture) ?? "";

    private static bool IsKind(Instrument instrument, Type kind) => instrument.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == kind;
}
