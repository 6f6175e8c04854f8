using Dure.Host;
using Dure.Storage.Providers;

namespace Dure.Storage.Replication;

/// <summary>
/// A provider as it is configured at the moment of each call: a credential that is missing when the server starts, or changed later, is a failure of the
/// calls until it is there, and nothing that waits for the provider is lost.
/// </summary>
internal sealed class ConfiguredProvider(ProviderSet providers, string name) : IObjects
{
    public string Name => name;

    public Task<Outcome<ObjectFacts>> PutAsync(PutObject what, CancellationToken cancel) => WithAsync(objects => objects.PutAsync(what, cancel), cancel);

    public Task<Outcome<Stream>> GetAsync(string key, long offset, long? length, CancellationToken cancel) => WithAsync(objects => objects.GetAsync(key, offset, length, cancel), cancel);

    public Task<Outcome<ObjectFacts>> HeadAsync(string key, CancellationToken cancel) => WithAsync(objects => objects.HeadAsync(key, cancel), cancel);

    public Task<Outcome<ObjectsPage>> ListAsync(string prefix, string? next, int limit, CancellationToken cancel) => WithAsync(objects => objects.ListAsync(prefix, next, limit, cancel), cancel);

    public Task<Outcome<bool>> DeleteAsync(IReadOnlyList<string> keys, CancellationToken cancel) => WithAsync(objects => objects.DeleteAsync(keys, cancel), cancel);

    public Task<Outcome<ObjectFacts>> CopyAsync(string from, string to, CancellationToken cancel) => WithAsync(objects => objects.CopyAsync(from, to, cancel), cancel);

    /// <summary>None: copies are for nobody else.</summary>
    public Uri? Presign(string method, string key, TimeSpan valid, IReadOnlyDictionary<string, string>? headers = null) => null;

    /// <summary>The set owns what it opened.</summary>
    public ValueTask DisposeAsync() => default;

    private async Task<Outcome<T>> WithAsync<T>(Func<IObjects, Task<Outcome<T>>> call, CancellationToken cancel)
    {
        var opened = await providers.OpenAsync(name, cancel);
        return opened.Ok ? await call(opened.Value) : opened.Problem;
    }
}
