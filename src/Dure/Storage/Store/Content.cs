using System.Buffers;
using Dure.Storage.Checksums;

namespace Dure.Storage.Store;

/// <summary>Bytes that came in whole and right, and wait for the row that refers to them.</summary>
/// <param name="FileId">Number of the file that holds them, flushed; 0 when they are in <paramref name="Bytes"/>.</param>
/// <param name="Crcs">CRC32C of each block, 4 bytes little-endian each.</param>
internal sealed record Content(long FileId, ReadOnlyMemory<byte> Bytes, long Size, byte[] Md5, string Sha256, byte[] Crcs, IReadOnlyDictionary<ChecksumKind, string> Values)
{
    /// <summary>Bytes that one CRC32C covers.</summary>
    public const int BlockBytes = 128 * 1024;

    private byte[]? _rented;

    public string ETag => Convert.ToHexStringLower(Md5);

    public IReadOnlyList<ObjectChecksum> Checksums => Values.Count == 0 ? [] : [.. Values.Select(static pair => new ObjectChecksum(pair.Key, ChecksumType.FullObject, pair.Value))];

    /// <summary>Goes back to the pool with <see cref="Release"/>.</summary>
    public Content Holding(byte[] rented)
    {
        _rented = rented;
        return this;
    }

    public void Release()
    {
        if (Interlocked.Exchange(ref _rented, null) is { } rented)
            ArrayPool<byte>.Shared.Return(rented);
    }
}
