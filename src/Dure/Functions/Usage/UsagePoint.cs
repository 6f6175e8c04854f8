using System.Buffers.Binary;

namespace Dure.Functions.Usage;

/// <summary>What the sandbox of an attempt used in the time up to a moment: about a second, or more once a long track was thinned out.</summary>
/// <param name="Time">The end of that time, Unix ms.</param>
/// <param name="Samples">How many measurements are in it.</param>
/// <param name="CpuMin">Least processor time used per time, thousandths of a core; the others likewise.</param>
/// <param name="MemoryMin">Least memory, bytes.</param>
public readonly record struct UsagePoint(long Time, int Attempt, int Samples, int CpuMin, int CpuMean, int CpuMax, long MemoryMin, long MemoryMax)
{
    /// <summary>Bytes of a stored point.</summary>
    public const int Size = 44;

    /// <summary>Both in one.</summary>
    /// <param name="later">The one that follows, of the same attempt.</param>
    public UsagePoint With(UsagePoint later)
    {
        var samples = Samples + later.Samples;
        var mean = (int)(((long)CpuMean * Samples + (long)later.CpuMean * later.Samples) / samples);
        return new(later.Time, Attempt, samples, Math.Min(CpuMin, later.CpuMin), mean, Math.Max(CpuMax, later.CpuMax),
            Math.Min(MemoryMin, later.MemoryMin), Math.Max(MemoryMax, later.MemoryMax));
    }

    /// <summary>Writes the stored form.</summary>
    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to, Time);
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], Attempt);
        BinaryPrimitives.WriteInt32LittleEndian(to[12..], Samples);
        BinaryPrimitives.WriteInt32LittleEndian(to[16..], CpuMin);
        BinaryPrimitives.WriteInt32LittleEndian(to[20..], CpuMean);
        BinaryPrimitives.WriteInt32LittleEndian(to[24..], CpuMax);
        BinaryPrimitives.WriteInt64LittleEndian(to[28..], MemoryMin);
        BinaryPrimitives.WriteInt64LittleEndian(to[36..], MemoryMax);
    }

    /// <summary>Reads it.</summary>
    public static UsagePoint Read(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadInt64LittleEndian(from), BinaryPrimitives.ReadInt32LittleEndian(from[8..]), BinaryPrimitives.ReadInt32LittleEndian(from[12..]),
        BinaryPrimitives.ReadInt32LittleEndian(from[16..]), BinaryPrimitives.ReadInt32LittleEndian(from[20..]), BinaryPrimitives.ReadInt32LittleEndian(from[24..]),
        BinaryPrimitives.ReadInt64LittleEndian(from[28..]), BinaryPrimitives.ReadInt64LittleEndian(from[36..]));
}
