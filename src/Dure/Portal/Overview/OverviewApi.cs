using Dure.Functions.Trends;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Identity;
using Dure.Host.Operations;
using Dure.Host.Web;
using Dure.Host.Web.OpenApi;
using Dure.Storage;
using Dure.Storage.Providers;
using Dure.Storage.Replication;

namespace Dure.Portal.Overview;

/// <summary>What the overview is put together from.</summary>
/// <param name="Functions">Invocations, schedules, machines.</param>
/// <param name="Health">What can be checked about the server, checked now.</param>
/// <param name="Store">The embedded store, counted now; null where there is none.</param>
internal sealed record OverviewNeeds(
    Func<CancellationToken, ValueTask<FunctionsNowView>> Functions,
    Func<CancellationToken, ValueTask<HealthView>> Health,
    Func<CancellationToken, ValueTask<StoreView?>> Store,
    ReplicationService Replication,
    Backups Backups,
    DiskGuard Disk);

/// <summary>
/// <c>GET /api/overview</c>: what runs, what waits, what broke, the machines, the disk, the copies: in one answer, looked at once a second at
/// most however many look.
/// </summary>
internal sealed class OverviewApi(OverviewNeeds needs, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SlowFresh = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _one = new(1);
    private readonly DateTimeOffset _started = time.GetUtcNow();
    private OverviewView? _last;
    private (StoreView? Store, BackupsNowView Backups, long At)? _slow;
    private long _lastAt;

    /// <summary>The part of the API's document.</summary>
    public static readonly IReadOnlyList<ApiOperation> Operations =
        [new("GET", "/api/overview", "What runs, what waits, what broke, and how machines, disk, store and copies are.", 200, OverviewJson.Default.OverviewView)];

    /// <summary>Maps the endpoint.</summary>
    public void Map(Gate gate) => gate.Map("GET", "/api/overview", Scopes.Read, async http => await JsonBody.WriteAsync(http, await ReadAsync(http.RequestAborted), OverviewJson.Default.OverviewView));

    public void Dispose() => _one.Dispose();

    private async ValueTask<OverviewView> ReadAsync(CancellationToken cancel)
    {
        await _one.WaitAsync(cancel);
        try
        {
            if (_last is not null && time.GetElapsedTime(_lastAt) < Fresh)
                return _last;
            var begun = time.GetTimestamp();
            _last = await LookAsync(cancel);
            _lastAt = begun;
            return _last;
        }
        finally
        {
            _one.Release();
        }
    }

    private async ValueTask<OverviewView> LookAsync(CancellationToken cancel)
    {
        var at = time.GetUtcNow();
        var health = await needs.Health(cancel);
        var functions = await needs.Functions(cancel);
        // What takes a walk through a folder or a table changes slowly.
        if (_slow is not { } known || time.GetElapsedTime(known.At) > SlowFresh)
        {
            var backups = needs.Backups.List();
            known = (await needs.Store(cancel), new BackupsNowView(backups.Count, backups.Count == 0 ? null : backups[0].CreatedAt, backups.Count == 0 ? null : backups[0].SizeBytes), time.GetTimestamp());
            _slow = known;
        }
        var disk = needs.Disk.Now;
        return new OverviewView(at, DureVersion.Text, _started, Worst(health), health.Checks, functions, new DiskView(disk.FreeBytes, disk.TotalBytes, DiskGuard.NameOf(disk.State)), known.Store,
            [.. needs.Replication.Targets.Select(LagOf)], known.Backups);
    }

    private static string Worst(HealthView health) => health.Status == "failed" ? "failed" : health.Checks.Any(check => check.Status != "ok") ? "warning" : "ok";

    // As it was last counted, a few seconds ago at most: nothing is asked of the provider.
    private ReplicationLagView LagOf(ReplicaTarget target)
    {
        var backlog = needs.Replication.Counted.GetValueOrDefault(target.Name) ?? Backlog.None;
        var verified = needs.Replication.Verified.GetValueOrDefault(target.Name);
        var breaker = target.Health.Breaker.State switch { BreakerState.Open => "open", BreakerState.HalfOpen => "half_open", _ => "closed" };
        return new ReplicationLagView(target.Name, backlog.Objects, backlog.Bytes, backlog.Oldest, breaker, target.Health.LastError?.Text ?? backlog.LastError, verified?.At, verified?.Faults);
    }
}
