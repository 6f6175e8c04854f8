namespace Dure.Storage.Checksums;

/// <summary>CRC-32 of ISO/IEC 3309, as in gzip and zip: the check of <c>123456789</c> is CBF43926.</summary>
public static class Crc32
{
    private static readonly ReflectedCrc Engine = new(0xEDB88320, 32);

    /// <summary>The check of bytes.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>The check of what <paramref name="crc"/> is of and <paramref name="bytes"/> after it; 0 is the check of nothing.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes) => ~(uint)Engine.Update(~crc, bytes);

    /// <summary>The check of two pieces one after the other, from theirs.</summary>
    /// <param name="lengthSecond">Bytes of the second piece.</param>
    public static uint Combine(uint first, uint second, long lengthSecond) => (uint)Engine.Combine(first, second, lengthSecond);
}
