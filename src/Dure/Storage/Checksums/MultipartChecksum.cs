using System.Globalization;

namespace Dure.Storage.Checksums;

/// <summary>A checksum of a multipart object that covers the checksums of its parts.</summary>
public static class CompositeChecksum
{
    /// <summary>The checksum of the parts' checksums, one after the other, with <c>-</c> and the number of parts.</summary>
    /// <param name="parts">Base 64, in the order of the parts.</param>
    /// <returns>Null when one is malformed.</returns>
    public static string? Compute(ChecksumKind kind, IReadOnlyList<string> parts)
    {
        using var running = new RunningChecksum(kind);
        foreach (var part in parts)
        {
            if (ChecksumNames.Decode(kind, part) is not { } bytes)
            {
                return null;
            }
            running.Append(bytes);
        }
        return string.Create(CultureInfo.InvariantCulture, $"{running.Finish()}-{parts.Count}");
    }

    /// <summary>Takes the number of parts off.</summary>
    /// <param name="parts">Their number; null when the value names none.</param>
    public static string Split(string value, out int? parts)
    {
        var at = value.LastIndexOf('-');
        parts = at >= 0 && int.TryParse(value.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : null;
        return parts is null ? value : value[..at];
    }
}

/// <summary>A checksum of a multipart object that covers its bytes, found without reading them again.</summary>
public static class FullObjectChecksum
{
    /// <summary>Combines the checksums of the parts; only for kinds that <see cref="ChecksumNames.CanBeFullObject"/> names.</summary>
    /// <param name="parts">Base 64 and bytes of each part, in their order.</param>
    /// <returns>Base 64; null when a value is malformed or the kind cannot be combined.</returns>
    public static string? Combine(ChecksumKind kind, IReadOnlyList<(string Value, long Length)> parts)
    {
        if (!ChecksumNames.CanBeFullObject(kind))
        {
            return null;
        }
        var whole = 0UL;
        foreach (var (value, length) in parts)
        {
            if (ChecksumNames.Decode(kind, value) is not { } bytes)
            {
                return null;
            }
            var part = CrcBytes.Read(bytes);
            whole = kind switch
            {
                ChecksumKind.Crc32 => Crc32.Combine((uint)whole, (uint)part, length),
                ChecksumKind.Crc32C => Crc32C.Combine((uint)whole, (uint)part, length),
                _ => Crc64Nvme.Combine(whole, part, length),
            };
        }
        var result = new byte[ChecksumNames.Length(kind)];
        CrcBytes.Write(whole, result);
        return Convert.ToBase64String(result);
    }
}
