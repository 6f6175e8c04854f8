using System.Globalization;

namespace Dure.Storage.S3;

/// <summary>One range of bytes (RFC 9110, 14.1.2).</summary>
internal static class ByteRange
{
    private const string Unit = "bytes=";

    /// <summary>The range within so many bytes; a length of 0 when it lies beyond; null when it is to be ignored: another unit, several ranges, or no range at all.</summary>
    public static (long Offset, long Length)? Parse(ReadOnlySpan<char> text, long size)
    {
        text = text.Trim();
        if (!text.StartsWith(Unit, StringComparison.OrdinalIgnoreCase) || text.Contains(','))
            return null;
        text = text[Unit.Length..];
        var dash = text.IndexOf('-');
        if (dash < 0)
            return null;
        var first = text[..dash].Trim();
        var last = text[(dash + 1)..].Trim();
        if (first.IsEmpty)
        {
            if (!TryNumber(last, out var suffix))
                return null;
            suffix = Math.Min(suffix, size);
            return (size - suffix, suffix);
        }
        if (!TryNumber(first, out var from))
            return null;
        var to = long.MaxValue;
        if (!last.IsEmpty && (!TryNumber(last, out to) || to < from))
            return null;
        return from >= size ? (0, 0) : (from, Math.Min(to, size - 1) - from + 1);
    }

    /// <summary>The range of a copied part, which must have both ends; null when it is none.</summary>
    public static (long First, long Last)? ParseExact(ReadOnlySpan<char> text)
    {
        if (!text.StartsWith(Unit, StringComparison.Ordinal))
            return null;
        text = text[Unit.Length..];
        var dash = text.IndexOf('-');
        return dash > 0 && TryNumber(text[..dash], out var first) && TryNumber(text[(dash + 1)..], out var last) && last >= first ? (first, last) : null;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out long value) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
