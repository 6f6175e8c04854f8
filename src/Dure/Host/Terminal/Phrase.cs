using System.Globalization;

namespace Dure.Host.Terminal;

/// <summary>Times and sizes as people say them. For machines there is <c>--format json</c>.</summary>
public static class Phrase
{
    /// <summary>How long ago: <c>3s ago</c>, <c>5m ago</c>, <c>2d ago</c>; <c>in 5m</c> for the future; <c>-</c> for never.</summary>
    public static string Ago(DateTimeOffset? moment, TimeProvider time)
    {
        if (moment is not { } when)
        {
            return "-";
        }

        var age = time.GetUtcNow() - when;
        return age < TimeSpan.FromSeconds(-1) ? "in " + Coarse(age.Negate()) : age < TimeSpan.FromSeconds(1) ? "now" : Coarse(age) + " ago";
    }

    /// <summary>How long it took: <c>12ms</c>, <c>1.4s</c>, <c>3m12s</c>, <c>2h05m</c>, <c>3d04h</c>; <c>-</c> when unknown.</summary>
    public static string Took(double? milliseconds)
    {
        if (milliseconds is not { } ms)
        {
            return "-";
        }

        var span = TimeSpan.FromMilliseconds(Math.Max(ms, 0));
        return ms < 10 ? Invariant($"{ms:0.#}ms")
            : ms < 999.5 ? Invariant($"{ms:0}ms")
            : span.TotalMinutes < 1 ? Invariant($"{Math.Floor((span.TotalSeconds * 10) + 0.01) / 10:0.0}s")
            : span.TotalHours < 1 ? Invariant($"{span.Minutes}m{span.Seconds:00}s")
            : span.TotalDays < 1 ? Invariant($"{span.Hours}h{span.Minutes:00}m")
            : Invariant($"{span.Days}d{span.Hours:00}h");
    }

    /// <summary>Bytes with one decimal at most: <c>512 B</c>, <c>1.5 KiB</c>, <c>3 GiB</c>; <c>-</c> when unknown.</summary>
    public static string Size(long? bytes)
    {
        if (bytes is not { } count)
        {
            return "-";
        }

        string[] units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        var (value, unit) = ((double)count, 0);
        while (value >= 1024 && unit < units.Length - 1)
        {
            (value, unit) = (value / 1024, unit + 1);
        }

        return Invariant($"{value:0.#} {units[unit]}");
    }

    /// <summary><c>1 version</c>, <c>3 versions</c>.</summary>
    public static string Count(long count, string one) => Invariant($"{count} {one}{(count == 1 ? "" : "s")}");

    /// <summary>The first twelve digits of a digest: enough to name it, short enough to read.</summary>
    public static string Digest(string? digest) => digest is null ? "-" : digest.Length > 12 ? digest[..12] : digest;

    private static string Coarse(TimeSpan span) =>
        span.TotalMinutes < 1 ? Invariant($"{(int)span.TotalSeconds}s")
        : span.TotalHours < 1 ? Invariant($"{(int)span.TotalMinutes}m")
        : span.TotalDays < 1 ? Invariant($"{(int)span.TotalHours}h")
        : Invariant($"{(int)span.TotalDays}d");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
