using System.Buffers.Binary;
using Dure.Storage.Checksums;

namespace Dure.Storage.Store;

/// <summary>CRC32C of each block of <see cref="Content.BlockBytes"/>, 4 bytes little-endian each, one after the other.</summary>
internal sealed class BlockSums
{
    private byte[] _sums = new byte[64];
    private int _length;

    /// <summary>Adds whole blocks; only the last call may bring less than a block at its end.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        for (var at = 0; at < bytes.Length; at += Content.BlockBytes)
        {
            if (_length == _sums.Length)
                Array.Resize(ref _sums, _length * 2);
            BinaryPrimitives.WriteUInt32LittleEndian(_sums.AsSpan(_length), Crc32C.Compute(bytes[at..Math.Min(at + Content.BlockBytes, bytes.Length)]));
            _length += 4;
        }
    }

    public byte[] ToArray() => _sums[.._length];

    /// <summary>Those of bytes that are there as a whole.</summary>
    public static byte[] Of(ReadOnlySpan<byte> bytes)
    {
        var sums = new byte[4 * Blocks(bytes.Length)];
        for (var block = 0; block < sums.Length / 4; block++)
        {
            var at = block * Content.BlockBytes;
            BinaryPrimitives.WriteUInt32LittleEndian(sums.AsSpan(4 * block), Crc32C.Compute(bytes[at..Math.Min(at + Content.BlockBytes, bytes.Length)]));
        }
        return sums;
    }

    /// <summary>Whether bytes that begin at a block are what was written.</summary>
    /// <param name="first">Number of the first block.</param>
    public static bool Hold(ReadOnlySpan<byte> sums, long first, ReadOnlySpan<byte> bytes)
    {
        if (sums.Length < 4 * (first + Blocks(bytes.Length)))
            return false;
        for (var at = 0; at < bytes.Length; at += Content.BlockBytes, first++)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(sums[(int)(4 * first)..]) != Crc32C.Compute(bytes[at..Math.Min(at + Content.BlockBytes, bytes.Length)]))
                return false;
        }
        return true;
    }

    private static int Blocks(long length) => (int)((length + Content.BlockBytes - 1) / Content.BlockBytes);
}
