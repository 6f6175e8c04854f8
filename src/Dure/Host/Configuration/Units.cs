using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Dure.Host.Configuration;

/// <summary>What came of reading a word: a value, or what is wrong with it.</summary>
/// <param name="Error">Null when there is a value; else what is wrong and what would be right.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Parsed<T>(T Value, string? Error)
{
    public static implicit operator Parsed<T>(T value) => new(value, null);

    /// <summary>Lets <see cref="Wrong"/> stand for a failure of any type.</summary>
    public static implicit operator Parsed<T>(Wrong wrong) => new(default!, wrong.Error);
}

/// <summary>What is wrong with a word that was read.</summary>
public sealed record Wrong(string Error);

/// <summary>An amount of disk space: a share of the whole disk or a number of bytes.</summary>
/// <param name="Percent">Hundredths of the disk, 0 to 100; null when <paramref name="Bytes"/> is given.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct DiskAmount(double? Percent, long Bytes)
{
    /// <summary>The amount in bytes on a disk of this size.</summary>
    public long On(long totalBytes) => Percent is { } percent ? (long)(totalBytes * (percent / 100)) : Bytes;
}

/// <summary>Reads and writes amounts with units. What <c>Write*</c> gives, <c>Read*</c> reads back to the same value.</summary>
public static class Units
{
    private const string BytesExpected = "expected bytes such as 512KiB, 64MiB or 1GiB";
    private const string DurationExpected = "expected a time with a unit such as 250ms, 5s, 10m, 2h, 1h30m or 90d";

    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    private static readonly (string Name, long Size)[] ByteUnits =
    [
        ("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("B", 1), ("", 1),
    ];

    private static readonly (string Name, long Ticks)[] TimeUnits =
    [
        ("d", TimeSpan.TicksPerDay), ("h", TimeSpan.TicksPerHour), ("m", TimeSpan.TicksPerMinute),
        ("s", TimeSpan.TicksPerSecond), ("ms", TimeSpan.TicksPerMillisecond),
    ];

    /// <summary>Bytes: a number, with an optional fraction, and KiB, MiB, GiB, TiB (powers of 1024), KB, MB, GB, TB (of 1000), B or nothing.</summary>
    public static Parsed<long> ReadBytes(string text)
    {
        var (number, unit, rest) = Split(text.Trim());
        if (number is null || rest.Length > 0)
        {
            return new Wrong(BytesExpected);
        }

        foreach (var (name, size) in ByteUnits)
        {
            if (name.Equals(unit, StringComparison.OrdinalIgnoreCase))
            {
                var value = number.Value * size;
                return value > long.MaxValue ? new Wrong("this is more bytes than can be counted")
                    : value != decimal.Truncate(value) ? new Wrong("this is not a whole number of bytes")
                    : (long)value;
            }
        }

        return new Wrong($"there is no unit '{unit}': {BytesExpected}");
    }

    /// <summary>The largest binary unit that gives a whole number.</summary>
    public static string WriteBytes(long bytes)
    {
        foreach (var (name, size) in ByteUnits)
        {
            if (name.Contains('i', StringComparison.Ordinal) && bytes != 0 && bytes % size == 0)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{bytes / size}{name}");
            }
        }

        return bytes == 0 ? "0" : string.Create(CultureInfo.InvariantCulture, $"{bytes}B");
    }

    /// <summary>A time span: numbers with ms, s, m, h or d, largest first; <c>0</c> needs no unit.</summary>
    public static Parsed<TimeSpan> ReadDuration(string text)
    {
        var rest = text.Trim();
        if (rest is "0")
        {
            return TimeSpan.Zero;
        }

        decimal ticks = 0;
        var smallest = long.MaxValue;
        do
        {
            (var number, var unit, rest) = Split(rest);
            var size = Array.Find(TimeUnits, known => known.Name.Equals(unit, StringComparison.OrdinalIgnoreCase)).Ticks;
            if (number is null || size == 0 || size >= smallest)
            {
                return new Wrong(DurationExpected);
            }

            smallest = size;
            ticks += number.Value * size;
        }
        while (rest.Length > 0);
        return ticks > TimeSpan.MaxValue.Ticks ? new Wrong("this is longer than can be counted")
            : ticks % TimeSpan.TicksPerMillisecond != 0 ? new Wrong("this is not a whole number of milliseconds")
            : TimeSpan.FromTicks((long)ticks);
    }

    /// <summary>The largest unit that gives a whole number, milliseconds at the smallest.</summary>
    public static string WriteDuration(TimeSpan span)
    {
        foreach (var (name, ticks) in TimeUnits)
        {
            if (span.Ticks != 0 && span.Ticks % ticks == 0)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{span.Ticks / ticks}{name}");
            }
        }

        return span.Ticks == 0 ? "0" : string.Create(CultureInfo.InvariantCulture, $"{span.Ticks / TimeSpan.TicksPerMillisecond}ms");
    }

    /// <summary>A share such as <c>10%</c>, or bytes.</summary>
    public static Parsed<DiskAmount> ReadDiskAmount(string text)
    {
        var trimmed = text.Trim();
        if (!trimmed.EndsWith('%'))
        {
            var bytes = ReadBytes(text);
            return bytes.Error is null ? new DiskAmount(null, bytes.Value)
                : new Wrong("expected a share of the disk such as 10%, or bytes such as 20GiB");
        }

        return double.TryParse(trimmed[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent) && percent <= 100
            ? new DiskAmount(percent, 0)
            : new Wrong("expected a share from 0% to 100%");
    }

    public static string WriteDiskAmount(DiskAmount amount) =>
        amount.Percent is { } percent ? string.Create(CultureInfo.InvariantCulture, $"{percent}%") : WriteBytes(amount.Bytes);

    private static (decimal? Number, string Unit, string After) Split(string text)
    {
        var digits = text.AsSpan().IndexOfAnyExcept(NumberCharacters);
        digits = digits < 0 ? text.Length : digits;
        var unitAndRest = text[digits..].TrimStart();
        var letters = 0;
        while (letters < unitAndRest.Length && char.IsAsciiLetter(unitAndRest[letters]))
        {
            letters++;
        }

        decimal? number = digits is > 0 and <= 20
            && decimal.TryParse(text.AsSpan(0, digits), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var read)
            ? read
            : null;
        return (number, unitAndRest[..letters], unitAndRest[letters..]);
    }
}
