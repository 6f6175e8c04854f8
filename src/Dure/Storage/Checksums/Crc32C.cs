using System.Buffers.Binary;
using System.Runtime.Intrinsics.X86;
using Arm = System.Runtime.Intrinsics.Arm;

namespace Dure.Storage.Checksums;

/// <summary>CRC-32C, Castagnoli's polynomial (RFC 3720, 12.1), which processors compute: the check of <c>123456789</c> is E3069283.</summary>
public static class Crc32C
{
    // Below this an instruction for every eight bytes is quicker than folding.
    private const int ByInstructionBelow = 256;

    private static readonly ReflectedCrc Engine = new(0x82F63B78, 32);

    /// <summary>The check of bytes.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>The check of what <paramref name="crc"/> is of and <paramref name="bytes"/> after it; 0 is the check of nothing.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes) => bytes.Length < ByInstructionBelow && (Sse42.X64.IsSupported || Arm.Crc32.Arm64.IsSupported)
        ? ~UpdateByInstruction(~crc, bytes)
        : ~(uint)Engine.Update(~crc, bytes);

    /// <summary>The check of two pieces one after the other, from theirs.</summary>
    /// <param name="lengthSecond">Bytes of the second piece.</param>
    public static uint Combine(uint first, uint second, long lengthSecond) => (uint)Engine.Combine(first, second, lengthSecond);

    private static uint UpdateByInstruction(uint state, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 8)
        {
            var word = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            state = Sse42.X64.IsSupported ? (uint)Sse42.X64.Crc32(state, word) : Arm.Crc32.Arm64.ComputeCrc32C(state, word);
            bytes = bytes[8..];
        }
        foreach (var value in bytes)
        {
            state = Sse42.IsSupported ? Sse42.Crc32(state, value) : Arm.Crc32.ComputeCrc32C(state, value);
        }
        return state;
    }
}
