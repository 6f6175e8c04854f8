using Dure.Host;
using Dure.Host.Web;
using Dure.Storage.Providers;
using Dure.Storage.Replication;
using Dure.Storage.Store;

namespace Dure.Storage;

/// <summary>Copies at second providers: registers and maps them. Without a provider in the configuration it only says so.</summary>
internal sealed partial class StorageRole : IDisposable
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMinutes(10);

    private readonly HostServices _host;
    private readonly Reconciliation _reconciliation;
    private readonly ILogger<StorageRole> _log;
    private readonly Signal _damage = new();
    private ObjectStore? _store;

    private StorageRole(HostServices host, ReplicationService service)
    {
        (_host, Replication, _log) = (host, service, host.Loggers.CreateLogger<StorageRole>());
        _reconciliation = new Reconciliation(service, host.Options.Data, host.Time);
    }

    /// <summary>What the other roles hand their copies to.</summary>
    public ReplicationService Replication { get; }

    /// <summary>Makes the role; the other roles get <see cref="Replication"/> as <see cref="HostServices.Replication"/>.</summary>
    /// <param name="providers">The configured ones; the caller disposes them after this.</param>
    public static StorageRole Open(HostServices host, ProviderSet providers)
    {
        var targets = providers.All.Select(provider =>
            new ReplicaTarget(new ConfiguredProvider(providers, provider.Name), new ProviderHealth(host.Time), provider.Functions, provider.Both)).ToList();
        return new StorageRole(host, new ReplicationService(targets, new OutboxStore(host.Database, host.Time), ReplicatorOptions.Default, host.Time,
            host.Loggers.CreateLogger<ReplicationService>()));
    }

    /// <summary>Adds the embedded store: its buckets are copied, and what it finds damaged is mended from a copy. Before <see cref="RunAsync"/>.</summary>
    public void Add(ObjectStore store)
    {
        _store = store;
        Replication.Add(new BucketOriginals(store, new OutboxStore(store.Database, _host.Time)));
        store.OutboxGrew = Replication.Wake;
        store.CorruptionFound = _damage.Set;
    }

    /// <summary>Maps the role's endpoints.</summary>
    /// <param name="upkeep">Tells of the embedded store; null when this machine has none.</param>
    public void Map(Gate gate, StoreUpkeep? upkeep) => new StorageApi(Replication, _reconciliation, upkeep, _host.Loggers.CreateLogger<StorageApi>()).Map(gate);

    /// <summary>Runs the role until cancelled.</summary>
    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(Replication.RunAsync(cancel), MendAsync(cancel));

    public void Dispose() => Replication.Dispose();

    private async Task MendAsync(CancellationToken cancel)
    {
        while (_store is not null && Replication.Targets.Count > 0)
        {
            await _damage.WaitAsync(LookAgain, _host.Time, cancel);
            try
            {
                await _store.RepairAsync(Replication.OpenReplicaAsync, cancel);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                LogNotMended(error);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "What is damaged in the store could not be mended; it is tried again")]
    private partial void LogNotMended(Exception error);
}
