using System.Collections.Concurrent;
using Dure.Apps.Running;

namespace Dure.Apps;

/// <summary>Ends versions that are no longer live, once nobody is connected to them any more or their time is up.</summary>
internal sealed class Drains(AppsContext context)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(500);

    /// <summary>Nobody may be between two requests for this long.</summary>
    private const int QuietSteps = 6;

    private readonly ConcurrentDictionary<string, Task> _running = new(StringComparer.Ordinal);

    /// <summary>Begins to drain a version; once.</summary>
    public void Begin(AppVersion version) => _ = _running.GetOrAdd(context.RunOf(version).Tag, tag => Task.Run(async () =>
    {
        try
        {
            await DrainAsync(version);
        }
        catch (OperationCanceledException)
        {
            // The next server goes on with it.
        }
        finally
        {
            _running.TryRemove(tag, out _);
        }
    }));

    /// <summary>Until none is under way.</summary>
    public Task EndAsync() => Task.WhenAll(_running.Values);

    private async Task DrainAsync(AppVersion version)
    {
        var stopping = context.Host.Stopping;
        var quiet = 0;
        while (quiet < QuietSteps && context.Host.Time.GetUtcNow() < version.DrainsUntil)
        {
            await Task.Delay(Step, context.Host.Time, stopping);
            quiet = TcpSockets.ConnectedTo(version.Port ?? 0) == 0 ? quiet + 1 : 0;
            // A rollback may have made it live again.
            if ((await context.Store.FindAsync(version.App, stopping))?.Find(version.Number)?.State != VersionState.Draining)
                return;
        }

        using var held = await context.HoldAsync(version.App, Timeout.InfiniteTimeSpan, stopping);
        if ((await context.Store.FindAsync(version.App, stopping))?.Find(version.Number)?.State != VersionState.Draining)
            return;
        await context.Processes.RemoveAsync(version.App, version.Number);
        await context.Store.RestAsync(version, VersionState.Draining);
    }
}
