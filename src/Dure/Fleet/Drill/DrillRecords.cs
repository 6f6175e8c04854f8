using System.Text.Json;
using Dure.Fleet.Check;
using Dure.Fleet.Commands;
using Dure.Fleet.Drill.Reports;

namespace Dure.Fleet.Drill;

/// <summary>Series of drills over all tiers are kept, for the readiness list of <c>dure check</c> and of <c>dure cutover</c>.</summary>
internal static class DrillRecords
{
    private const string Kind = "drills";

    public static Task KeepAsync(DrillReport report, CancellationToken cancel) =>
        RecordFolder.KeepAsync(Kind, $"{report.Fleet}-{report.Began.UtcDateTime:yyyyMMdd-HHmmss}.json", JsonSerializer.Serialize(report, DrillJson.Default.DrillReport), cancel);

    /// <summary>The newest that was run from here on a fleet of this name.</summary>
    public static DrillFact Last(string fleet)
    {
        var folder = RecordFolder.Of(Kind);
        foreach (var path in Directory.Exists(folder) ? Directory.GetFiles(folder, $"{fleet}-*.json").OrderDescending(StringComparer.Ordinal).ToArray() : [])
        {
            try
            {
                using var file = File.OpenRead(path);
                if (JsonSerializer.Deserialize(file, DrillJson.Default.DrillReport) is { } report && report.Fleet == fleet)
                    return new(report.Began, report.Ok);
            }
            catch (Exception failure) when (failure is JsonException or IOException or UnauthorizedAccessException)
            {
                // One that cannot be read says nothing; an older one may.
            }
        }

        return new(null, false);
    }
}
