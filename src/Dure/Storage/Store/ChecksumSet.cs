using System.Buffers.Binary;
using System.Security.Cryptography;
using Dure.Storage.Checksums;

namespace Dure.Storage.Store;

/// <summary>The checksums that were asked for, as bytes pass by. SHA-256 is not among them: it is computed anyway.</summary>
internal sealed class ChecksumSet : IDisposable
{
    private readonly bool _crc32;
    private readonly bool _crc32C;
    private readonly bool _crc64;
    private readonly bool _sha256;
    private readonly IncrementalHash? _sha1;
    private uint _crc32Value;
    private uint _crc32CValue;
    private ulong _crc64Value;

    public ChecksumSet(IReadOnlyList<ChecksumKind> kinds)
    {
        foreach (var kind in kinds)
        {
            _crc32 |= kind == ChecksumKind.Crc32;
            _crc32C |= kind == ChecksumKind.Crc32C;
            _crc64 |= kind == ChecksumKind.Crc64Nvme;
            _sha256 |= kind == ChecksumKind.Sha256;
            if (kind == ChecksumKind.Sha1)
                _sha1 ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        }
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_crc32)
            _crc32Value = Crc32.Append(_crc32Value, bytes);
        if (_crc32C)
            _crc32CValue = Crc32C.Append(_crc32CValue, bytes);
        if (_crc64)
            _crc64Value = Crc64Nvme.Append(_crc64Value, bytes);
        _sha1?.AppendData(bytes);
    }

    /// <summary>Base 64 of each, big-endian.</summary>
    public IReadOnlyDictionary<ChecksumKind, string> Values(ReadOnlySpan<byte> sha256)
    {
        var values = new Dictionary<ChecksumKind, string>();
        if (_crc32)
            values[ChecksumKind.Crc32] = Text(_crc32Value);
        if (_crc32C)
            values[ChecksumKind.Crc32C] = Text(_crc32CValue);
        if (_crc64)
            values[ChecksumKind.Crc64Nvme] = Text(_crc64Value);
        if (_sha1 is not null)
            values[ChecksumKind.Sha1] = Convert.ToBase64String(_sha1.GetHashAndReset());
        if (_sha256)
            values[ChecksumKind.Sha256] = Convert.ToBase64String(sha256);
        return values;
    }

    public void Dispose() => _sha1?.Dispose();

    /// <summary>Of a whole, from those of its parts: the CRC of all bytes, or the checksum of the parts' checksums. Null when it cannot be.</summary>
    public static ObjectChecksum? OfParts(ChecksumKind kind, ChecksumType type, IReadOnlyList<(string? Value, long Size)> parts)
    {
        if (parts.Any(static part => part.Value is null))
            return null;
        if (type == ChecksumType.Composite)
            return new ObjectChecksum(kind, type, $"{Composite(kind, parts)}-{parts.Count.ToString(System.Globalization.CultureInfo.InvariantCulture)}");
        return kind switch
        {
            ChecksumKind.Crc32 => new ObjectChecksum(kind, type, Text(parts.Aggregate(0u, static (crc, part) => Crc32.Combine(crc, Number(part.Value!), part.Size)))),
            ChecksumKind.Crc32C => new ObjectChecksum(kind, type, Text(parts.Aggregate(0u, static (crc, part) => Crc32C.Combine(crc, Number(part.Value!), part.Size)))),
            ChecksumKind.Crc64Nvme => new ObjectChecksum(kind, type, Text(parts.Aggregate(0ul, static (crc, part) =>
                Crc64Nvme.Combine(crc, BinaryPrimitives.ReadUInt64BigEndian(Convert.FromBase64String(part.Value!)), part.Size)))),
            _ => null,
        };
    }

    private static string Composite(ChecksumKind kind, IReadOnlyList<(string? Value, long Size)> parts)
    {
        byte[] all = [.. parts.SelectMany(static part => Convert.FromBase64String(part.Value!))];
        return kind switch
        {
            ChecksumKind.Crc32 => Text(Crc32.Compute(all)),
            ChecksumKind.Crc32C => Text(Crc32C.Compute(all)),
            ChecksumKind.Crc64Nvme => Text(Crc64Nvme.Compute(all)),
#pragma warning disable CA5350 // One of the checksums that clients choose from.
            ChecksumKind.Sha1 => Convert.ToBase64String(SHA1.HashData(all)),
#pragma warning restore CA5350
            _ => Convert.ToBase64String(SHA256.HashData(all)),
        };
    }

    private static uint Number(string value) => BinaryPrimitives.ReadUInt32BigEndian(Convert.FromBase64String(value));

    private static string Text(uint crc)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, crc);
        return Convert.ToBase64String(bytes);
    }

    private static string Text(ulong crc)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, crc);
        return Convert.ToBase64String(bytes);
    }
}
