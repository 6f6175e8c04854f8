using Dure.Apps.Access;
using Dure.Apps.Adopting;
using Dure.Apps.Linking;
using Dure.Apps.Running;
using Dure.Apps.Sleeping;
using Dure.Edge;
using Dure.Edge.Certificates;
using Dure.Host;
using Dure.Host.Identity;
using Dure.Host.Web;
using Dure.Host.Web.OpenApi;

namespace Dure.Apps;

/// <summary>The apps role: published papers and other long-running web apps of this machine, and the door that shows them.</summary>
internal sealed partial class AppsRole : IAsyncDisposable
{
    private readonly AppsContext _context;
    private readonly Gatekeeper _gatekeeper;
    private readonly LinkStore _links;
    private readonly GatekeeperListener? _listener;
    private readonly Drains _drains;
    private readonly Sleeper _sleeper;
    private readonly OldUnits _oldUnits;
    private readonly Publisher _publisher;
    private readonly CertificateWatch _certificate;
    private readonly ILogger _log;

    private AppsRole(AppsContext context, Gatekeeper gatekeeper, LinkStore links, GatekeeperListener? listener)
    {
        (_context, _gatekeeper, _links, _listener) = (context, gatekeeper, links, listener);
        _drains = new Drains(context);
        _sleeper = new Sleeper(context);
        _oldUnits = new OldUnits(context);
        _publisher = new Publisher(context, _drains, _sleeper, _oldUnits);
        _log = context.Host.Loggers.CreateLogger<AppsRole>();
        _certificate = new CertificateWatch(context.Edge is null ? null : context.Host.Options.Apps.PublicUrl, context.Host.Time, _log);
    }

    /// <summary>The role's part of the API's document.</summary>
    public static IReadOnlyList<ApiOperation> Operations => [.. AppsApi.Operations, .. SharesApi.Operations, .. AdoptionsApi.Operations];

    /// <summary>Opens the door where there are apps: what is live is served from the first moment.</summary>
    public static async ValueTask<Outcome<AppsRole>> OpenAsync(HostServices host, IdentityRole identity, CancellationToken cancel)
    {
        var apps = host.Options.Apps;
        if (apps.Edge is not null && (apps.PublicUrl is null || Tunnel.Needed(apps) && !File.Exists(Tunnel.UnitPath)))
            LogHalf(host.Loggers.CreateLogger<AppsRole>(), apps.PublicUrl is null ? "apps.public_url" : "apps.address or a tunnel (dure apps link)");
        var opened = InProcessEdge.Take(host.Options.Listen, apps.Port, host.Loggers, host.Time);
        if (!opened.Ok)
            return opened.Problem;
        var links = await LinkStore.OpenAsync(host.Database, host.Live, host.Time, cancel);
        var gatekeeper = new Gatekeeper(identity, links, host.Options, opened.Value);
        opened.Value.Gatekeeper = gatekeeper.PassAsync;
        Outcome<GatekeeperListener>? asked = apps.Edge is null ? (Outcome<GatekeeperListener>?)null : await GatekeeperListener.StartAsync(gatekeeper, apps.Address, apps.GatekeeperPort, cancel);
        if (asked is { Ok: false, Problem: { } taken })
        {
            links.Dispose();
            await opened.Value.DisposeAsync();
            return taken;
        }

        IAppProcesses processes = SystemdUnits.IsThere ? new SystemdUnits() : new ChildProcesses(host.Options.Data, host.Time);
        var context = new AppsContext(host, new AppStore(host.Database, host.Time), processes, new HealthProbe(processes, host.Time), opened.Value, EdgeMachine.Of(apps, host.Time), new AppFolders(host.Options.Data))
        {
            GatekeeperAt = asked?.Value.Address,
        };
        var role = new AppsRole(context, gatekeeper, links, asked?.Value);
        var mine = await role.MineAsync(cancel);
        role._sleeper.Begin(mine);
        context.Door.Table = RouteTable.Of(mine.Where(app => !app.Removing).Select(app => app.LiveVersion).OfType<AppVersion>().Where(version => version.Port is not null).Select(context.RouteOf));
        if (mine.Count > 0 && await context.Door.OpenAsync(cancel) is { } unopened)
        {
            await role.DisposeAsync();
            return unopened;
        }

        return role;
    }

    /// <summary>Maps the role's endpoints.</summary>
    public void Map(Gate gate)
    {
        new AppsApi(_context, _publisher).Map(gate);
        new SharesApi(_context, _links).Map(gate);
        new AdoptionsApi(_context).Map(gate);
        gate.MapOpen("GET", "/api/apps/{id}/enter", _gatekeeper.HandOverAsync);
    }

    /// <summary>Tells where the portal listens, which is known once it does.</summary>
    public void PortalIsAt(Uri address) => _gatekeeper.PortalAt = address;

    /// <summary>Puts what is there in order with what should be, finishes what was cut off, and waits for the end.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        try
        {
            foreach (var route in _context.Door.Table.All)
            {
                if (await _sleeper.EnsureDoorAsync(route, cancel) is { } unopened)
                    LogUnfinished(route.Id, unopened.Kind.Id, unopened.Detail);
            }

            var apps = await MineAsync(cancel);
            await _context.Processes.SweepAsync(apps.SelectMany(app => app.Versions).Where(version => version.State != VersionState.Kept).Select(version => _context.RunOf(version).Tag).ToHashSet(StringComparer.Ordinal));
            _context.Folders.Sweep(apps);
            await Task.WhenAll(apps.Select(app => SettleAsync(app, cancel)));
            await Task.WhenAll(_sleeper.RunAsync(cancel), _links.RunAsync(cancel), _context.Index.RunAsync(cancel), _certificate.RunAsync(cancel));
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            await Task.WhenAll(_drains.EndAsync(), _oldUnits.EndAsync());
        }
    }

    public async ValueTask DisposeAsync()
    {
        _certificate.Dispose();
        await _sleeper.DisposeAsync();
        await _context.Door.DisposeAsync();
        if (_listener is not null)
            await _listener.DisposeAsync();
        _links.Dispose();
        _context.Index.Dispose();
        await _context.Processes.DisposeAsync();
        _context.Health.Dispose();
        _context.Edge?.Dispose();
    }

    private async Task SettleAsync(App app, CancellationToken cancel)
    {
        using var held = await _context.HoldAsync(app.Id, TimeSpan.Zero, cancel);
        if (held is null)
            return;
        if (app.Removing)
        {
            if (await _publisher.RemoveAsync(app, withoutEdge: false, cancel) is { } left)
                LogUnfinished(app.Id, left.Kind.Id, left.Detail);
            return;
        }

        foreach (var version in app.Versions.Where(version => version.State is VersionState.Live or VersionState.Draining && version.Port is not null))
        {
            if (version.AsleepSince is not null)
                continue;
            if (await _context.Processes.StartAsync(_context.RunOf(version), cancel) is { } unstarted)
                LogUnfinished(app.Id, unstarted.Kind.Id, unstarted.Detail);
            if (version.State == VersionState.Draining)
                _drains.Begin(version);
        }

        foreach (var version in app.Versions.Where(version => version.State != VersionState.Starting))
            await _oldUnits.BeginAsync(version);
        foreach (var version in app.Versions.Where(version => version.State == VersionState.Starting))
        {
            LogResumed(app.Id, version.Number);
            if (await _publisher.BringUpAsync(version, static _ => default, cancel) is { Ok: false, Problem: { } failed })
                LogUnfinished(app.Id, failed.Kind.Id, failed.Detail);
        }
    }

    private ValueTask<List<App>> MineAsync(CancellationToken cancel) => _context.Store.AllAsync(_context.Machine, cancel);

    [LoggerMessage(Level = LogLevel.Warning, Message = "apps.edge is set without {Missing}: what is published is not probed, or the edge does not reach it")]
    private static partial void LogHalf(ILogger log, string missing);

    [LoggerMessage(Level = LogLevel.Information, Message = "the publish of {App}@{Version} was cut off; it is finished now")]
    private partial void LogResumed(string app, int version);

    [LoggerMessage(Level = LogLevel.Warning, Message = "app {App}: {Id} {Detail}")]
    private partial void LogUnfinished(string app, string id, string detail);
}
