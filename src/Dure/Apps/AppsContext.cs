using System.Collections.Concurrent;
using Dure.Apps.Index;
using Dure.Apps.Running;
using Dure.Edge;
using Dure.Edge.Waf;
using Dure.Host;
using Dure.Host.Texts;
using Dure.Host.Web;

namespace Dure.Apps;

/// <summary>What the parts of the role share.</summary>
internal sealed record AppsContext(HostServices Host, AppStore Store, IAppProcesses Processes, HealthProbe Health, InProcessEdge Door, EdgeMachine? Edge, AppFolders Folders)
{
    private IndexKeeper? _index;

    private readonly ConcurrentDictionary<string, SemaphoreSlim> _changing = new(StringComparer.Ordinal);

    /// <summary>The page that lists what is published.</summary>
    public IndexKeeper Index => LazyInitializer.EnsureInitialized(ref _index, () => new IndexKeeper(this));

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

    /// <summary>Does something with the app that a request's address names, or answers that there is none.</summary>
    public async Task WithAppAsync(HttpContext http, Func<App, Task> then)
    {
        var id = (string)http.Request.RouteValues["id"]!;
        await (await Store.FindAsync(id, http.RequestAborted) is { } app ? then(app) : ProblemResponse.WriteAsync(http, AppErrors.NoSuchApp.With($"There is no app '{Dure.Host.Texts.Shown.Safely(id)}'.")));
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
            Gatekeeper = GatekeeperAt,
            WakeAt = Edge is not null && version.Spec is { SleepSeconds: not null, Visibility: not Visibility.Local } ? FormattableString.Invariant($"http://{Authority.Host(apps.Address)}:{apps.WakePort}") : null,
            Rates = new(apps.Waf.AddressRate, apps.Waf.TokenRate),
            Waf = new(own?.Mode ?? Enum.Parse<WafMode>(apps.Waf.Mode, ignoreCase: true), own?.Paranoia ?? apps.Waf.Paranoia,
                [.. apps.Waf.Exclude.Concat(own?.Exclude ?? []).Select(text => Exclusion(text, route.Prefix)).OfType<WafExclusion>()]),
        };
    }

    /// <summary>Where the edge asks who may enter; null without an edge.</summary>
    public string? GatekeeperAt { get; init; }

    /// <summary>What people open.</summary>
    public Uri AddressOf(AppVersion version)
    {
        var route = RouteOf(version);
        return (route.Visibility != Visibility.Local ? Edge?.AddressOf(route) : null) ?? new Uri(Door.Address, route.Prefix);
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
