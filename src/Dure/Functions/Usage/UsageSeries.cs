using Dure.Host.Web;

namespace Dure.Functions.Usage;

/// <summary>Makes points into buckets of equal length that begin at multiples of it, so that the same question has the same answer.</summary>
public static class UsageSeries
{
    private static readonly long[] Steps = [1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 86_400_000];

    // One that comes later than this after the one before says nothing about the time between.
    private const double GapMost = 2.5;

    /// <summary>The length of a bucket so that there are not more than asked for.</summary>
    public static long StepOf(long from, long to, int buckets) => Steps.FirstOrDefault(step => (to - from) / step < buckets, Steps[^1]);

    /// <summary>The series from a time to a time, Unix ms.</summary>
    public static Series Of(IReadOnlyList<UsagePoint> points, long from, long to, int buckets)
    {
        var step = StepOf(from, to, buckets);
        var first = from / step * step;
        var count = (int)Math.Clamp((to - first + step - 1) / step, 1, 20_000);
        var (memory, cpu) = (new SeriesLine("memory", "bytes", count), new SeriesLine("cpu", "cores", count));
        for (var i = 0; i < points.Count; i++)
        {
            var point = points[i];
            var usual = 1000L * point.Samples;
            var begin = point.Time - usual;
            if (i > 0 && points[i - 1].Attempt == point.Attempt && point.Time - points[i - 1].Time <= GapMost * usual)
                begin = points[i - 1].Time;
            if (point.Time <= first || begin >= to)
                continue;
            // A point stands for the time before it: a second that was measured a little late leaves no hole.
            var last = Math.Min((point.Time - 1 - first) / step, count - 1);
            for (var bucket = Math.Max(0, (begin - first) / step); bucket <= last; bucket++)
            {
                memory.Take((int)bucket, point.MemoryMin, (point.MemoryMin + point.MemoryMax) / 2.0, point.MemoryMax, point.Samples);
                cpu.Take((int)bucket, point.CpuMin / 1000.0, point.CpuMean / 1000.0, point.CpuMax / 1000.0, point.Samples);
            }
        }
        return new Series(first, first + count * step, step, [memory.Done(), cpu.Done()]);
    }
}
