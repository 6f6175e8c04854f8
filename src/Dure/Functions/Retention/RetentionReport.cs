using System.Text.Json.Serialization;

namespace Dure.Functions.Retention;

/// <summary>What a run of retention removed, or would remove.</summary>
/// <param name="DryRun">Nothing was removed.</param>
/// <param name="Results">Invocations whose event and result went.</param>
/// <param name="Checkpoints">Folders of ended invocations.</param>
/// <param name="Folders">Code and dependency folders that no version needs.</param>
/// <param name="Blobs">Blobs that nothing refers to and that have been so for an hour.</param>
/// <param name="BlobsWaiting">Blobs that nothing refers to, but not for an hour yet.</param>
public sealed record RetentionReport(bool DryRun, DateTimeOffset StartedAt, double DurationMs, long Invocations, long Results, long Logs, long LogBytes,
    long Versions, long Checkpoints, long Folders, long Blobs, long BlobBytes, long BlobsWaiting);

/// <summary>How long things are kept and what the last run did.</summary>
/// <param name="InvocationsMs">Milliseconds after the end.</param>
/// <param name="Versions">Per function.</param>
public sealed record RetentionView(double InvocationsMs, double ResultsMs, double LogsMs, int Versions, RetentionReport? LastRun);

/// <summary>JSON of retention.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RetentionReport))]
[JsonSerializable(typeof(RetentionView))]
internal sealed partial class RetentionJson : JsonSerializerContext;
