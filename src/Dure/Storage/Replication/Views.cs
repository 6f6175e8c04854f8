using System.Text.Json.Serialization;
using Dure.Host.Web;

namespace Dure.Storage.Replication;

/// <summary>What a comparison of a provider with the databases found.</summary>
/// <param name="Full">All bytes were read; else a sample of the provider's.</param>
/// <param name="Objects">That should be there.</param>
/// <param name="Pending">Of those that are not there, how many wait to be sent: no fault.</param>
/// <param name="Read">Objects whose bytes were read at the provider.</param>
public sealed record VerifyReport(string Provider, DateTimeOffset At, bool Full, long Objects, long Bytes, long Missing, long Wrong, long Damaged, long MissingHere, long DamagedHere,
    long Pending, long Read, long ReadBytes, long DurationMs)
{
    /// <summary>What is not as it should be.</summary>
    [JsonIgnore]
    public long Faults => Missing + Wrong + Damaged + MissingHere + DamagedHere;
}

/// <summary>What a repair did.</summary>
/// <param name="Queued">Things that will be sent to the provider.</param>
/// <param name="Mended">Things fetched back to this machine.</param>
/// <param name="Unrepairable">Things of which no good copy was found anywhere.</param>
public sealed record RepairReport(string Provider, DateTimeOffset At, long Queued, long QueuedBytes, long Mended, long MendedBytes, long Unrepairable, VerifyReport Found);

/// <summary>What a restore did, or would do.</summary>
/// <param name="Restored">Things made again: sources, results, buckets, versions of objects.</param>
/// <param name="Known">Things that were here already.</param>
/// <param name="Failed">Things that the provider does not have whole.</param>
public sealed record RestoreReport(string Provider, DateTimeOffset At, bool DryRun, long Restored, long Bytes, long Known, long Failed, long DurationMs);

/// <summary>One line of an answer that comes as it happens; one member is set.</summary>
/// <param name="Progress">How it goes, for people.</param>
/// <param name="Fault">One thing that is wrong, for people.</param>
public sealed record StorageLine(string? Progress = null, string? Fault = null, VerifyReport? Verify = null, RepairReport? Repair = null, RestoreReport? Restore = null, ProblemView? Problem = null);

/// <summary>Bytes that could not be copied because they are gone or damaged here.</summary>
public sealed record LostView(string Digest, long Bytes, string Reason, DateTimeOffset FoundAt);

/// <summary>How a provider stands.</summary>
/// <param name="Configured">False when it is not in the configuration any more and things still wait for it.</param>
/// <param name="Mode">async or both.</param>
/// <param name="Breaker">closed: it is used; open: it failed and is left alone until <paramref name="RetryAt"/>; half_open: one try finds out.</param>
/// <param name="Lost">The number of <paramref name="Losses"/>, of which the first are listed.</param>
public sealed record ProviderStatusView(string Name, bool Configured, bool Functions, string Mode, string Breaker, DateTimeOffset? RetryAt, long PendingObjects, long PendingBytes,
    DateTimeOffset? OldestPendingAt, string? LastError, DateTimeOffset? LastErrorAt, long Failures, long Lost, IReadOnlyList<LostView> Losses, VerifyReport? LastVerify);

/// <summary>What <c>/api/storage/status</c> tells.</summary>
public sealed record StorageStatusView(IReadOnlyList<ProviderStatusView> Providers)
{
    private const int LossesMost = 20;

    internal static StorageStatusView Of(IEnumerable<ProviderStatus> providers) => new([.. providers.Select(View)]);

    private static ProviderStatusView View(ProviderStatus status)
    {
        var (breaker, error) = (status.Target?.Health.Breaker, status.Target?.Health.LastError);
        return new ProviderStatusView(status.Name, status.Target is not null, status.Target?.Functions == true, status.Target?.Both == true ? "both" : "async",
            breaker?.State switch { BreakerState.Open => "open", BreakerState.HalfOpen => "half_open", _ => "closed" }, breaker is { State: BreakerState.Open } ? breaker.RetryAt : null,
            status.Backlog.Objects, status.Backlog.Bytes, status.Backlog.Oldest, error?.Text ?? status.Backlog.LastError, error?.At, status.Target?.Health.Failures ?? 0,
            status.Lost.Count, [.. status.Lost.Take(LossesMost).Select(lost => new LostView(lost.Name, lost.Bytes, lost.Reason, lost.FoundAt))], status.Verified);
    }
}

/// <summary>JSON of replication.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(VerifyReport))]
[JsonSerializable(typeof(StorageLine))]
[JsonSerializable(typeof(StorageStatusView))]
internal sealed partial class ReplicationJson : JsonSerializerContext;
