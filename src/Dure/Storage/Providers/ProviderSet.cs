using Dure.Host;
using Dure.Host.Configuration;
using Dure.Host.Secrets;

namespace Dure.Storage.Providers;

/// <summary>
/// The configured providers. Each is opened when it is first asked for, and anew when its credentials have changed, so that a rotated secret holds from the
/// next call on. Those that are replaced stay open until the end, since somebody may be reading from them.
/// </summary>
public sealed class ProviderSet(StorageOptions options, SecretStore secrets, TimeProvider time, Func<string, string?>? environment = null) : IAsyncDisposable
{
    private readonly Dictionary<string, (IObjects Objects, ProviderCredentials Credentials)> _open = new(StringComparer.Ordinal);
    private readonly List<IObjects> _all = [];
    private readonly Lock _lock = new();

    /// <summary>As configured, by name.</summary>
    public IReadOnlyList<ProviderOptions> All => options.Providers;

    /// <summary>The provider of this name, which the caller does not dispose.</summary>
    /// <returns>It, or DURE0606, or DURE0603 when a credential is missing.</returns>
    public async ValueTask<Outcome<IObjects>> OpenAsync(string name, CancellationToken cancel)
    {
        if (options.Providers.FirstOrDefault(provider => provider.Name == name) is not { } provider)
        {
            var names = string.Join(", ", options.Providers.Select(known => known.Name));
            return ProviderErrors.NoSuchProvider.With($"'{name}' is not one of the configured: {(names.Length > 0 ? names : "there are none")}.");
        }

        var credentials = provider.Type is "folder" ? new ProviderCredentials("", "") : await ProviderFactory.CredentialsAsync(provider, secrets, environment, cancel);
        if (!credentials.Ok)
        {
            return credentials.Problem;
        }

        lock (_lock)
        {
            if (_open.TryGetValue(name, out var known) && known.Credentials.AccessKey == credentials.Value.AccessKey && known.Credentials.SecretKey == credentials.Value.SecretKey)
            {
                return new(known.Objects);
            }

            var opened = provider.Type is "folder" ? new FolderObjects(provider, time) : ProviderFactory.Open(provider, credentials.Value, time);
            if (opened.Ok)
            {
                _open[name] = (opened.Value, credentials.Value);
                _all.Add(opened.Value);
            }

            return opened;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var objects in _all)
        {
            await objects.DisposeAsync();
        }
    }
}
