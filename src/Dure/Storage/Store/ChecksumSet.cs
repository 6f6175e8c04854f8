using Dure.Storage.Checksums;

namespace Dure.Storage.Store;

/// <summary>The checksums that were asked for, as bytes pass by. SHA-256 is not computed here: it is known anyway.</summary>
internal sealed class ChecksumSet(IReadOnlyList<ChecksumKind> kinds) : IDisposable
{
    private readonly RunningChecksum[] _running = [.. kinds.Where(static kind => kind != ChecksumKind.Sha256).Distinct().Select(static kind => new RunningChecksum(kind))];

    public void Append(ReadOnlySpan<byte> bytes)
    {
        foreach (var running in _running)
            running.Append(bytes);
    }

    /// <summary>Base 64 of each, big-endian.</summary>
    public IReadOnlyDictionary<ChecksumKind, string> Values(ReadOnlySpan<byte> sha256)
    {
        var values = _running.ToDictionary(static running => running.Kind, static running => running.Finish());
        if (kinds.Contains(ChecksumKind.Sha256))
            values[ChecksumKind.Sha256] = Convert.ToBase64String(sha256);
        return values;
    }

    public void Dispose()
    {
        foreach (var running in _running)
            running.Dispose();
    }

    /// <summary>Of a whole, from those of its parts: the CRC of all bytes, or the checksum of the parts' checksums. Null when it cannot be.</summary>
    public static ObjectChecksum? OfParts(ChecksumKind kind, ChecksumType type, IReadOnlyList<(string? Value, long Size)> parts)
    {
        if (parts.Any(static part => part.Value is null))
            return null;
        var value = type == ChecksumType.Composite
            ? CompositeChecksum.Compute(kind, [.. parts.Select(static part => part.Value!)])
            : FullObjectChecksum.Combine(kind, [.. parts.Select(static part => (part.Value!, part.Size))]);
        return value is null ? null : new ObjectChecksum(kind, type, value);
    }
}
