using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Dure.Apps.Running;
using Dure.Edge;
using Dure.Host;
using Dure.Host.Web;

namespace Dure.Apps.Sleeping;

/// <summary>Stops apps that nobody has asked for as long as their <c>sleep_after</c>, and starts them again for whoever comes next.</summary>
internal sealed class Sleeper(AppsContext context) : IAsyncDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(500);

    /// <summary>A browser that waits longer than this is shown that the app is waking up.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(1500);

    private readonly ConcurrentDictionary<string, bool> _asleep = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<Task<Problem?>>> _waking = new(StringComparer.Ordinal);

    private readonly SemaphoreSlim _opening = new(1);
    private WakeDoor? _door;

    private CancellationToken Stopping => context.Host.Stopping;

    /// <summary>Takes up what was asleep when the last server ended.</summary>
    public void Begin(IEnumerable<App> apps)
    {
        foreach (var app in apps.Where(app => app.LiveVersion?.AsleepSince is not null))
            _asleep[app.Id] = true;
        context.Door.Waking = AdmitAsync;
    }

    /// <summary>Listens for what the edge machine has woken, once the first app that sleeps is shown there.</summary>
    public async Task<Problem?> EnsureDoorAsync(AppRoute route, CancellationToken cancel)
    {
        if (route.WakeAt is null)
            return null;
        await _opening.WaitAsync(cancel);
        try
        {
            if (_door is not null)
                return null;
            var opened = await WakeDoor.StartAsync(context.Host.Options.Apps.Address, context.Host.Options.Apps.WakePort, context.Door, context.Host.Loggers, cancel);
            if (!opened.Ok)
                return opened.Problem;
            _door = opened.Value;
            return null;
        }
        finally
        {
            _opening.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_door is not null)
            await _door.DisposeAsync();
        _opening.Dispose();
    }

    /// <summary>Looks at every app that may sleep until the server ends.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        await using var closed = new ClosedConnections(context.Host.Loggers);
        while (true)
        {
            await Task.Delay(Step, context.Host.Time, cancel);
            var routes = context.Door.Table.All.Where(route => route.SleepAfter is not null && !_asleep.ContainsKey(route.Id)).ToList();
            if (routes.Count == 0)
                continue;
            closed.Begin(context.Host.Options.Apps.PortFirst, context.Host.Options.Apps.PortLast);
            var asking = TcpSockets.AskedByOthers();
            var asked = closed.Take();
            foreach (var route in routes)
            {
                if (context.Door.Visits.AreVisits(route.Id, asking.GetValueOrDefault(route.Port), asked.GetValueOrDefault(route.Port)))
                    context.Door.Visits.Touch(route.Id);
                else if (context.Door.Visits.Quiet(route.Id) > route.SleepAfter)
                    await SleepAsync(route.Id, cancel);
            }
        }
    }

    /// <summary>Something else has started it.</summary>
    public void Forget(string id)
    {
        context.Door.Visits.Touch(id);
        _asleep.TryRemove(id, out _);
    }

    /// <summary>Lets a request go on once the app is awake.</summary>
    /// <returns>False when it was answered.</returns>
    private async ValueTask<bool> AdmitAsync(HttpContext http, AppRoute route)
    {
        if (!_asleep.ContainsKey(route.Id))
            return true;
        var waking = WakeAsync(route.Id);
        if (WakingPage.Suits(http.Request) && await Task.WhenAny(waking, Task.Delay(Patience, context.Host.Time, http.RequestAborted)) != waking)
        {
            await WakingPage.WriteAsync(http);
            return false;
        }

        if (await waking.WaitAsync(http.RequestAborted) is not { } failed)
            return true;
        await ProblemResponse.WriteAsync(http, failed);
        return false;
    }

    // However many ask at once, it is started once.
    [SuppressMessage("Usage", "VSTHRD011", Justification = "The task runs on the pool, and nothing in it waits for who waits for it.")]
    private Task<Problem?> WakeAsync(string id) => _waking.GetOrAdd(id, _ => new(() => Task.Run(async () =>
    {
        try
        {
            return await WakeNowAsync(id);
        }
        finally
        {
            _asleep.TryRemove(id, out var _);
            _waking.TryRemove(id, out var _);
        }
    }))).Value;

    private async Task<Problem?> WakeNowAsync(string id)
    {
        using var held = await context.HoldAsync(id, Timeout.InfiniteTimeSpan, Stopping);
        if (await context.Store.FindAsync(id, Stopping) is not { Removing: false, LiveVersion: { AsleepSince: not null, Port: not null } version })
            return null;
        await context.Store.SetAsleepAsync(version, null);
        var run = context.RunOf(version);
        var failed = await context.Processes.StartAsync(run, Stopping) ?? await context.Health.UntilWellAsync(run, Stopping);
        context.Door.Visits.Touch(id);
        if (failed is null)
            return null;
        // Its last lines are for who published it, not for whoever comes by.
        await context.Store.SetErrorAsync(id, failed.Detail);
        return AppErrors.NotAwake.With($"'{id}' does not start any more.");
    }

    private async Task SleepAsync(string id, CancellationToken cancel)
    {
        using var held = await context.HoldAsync(id, TimeSpan.Zero, cancel);
        if (held is null)
        {
            // Who changes it uses it.
            context.Door.Visits.Touch(id);
            return;
        }

        if (await context.Store.FindAsync(id, cancel) is not { Removing: false, LiveVersion: { AsleepSince: null, Port: { } port } version } app
            || app.Versions.Any(other => other.State == VersionState.Starting))
            return;
        // From here on who comes through a door waits; who came just before has the app stay awake.
        _asleep[id] = true;
        if (context.Door.Visits.Quiet(id) < TimeSpan.FromSeconds(version.Spec.SleepSeconds ?? int.MaxValue) || context.Door.Visits.AreVisits(id, TcpSockets.AskedByOthers().GetValueOrDefault(port), 0))
        {
            _asleep.TryRemove(id, out _);
            return;
        }

        await context.Store.SetAsleepAsync(version, context.Host.Time.GetUtcNow());
        await context.Processes.StopAsync(id, version.Number);
    }
}
