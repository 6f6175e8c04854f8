using Dure.Host;
using Dure.Host.Web;
using Dure.Storage.Providers;
using Dure.Storage.Replication;
using Dure.Storage.Store;

namespace Dure.Storage;

/// <summary>Copies at second providers: registers and maps them. Off without a provider in the configuration, except that it says so.</summary>
internal sealed class StorageRole : IAsyncDisposable
{
    private readonly HostServices _host;
    private readonly IReadOnlyList<IObjects> _providers;
    private readonly Reconciliation _reconciliation;

    private StorageRole(HostServices host, IReadOnlyList<IObjects> providers, ReplicationService service)
    {
        (_host, _providers, Replication) = (host, providers, service);
        _reconciliation = new Reconciliation(service, host.Options.Data, host.Time);
    }

    /// <summary>What the other roles hand their copies to.</summary>
    public ReplicationService Replication { get; }

    /// <summary>Makes the role. Give the other roles <see cref="Replication"/> in <see cref="HostServices.Replication"/>.</summary>
    /// <param name="providers">Every configured provider; owned from now on.</param>
    /// <param name="functions">Whether functions' sources and results go to a provider.</param>
    /// <param name="both">Whether a result must be there before it counts.</param>
    public static StorageRole Open(HostServices host, IReadOnlyList<IObjects> providers, Func<string, bool> functions, Func<string, bool> both)
    {
        var targets = providers.Select(provider => new ReplicaTarget(provider, new ProviderHealth(host.Time), functions(provider.Name), both(provider.Name))).ToList();
        return new StorageRole(host, providers, new ReplicationService(targets, new OutboxStore(host.Database, host.Time), ReplicatorOptions.Default, host.Time,
            host.Loggers.CreateLogger<ReplicationService>()));
    }

    /// <summary>Adds the embedded store's buckets.</summary>
    /// <param name="wanted">See <see cref="BucketOriginals"/>.</param>
    public void Add(ObjectStore store, Func<string, CancellationToken, IAsyncEnumerable<OutboxEntry>> wanted)
    {
        Replication.Add(new BucketOriginals(store, new OutboxStore(store.Database, _host.Time), wanted));
        store.OutboxGrew = Replication.Wake;
    }

    /// <summary>Maps the role's endpoints.</summary>
    public void Map(Gate gate) => new StorageApi(Replication, _reconciliation, _host.Loggers.CreateLogger<StorageApi>()).Map(gate);

    /// <summary>Runs the role until cancelled.</summary>
    public Task RunAsync(CancellationToken cancel) => Replication.RunAsync(cancel);

    public async ValueTask DisposeAsync()
    {
        Replication.Dispose();
        foreach (var provider in _providers)
            await provider.DisposeAsync();
    }
}
