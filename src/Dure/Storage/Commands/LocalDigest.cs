using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Dure.Storage.Checksums;

namespace Dure.Storage.Commands;

/// <summary>What local bytes add up to, computed as they pass by. One of the checksums that stores keep, or the MD5 of an ETag.</summary>
internal sealed class LocalDigest : IDisposable
{
    private const int BufferBytes = 256 * 1024;
    private readonly ChecksumKind? _kind;
    private readonly IncrementalHash? _hash;
    private ulong _crc;

    /// <param name="kind">Null for MD5.</param>
    public LocalDigest(ChecksumKind? kind)
    {
        _kind = kind;
        _hash = kind switch
        {
            null => IncrementalHash.CreateHash(HashAlgorithmName.MD5),
            ChecksumKind.Sha1 => IncrementalHash.CreateHash(HashAlgorithmName.SHA1),
            ChecksumKind.Sha256 => IncrementalHash.CreateHash(HashAlgorithmName.SHA256),
            _ => null,
        };
    }

    public void Dispose() => _hash?.Dispose();

    public void Append(ReadOnlySpan<byte> bytes)
    {
        switch (_kind)
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

    /// <summary>The value: big-endian bytes of a CRC, else of the hash. Begins anew.</summary>
    public byte[] Take()
    {
        if (_hash is not null)
        {
            return _hash.GetHashAndReset();
        }

        var bytes = new byte[_kind == ChecksumKind.Crc64Nvme ? 8 : 4];
        if (bytes.Length == 8)
        {
            BinaryPrimitives.WriteUInt64BigEndian(bytes, _crc);
        }
        else
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)_crc);
        }

        _crc = 0;
        return bytes;
    }

    /// <summary>Reads a stream to its end.</summary>
    public async Task<byte[]> OfAsync(Stream stream, CancellationToken cancel)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (await stream.ReadAsync(buffer, cancel) is var count and > 0)
            {
                Append(buffer.AsSpan(0, count));
            }

            return Take();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
