using System.Net;
using System.Net.Sockets;
using Dure.Apps.Adopting;
using Dure.Apps.Linking;
using Dure.Apps.Sleeping;
using Dure.Edge;
using Dure.Host;

namespace Dure.Apps;

/// <summary>
/// Brings versions up, makes them live, and takes apps away. Every step is written down before it is taken, so that what was cut off anywhere is finished by whoever comes next:
/// a row before the process, the edge before the switch, the switch before the old one drains.
/// </summary>
internal sealed class Publisher(AppsContext context, Drains drains, Sleeper sleeper, OldUnits oldUnits)
{
    /// <summary>Begins what is said of a file on the edge that was changed, and of its copy: worth keeping.</summary>
    public const string CopiedMark = "copied ";

    /// <summary>Publishes what was unpacked as this number.</summary>
    public async Task<Outcome<App>> PublishAsync(AppOrigin origin, AppSpec spec, int number, long sizeBytes, Func<string, ValueTask> say, CancellationToken cancel)
    {
        var added = await context.Store.AddAsync(origin, spec, number, sizeBytes);
        if (!added.Ok)
        {
            context.Folders.RemoveVersion(origin.Id, number);
            return added.Problem;
        }

        return await BringUpAsync(added.Value, say, cancel);
    }

    /// <summary>Makes a version live: started beside the one that is, healthy, shown, and only then switched to. Also finishes what was cut off.</summary>
    /// <returns>The app as it is then; or why not, and what was live stays live.</returns>
    public async Task<Outcome<App>> BringUpAsync(AppVersion version, Func<string, ValueTask> say, CancellationToken cancel)
    {
        // One that was cut off while it came back is kept as well: it had its time before.
        var before = await context.Store.FindAsync(version.App, cancel);
        var wasKept = version.State != VersionState.Starting || version.Number <= before?.Live || version.Number == before?.Previous;
        if (version.Spec.Visibility == Visibility.Members && context.Host.Options is { Apps.Edge: not null } options && (options.Apps.PublicUrl is null || options.Signin.PublicUrl is null))
            return await GiveUpAsync(version, wasKept, Access.AccessErrors.NoPortal.With($"{(options.Apps.PublicUrl is null ? "apps.public_url" : "signin.public_url")} is not set."));
        if (await context.Door.OpenAsync(cancel) is { } unopenable)
            return await GiveUpAsync(version, wasKept, unopenable);
        var claimed = await ClaimAsync(version);
        if (!claimed.Ok)
            return await GiveUpAsync(version, wasKept, claimed.Problem);
        version = version with { Port = claimed.Value, State = VersionState.Starting };
        var run = context.RunOf(version);
        await say(FormattableString.Invariant($"starting {run.Tag} on port {run.Port}"));
        if (await context.Processes.StartAsync(run, cancel) is { } unstarted)
            return await GiveUpAsync(version, wasKept, unstarted);
        if (await context.Health.UntilWellAsync(run, cancel) is { } unwell)
            return await GiveUpAsync(version, wasKept, unwell);
        var route = context.RouteOf(version);
        if (await sleeper.EnsureDoorAsync(route, cancel) is { } unopened)
            return await GiveUpAsync(version, wasKept, unopened);
        if (await ShowAsync(version, route, say, cancel) is { } unseen)
            return await GiveUpAsync(version, wasKept, unseen);
        var app = await context.Store.SwitchAsync(version, context.Host.Time.GetUtcNow().AddSeconds(version.Spec.DrainSeconds));
        context.Door.Table = context.Door.Table.With(route);
        sleeper.Forget(app.Id);
        context.Index.Touch();
        foreach (var old in app.Versions.Where(old => old.State == VersionState.Draining))
            drains.Begin(old);
        await oldUnits.BeginAsync(version);
        await PruneAsync(app);
        return (await context.Store.FindAsync(app.Id, cancel))!;
    }

    /// <summary>Starts a version that sleeps, as what it was before: also at boot.</summary>
    public async Task<Problem?> WakeAsync(AppVersion version)
    {
        await context.Store.SetAsleepAsync(version, null);
        sleeper.Forget(version.App);
        return await context.Processes.StartAsync(context.RunOf(version), context.Host.Stopping);
    }

    /// <summary>Takes an app away, wherever a part of it is. What fails is told, and the next try goes on from there.</summary>
    /// <param name="withoutEdge">Also when the edge cannot be told.</param>
    /// <returns>Null when nothing is left.</returns>
    public async Task<Problem?> RemoveAsync(App app, bool withoutEdge, CancellationToken cancel)
    {
        await context.Store.MarkRemovingAsync(app.Id);
        context.Door.Table = context.Door.Table.Without(app.Id);
        if (context.Edge is not null && app.Versions.Count > 0 && await context.Edge.RemoveAsync(context.RouteOf(app.Versions[0]), cancel) is { } left)
        {
            await context.Store.SetErrorAsync(app.Id, left.Detail);
            if (!withoutEdge)
                return left;
        }

        foreach (var version in app.Versions)
        {
            await context.Processes.RemoveAsync(app.Id, version.Number);
            await oldUnits.FinishAsync(version);
        }

        await context.Processes.RemoveStateAsync(app.Id);
        context.Folders.RemoveApp(app.Id);
        await context.Store.DeleteAsync(app.Id);
        // A page that still names it is something that is left.
        await context.Index.UpdateAsync(cancel);
        return null;
    }

    private async Task<Problem?> ShowAsync(AppVersion version, AppRoute route, Func<string, ValueTask> say, CancellationToken cancel)
    {
        if (context.Edge is null)
            return null;
        if (route.Visibility != Visibility.Local)
        {
            await say($"healthy; telling {context.Edge.Name}");
            return version.Spec.Adopts is { Until: null } adopted
                ? await context.Edge.AdoptAsync(route, version.Spec.Health, adopted.Port, (file, copy) => say($"{CopiedMark}{file} on {context.Edge.Name} to {copy}, then took the location out of it"), cancel)
                : await context.Edge.PutAsync(route, version.Spec.Health, cancel);
        }

        // It may have been public before.
        var app = await context.Store.FindAsync(version.App, cancel);
        return app?.LiveVersion is { Spec.Visibility: not Visibility.Local } ? await context.Edge.RemoveAsync(route, cancel) : null;
    }

    private async Task<Outcome<int>> ClaimAsync(AppVersion version)
    {
        var apps = context.Host.Options.Apps;
        var skip = new HashSet<int>();
        while (await context.Store.ClaimPortAsync(version, context.Machine, apps.PortFirst, Tunnel.LastPort(apps), skip) is { } port)
        {
            // One that was started before listens there itself.
            if (version.Port == port || IsFree(apps.Address, port))
                return port;
            await context.Store.ReleasePortAsync(version);
            skip.Add(port);
        }

        return AppErrors.RangeFull.With(FormattableString.Invariant($"Every port from {apps.PortFirst} to {Tunnel.LastPort(apps)} belongs to an app or to another program."));
    }

    private async Task<Outcome<App>> GiveUpAsync(AppVersion version, bool wasKept, Problem problem)
    {
        // The server is going down: the next one finishes this.
        if (context.Host.Stopping.IsCancellationRequested)
            return HostErrors.NotReady.With("The server is stopping; it finishes this publish when it is back.");
        await context.Processes.RemoveAsync(version.App, version.Number);
        if (wasKept)
        {
            await context.Store.RestAsync(version, VersionState.Starting);
            await context.Store.SetErrorAsync(version.App, problem.Detail);
            return problem;
        }

        context.Folders.RemoveVersion(version.App, version.Number);
        if (await context.Store.DropAsync(version, problem.Detail))
        {
            await context.Processes.RemoveStateAsync(version.App);
            context.Folders.RemoveApp(version.App);
        }

        return problem;
    }

    private async Task PruneAsync(App app)
    {
        var running = app.Versions.Where(version => version.State != VersionState.Kept).ToList();
        foreach (var old in app.Versions.Where(version => version is { State: VersionState.Kept, Spec.Adopts: null }).Skip(Math.Max(0, context.Host.Options.Apps.Keep - running.Count)))
        {
            await context.Store.DropAsync(old, null);
            context.Folders.RemoveVersion(app.Id, old.Number);
        }
    }

    private static bool IsFree(string address, int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Parse(address), port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
