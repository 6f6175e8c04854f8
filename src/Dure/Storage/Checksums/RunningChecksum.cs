using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Dure.Storage.Checksums;

/// <summary>A checksum while its bytes come in. Used by one thread at a time.</summary>
public sealed class RunningChecksum : IDisposable
{
    private readonly IncrementalHash? _hash;
    private ulong _crc;

    public RunningChecksum(ChecksumKind kind)
    {
        Kind = kind;
        _hash = kind switch
        {
            ChecksumKind.Sha1 => IncrementalHash.CreateHash(HashAlgorithmName.SHA1),
            ChecksumKind.Sha256 => IncrementalHash.CreateHash(HashAlgorithmName.SHA256),
            _ => null,
        };
    }

    /// <summary>What is computed.</summary>
    public ChecksumKind Kind { get; }

    /// <summary>Goes on with more bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        switch (Kind)
        {
            case ChecksumKind.Crc32:
                _crc = Crc32.Append((uint)_crc, bytes);
                break;
            case ChecksumKind.Crc32C:
                _crc = Crc32C.Append((uint)_crc, bytes);
                break;
            case ChecksumKind.Crc64Nvme:
                _crc = Crc64Nvme.Append(_crc, bytes);
                break;
            default:
                _hash!.AppendData(bytes);
                break;
        }
    }

    /// <summary>The bytes of the checksum; begins anew.</summary>
    public byte[] FinishBytes()
    {
        if (_hash is not null)
        {
            return _hash.GetHashAndReset();
        }
        var bytes = new byte[ChecksumNames.Length(Kind)];
        CrcBytes.Write(_crc, bytes);
        _crc = 0;
        return bytes;
    }

    /// <summary>The checksum in base 64; begins anew.</summary>
    public string Finish() => Convert.ToBase64String(FinishBytes());

    /// <inheritdoc/>
    public void Dispose() => _hash?.Dispose();
}

/// <summary>Cyclic checks as S3 writes them, the highest byte first.</summary>
internal static class CrcBytes
{
    /// <summary>Writes 4 or 8 bytes, as many as there is room for.</summary>
    public static void Write(ulong crc, Span<byte> bytes)
    {
        if (bytes.Length == sizeof(uint))
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)crc);
        }
        else
        {
            BinaryPrimitives.WriteUInt64BigEndian(bytes, crc);
        }
    }

    /// <summary>Reads 4 or 8 bytes.</summary>
    public static ulong Read(ReadOnlySpan<byte> bytes) =>
        bytes.Length == sizeof(uint) ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt64BigEndian(bytes);
}
