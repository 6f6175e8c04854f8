using System.Diagnostics.Metrics;

namespace Dure.Storage.Replication;

/// <summary>How far providers are behind.</summary>
internal sealed class ReplicationMetrics : IDisposable
{
    private readonly Meter _meter = new("Dure.Storage.Replication");

    public ReplicationMetrics(ReplicationService service)
    {
        IEnumerable<Measurement<T>> ByProvider<T>(Func<ReplicaTarget, T> measure)
            where T : struct => service.Targets.Select(target => new Measurement<T>(measure(target), new KeyValuePair<string, object?>("provider", target.Name)));
        Backlog Of(ReplicaTarget target) => service.Counted.GetValueOrDefault(target.Name) ?? Backlog.None;

        _meter.CreateObservableGauge("dure_storage_replication_pending_objects", () => ByProvider(target => Of(target).Objects), null, "Objects that the provider has not confirmed.");
        _meter.CreateObservableGauge("dure_storage_replication_pending_bytes", () => ByProvider(target => Of(target).Bytes), "By", "Bytes that the provider has not confirmed.");
        _meter.CreateObservableGauge("dure_storage_replication_oldest_seconds", () => ByProvider(target => service.Oldest(target.Name).TotalSeconds), "s", "Age of the oldest object that the provider has not confirmed.");
        _meter.CreateObservableCounter("dure_storage_replication_failures_total", () => ByProvider(target => target.Health.Failures), null, "Copies that failed and are tried again.");
        _meter.CreateObservableGauge("dure_storage_replication_breaker_open", () => ByProvider(target => target.Health.Breaker.State == BreakerState.Closed ? 0 : 1), null, "1 while the provider is not tried.");
        _meter.CreateObservableGauge("dure_storage_replication_verify_age_seconds", () => ByProvider(target => service.SinceVerified(target.Name)?.TotalSeconds ?? double.NaN), "s", "Time since the provider's copies were last compared.");
    }

    public void Dispose() => _meter.Dispose();
}
