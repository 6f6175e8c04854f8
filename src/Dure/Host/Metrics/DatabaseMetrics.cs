using System.Diagnostics.Metrics;

namespace Dure.Host.Metrics;

/// <summary>What the database's commits take.</summary>
internal static class DatabaseMetrics
{
    private static readonly Meter Meter = new("Dure.Database");
    private static readonly Histogram<double> Commit = Meter.CreateHistogram<double>("dure_database_commit_seconds", "s", "How long a group commit took, flush to disk included.");
    private static readonly Counter<long> Writes = Meter.CreateCounter<long>("dure_database_writes_total", null, "Writes in those commits.");

    /// <summary>Counts a group commit.</summary>
    public static void Committed(TimeSpan took, int writes)
    {
        Commit.Record(took.TotalSeconds);
        Writes.Add(writes);
    }
}
