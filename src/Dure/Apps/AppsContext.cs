using System.Collections.Concurrent;
using Dure.Apps.Running;
using Dure.Edge;
using Dure.Edge.Waf;
using Dure.Host;

namespace Dure.Apps;

/// <summary>What the parts of the role share.</summary>
internal sealed record AppsContext(HostServices Host, AppStore Store, IAppProcesses Processes, HealthProbe Health, InProcessEdge Door, EdgeMachine? Edge, AppFolders Folders)
{
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _changing = new(StringComparer.Ordinal);

    /// <summary>This machine, as the database knows it. A database of its own knows no other.</summary>
    public string Machine { get; } = Host.Options.DatabaseUrl is null ? "localhost" : Environment.MachineName;

    /// <summary>Holds an app while it is changed.</summary>
    /// <param name="patience">How long to wait for who holds it; <see cref="Timeout.InfiniteTimeSpan"/> for no limit.</param>
    /// <returns>To be disposed of; null when somebody else holds it for longer.</returns>
    public async Task<IDisposable?> HoldAsync(string id, TimeSpan patience, CancellationToken cancel)
    {
        var gate = _changing.GetOrAdd(id, static _ => new SemaphoreSlim(1));
        return await gate.WaitAsync(patience, cancel) ? new Held(gate) : null;
    }

    /// <summary>A version that has its port, as it is run.</summary>
    public AppRun RunOf(AppVersion version) => new(version.App, version.Number, version.Spec, Folders.Version(version.App, version.Number), Folders.State(version.App),
        Host.Options.Apps.Address, version.Port ?? 0, $"{Host.Options.Apps.Prefix}/{version.App}");

    public AppRoute RouteOf(AppVersion version)
    {
        var (apps, own) = (Host.Options.Apps, version.Spec.Waf);
        var route = version.Route(apps.Prefix, apps.Address);
        return route with
        {
            Rates = new(apps.Waf.AddressRate, apps.Waf.TokenRate),
            Waf = new(own?.Mode ?? Enum.Parse<WafMode>(apps.Waf.Mode, ignoreCase: true), own?.Paranoia ?? apps.Waf.Paranoia, [.. apps.Waf.Exclude.Concat(own?.Exclude ?? []).Select(text => Exclusion(text, route.Prefix)).OfType<WafExclusion>()]),
        };
    }

    /// <summary>What people open.</summary>
    public Uri AddressOf(AppVersion version)
    {
        var route = RouteOf(version);
        return (route.Visibility == Visibility.Public ? Edge?.AddressOf(route) : null) ?? new Uri(Door.Address, route.Prefix);
    }

    private static WafExclusion? Exclusion(string text, string under) => WafExclusion.TryParse(text, under, out var exclusion) ? exclusion : null;

    private sealed class Held(SemaphoreSlim gate) : IDisposable
    {
        private int _released;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _released, 1) == 0)
                gate.Release();
        }
    }
}
