using Dure.Host;
using Dure.Host.Live;
using Dure.Host.Web;
using Dure.Host.Web.OpenApi;
using Dure.Storage.Objects;
using Dure.Storage.Providers;
using Dure.Storage.Replication;
using Dure.Storage.S3;
using Dure.Storage.Signing;

namespace Dure.Storage;

/// <summary>All of object storage in one server: access keys, the embedded store with its endpoint, the providers, and the copies there.</summary>
internal sealed class ObjectStorage : IAsyncDisposable
{
    private readonly HostServices _host;
    private readonly AccessKeyStore _keys;
    private readonly StoreRole? _store;
    private readonly ProviderSet _providers;
    private readonly StorageRole _copies;
    private readonly StoreUpkeep? _upkeep;

    private ObjectStorage(HostServices host, AccessKeyStore keys, StoreRole? store)
    {
        (_host, _keys, _store) = (host, keys, store);
        _providers = new ProviderSet(host.Options.Storage, host.Secrets, host.Time);
        _copies = StorageRole.Open(host, _providers);
        if (store is null)
            return;
        _copies.Add(store.Store);
        var settings = host.Options.Store;
        _upkeep = new StoreUpkeep(store, _copies.Replication, settings.Directory, settings.ScrubEvery, settings.ScrubRate, host.Time, host.Loggers.CreateLogger<StoreUpkeep>());
    }

    /// <summary>What other roles hand their copies to.</summary>
    public ReplicationService Replication => _copies.Replication;

    /// <summary>Where the S3 endpoint answers; null when this machine serves none.</summary>
    /// <remarks>On loopback without TLS: nobody is between, and a lab's own certificate is trusted by few.</remarks>
    public string? Address => _store is null ? null : new Uri(_store.Address).IsLoopback ? _store.Address : _store.SecureAddress ?? _store.Address;

    /// <summary>What can be watched of it in live streams: a hint that something stored, or a copy of it, has changed.</summary>
    public IReadOnlyList<LiveTopic> Topics => [LiveTopic.Hints(_host.Live, "storage", LiveChannel)];

    /// <summary>The channel of those hints.</summary>
    public const string LiveChannel = "storage";

    /// <summary>The embedded store, counted now; null when this machine serves none.</summary>
    public async ValueTask<StoreView?> ViewAsync(CancellationToken cancel) => _upkeep is null ? null : await _upkeep.ViewAsync(cancel);

    /// <summary>The part of the API's document, of what is mapped.</summary>
    public IReadOnlyList<ApiOperation> Operations =>
        [.. StorageOperations.All, .. ProvidersApi.Operations, .. _store is null ? [] : (IEnumerable<ApiOperation>)[.. KeysApi.Operations, .. BucketsApi.Operations, .. ObjectsApi.Operations]];

    /// <summary>Opens what is stored; answers nobody yet.</summary>
    public static async Task<Outcome<ObjectStorage>> OpenAsync(HostServices host, CancellationToken cancel)
    {
        var keys = await AccessKeyStore.OpenAsync(host.Database, host.Secrets, host.Live, host.Time, cancel);
        StoreRole? store = null;
        if (host.Options.Store.Enabled)
        {
            var opened = await StoreRole.OpenAsync(host.Options.Store, keys.Find, () => host.RefuseWork() is not null, host.Loggers, host.Time, cancel);
            if (!opened.Ok)
            {
                keys.Dispose();
                return opened.Problem;
            }
            store = opened.Value;
        }
        return new ObjectStorage(host, keys, store);
    }

    /// <summary>Maps the endpoints of Dure's own API.</summary>
    public void Map(Gate gate)
    {
        _copies.Map(gate, _upkeep);
        ProvidersApi.Map(gate, _providers, _host.Time);
        if (_store is null)
            return;
        KeysApi.Map(gate, _keys, () => Address!, _host.Options.Store.Region);
        // A hint for pages that show buckets.
        void Changed() => _host.Live.Publish(LiveChannel, "changed");
        BucketsApi.Map(gate, _store.Store, Changed);
        ObjectsApi.Map(gate, _store.Services, new ObjectLinks(_keys, () => Address!, _host.Options.Store.Region, _host.Time), Changed);
    }

    /// <summary>Begins to answer S3 clients.</summary>
    /// <returns>DURE0008 when the address is taken.</returns>
    public async ValueTask<Problem?> StartAsync(CancellationToken cancel) => _store is null ? null : await _store.StartAsync(cancel);

    /// <summary>Works until cancelled.</summary>
    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(_keys.RunAsync(cancel), _copies.RunAsync(cancel), _upkeep?.RunAsync(cancel) ?? Task.CompletedTask);

    /// <summary>Answers S3 clients what has begun, and then no more.</summary>
    public Task StopAsync(CancellationToken cancel) => _store?.StopAsync(cancel) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _upkeep?.Dispose();
        _copies.Dispose();
        await _providers.DisposeAsync();
        if (_store is not null)
            await _store.DisposeAsync();
        _keys.Dispose();
    }
}
