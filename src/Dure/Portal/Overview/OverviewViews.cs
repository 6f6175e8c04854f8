using System.Text.Json.Serialization;
using Dure.Functions.Trends;
using Dure.Host.Commands;
using Dure.Storage;

namespace Dure.Portal.Overview;

/// <summary>How far a second provider is behind.</summary>
/// <param name="OldestPendingAt">When the oldest thing that it lacks was made; null when it lacks nothing.</param>
/// <param name="Breaker">closed: it is used; open: it failed and is left alone for a while; half_open: one try finds out.</param>
public sealed record ReplicationLagView(string Provider, long PendingObjects, long PendingBytes, DateTimeOffset? OldestPendingAt, string Breaker, string? LastError, DateTimeOffset? LastVerifiedAt, long? Faults);

/// <summary>The backups that there are.</summary>
/// <param name="NewestAt">Null when there is none.</param>
public sealed record BackupsNowView(int Count, DateTimeOffset? NewestAt, long? SizeBytes);

/// <summary>Everything on one page.</summary>
/// <param name="At">When it was looked at.</param>
/// <param name="Status">ok, warning or failed: the worst of <paramref name="Checks"/>.</param>
/// <param name="Store">The embedded object store; null when this machine serves none.</param>
/// <param name="Replication">Providers that get copies.</param>
public sealed record OverviewView(DateTimeOffset At, string Version, DateTimeOffset StartedAt, string Status, IReadOnlyList<HealthCheckView> Checks, FunctionsNowView Functions, DiskView Disk, StoreView? Store,
    IReadOnlyList<ReplicationLagView> Replication, BackupsNowView Backups);

/// <summary>JSON of the overview.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OverviewView))]
internal sealed partial class OverviewJson : JsonSerializerContext;
