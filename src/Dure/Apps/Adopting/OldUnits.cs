using System.Collections.Concurrent;
using Dure.Apps.Running;

namespace Dure.Apps.Adopting;

/// <summary>The hand-made unit in whose place a version comes.</summary>
/// <param name="Port">Where it listens.</param>
/// <param name="Until">It is ended then at the latest; null while it still serves everybody.</param>
public sealed record AdoptedUnit(string Unit, int Port, DateTimeOffset? Until = null);

/// <summary>Ends hand-made units in whose place versions have come, once nobody is connected to them any more or their time is up. What it knows is in the database, so the next server goes on with it.</summary>
internal sealed partial class OldUnits(AppsContext context)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(500);

    /// <summary>Nobody may be between two requests for this long.</summary>
    private const int QuietSteps = 6;

    private readonly ConcurrentDictionary<string, Task> _running = new(StringComparer.Ordinal);
    private readonly ILogger _log = context.Host.Loggers.CreateLogger<OldUnits>();

    /// <summary>Begins to wait for the end of a unit, when the version came in the place of one; once.</summary>
    public async Task BeginAsync(AppVersion version)
    {
        if (version.Spec.Adopts is not { } adopted)
            return;
        if (adopted.Until is null)
        {
            adopted = adopted with { Until = context.Host.Time.GetUtcNow().AddSeconds(version.Spec.DrainSeconds) };
            await context.Store.SetSpecAsync(version, version.Spec with { Adopts = adopted });
        }

        _ = _running.GetOrAdd(adopted.Unit, unit => Task.Run(async () =>
        {
            try
            {
                await DrainAsync(version, adopted);
            }
            catch (OperationCanceledException)
            {
                // The next server goes on with it.
            }
            finally
            {
                _running.TryRemove(unit, out _);
            }
        }));
    }

    /// <summary>Ends the unit now: the app goes, and nobody is sent to either.</summary>
    public async Task FinishAsync(AppVersion version)
    {
        if (version.Spec.Adopts is not { } adopted || adopted.Until is null && version.State == VersionState.Starting)
            return;
        if (await UnitFinder.RetireAsync(adopted.Unit) is { } refused)
        {
            LogLeft(version.App, adopted.Unit, refused);
            await context.Store.SetErrorAsync(version.App, refused);
            return;
        }

        await context.Store.SetSpecAsync(version, version.Spec with { Adopts = null });
        LogRetired(version.App, adopted.Unit);
    }

    /// <summary>Until none is under way.</summary>
    public Task EndAsync() => Task.WhenAll(_running.Values);

    private async Task DrainAsync(AppVersion version, AdoptedUnit adopted)
    {
        var stopping = context.Host.Stopping;
        var quiet = 0;
        while (quiet < QuietSteps && context.Host.Time.GetUtcNow() < adopted.Until)
        {
            await Task.Delay(Step, context.Host.Time, stopping);
            quiet = TcpSockets.ConnectedTo(adopted.Port) == 0 ? quiet + 1 : 0;
        }

        using var held = await context.HoldAsync(version.App, Timeout.InfiniteTimeSpan, stopping);
        // Gone with the app, or ended already.
        if ((await context.Store.FindAsync(version.App, stopping))?.Find(version.Number) is { Spec.Adopts: not null } now)
            await FinishAsync(now);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{App} has taken the place of {Unit}, which is stopped and disabled")]
    private partial void LogRetired(string app, string unit);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{App} has taken the place of {Unit}, which cannot be ended: {Why}")]
    private partial void LogLeft(string app, string unit, string why);
}
