namespace Dure.Storage.Checksums;

/// <summary>CRC-64 of the NVM Express specification (CRC64NVME in S3, its default): the check of <c>123456789</c> is AE8B14860A799888.</summary>
public static class Crc64Nvme
{
    private static readonly ReflectedCrc Engine = new(0x9A6C9329AC4BC9B5, 64);

    /// <summary>The check of bytes.</summary>
    public static ulong Compute(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>The check of what <paramref name="crc"/> is of and <paramref name="bytes"/> after it; 0 is the check of nothing.</summary>
    public static ulong Append(ulong crc, ReadOnlySpan<byte> bytes) => ~Engine.Update(~crc, bytes);

    /// <summary>The check of two pieces one after the other, from theirs.</summary>
    /// <param name="lengthSecond">Bytes of the second piece.</param>
    public static ulong Combine(ulong first, ulong second, long lengthSecond) => Engine.Combine(first, second, lengthSecond);
}
