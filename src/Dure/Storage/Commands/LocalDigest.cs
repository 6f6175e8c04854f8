using System.Buffers;
using System.Security.Cryptography;
using Dure.Storage.Checksums;

namespace Dure.Storage.Commands;

/// <summary>What local bytes add up to, computed as they pass by. One of the checksums that stores keep, or the MD5 of an ETag.</summary>
internal sealed class LocalDigest : IDisposable
{
    private const int BufferBytes = 256 * 1024;
    private readonly RunningChecksum? _checksum;
    private readonly IncrementalHash? _md5;

    /// <param name="kind">Null for MD5.</param>
    public LocalDigest(ChecksumKind? kind)
    {
        if (kind is { } known)
        {
            _checksum = new RunningChecksum(known);
        }
        else
        {
            _md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        }
    }

    public void Dispose()
    {
        _checksum?.Dispose();
        _md5?.Dispose();
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _checksum?.Append(bytes);
        _md5?.AppendData(bytes);
    }

    /// <summary>The value: big-endian bytes of a CRC, else of the hash. Begins anew.</summary>
    public byte[] Take() => _checksum?.FinishBytes() ?? _md5!.GetHashAndReset();

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
