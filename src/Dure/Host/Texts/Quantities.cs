using System.Globalization;
using System.Text.RegularExpressions;

namespace Dure.Host.Texts;

/// <summary>Sizes and times as people write them: <c>512MiB</c>, <c>1.5GiB</c>, <c>3h</c>, <c>1h30m</c>, <c>250ms</c>.</summary>
public static partial class Quantities
{
    private const RegexOptions Options = RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture;

    private static readonly (string Name, long Factor)[] s_sizes =
    [
        ("B", 1), ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40),
        ("kB", 1_000), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ];

    /// <summary>Reads a size. A bare number is refused (null), for nobody agrees on what it means; <c>0</c> alone is fine.</summary>
    public static long? ParseBytes(string text)
    {
        if (text == "0")
            return 0;
        var match = SizePattern().Match(text);
        if (!match.Success || !decimal.TryParse(match.Groups["number"].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            return null;
        foreach (var (name, factor) in s_sizes)
        {
            if (name == match.Groups["unit"].Value)
                return number > long.MaxValue / factor ? null : (long)(number * factor);
        }

        return null;
    }

    /// <summary>Reads a time: numbers with <c>ms</c>, <c>s</c>, <c>m</c>, <c>h</c>, <c>d</c>, the largest first. A bare number is refused (null); <c>0</c> alone is fine.</summary>
    public static TimeSpan? ParseDuration(string text)
    {
        if (text == "0")
            return TimeSpan.Zero;
        var match = DurationPattern().Match(text);
        if (!match.Success || text.Length == 0)
            return null;
        var factors = new[] { 86_400_000m, 3_600_000m, 60_000m, 1_000m, 1m };
        decimal ms = 0;
        for (var i = 0; i < factors.Length; i++)
        {
            if (match.Groups[$"p{i}"] is not { Success: true } part)
                continue;
            if (!decimal.TryParse(part.ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number > 1_000_000_000m)
                return null;
            ms += number * factors[i];
        }

        return ms > 3_650m * 86_400_000m ? null : TimeSpan.FromMilliseconds((double)ms);
    }

    /// <summary>Writes a size for people, such as <c>1.5 GiB</c>.</summary>
    public static string Bytes(long bytes)
    {
        var (name, factor) = s_sizes[..5].Last(s => s.Factor <= Math.Max(bytes, 1));
        return string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / factor:0.##} {name}");
    }

    /// <summary>Writes a time as <see cref="ParseDuration"/> reads it.</summary>
    public static string Duration(TimeSpan time)
    {
        if (time == TimeSpan.Zero)
            return "0s";
        var ms = (long)time.TotalMilliseconds;
        var text = "";
        foreach (var (name, factor) in new[] { ("d", 86_400_000L), ("h", 3_600_000L), ("m", 60_000L), ("s", 1_000L), ("ms", 1L) })
        {
            if (ms / factor > 0)
                text += string.Create(CultureInfo.InvariantCulture, $"{ms / factor}{name}");
            ms %= factor;
        }

        return text;
    }

    [GeneratedRegex(@"^(?<number>\d{1,15}(\.\d{1,6})?) ?(?<unit>[A-Za-z]{1,3})$", Options, 1000)]
    private static partial Regex SizePattern();

    [GeneratedRegex(
        @"^((?<p0>\d{1,12}(\.\d{1,6})?)d)?((?<p1>\d{1,12}(\.\d{1,6})?)h)?((?<p2>\d{1,12}(\.\d{1,6})?)m)?((?<p3>\d{1,12}(\.\d{1,6})?)s)?((?<p4>\d{1,12}(\.\d{1,6})?)ms)?$",
        Options, 1000)]
    private static partial Regex DurationPattern();
}
