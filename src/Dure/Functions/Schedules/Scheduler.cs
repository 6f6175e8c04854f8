using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dure.Functions.Deploy;
using Dure.Host;

namespace Dure.Functions.Schedules;

/// <summary>What the scheduler asks of the rest of the slice.</summary>
/// <param name="Submit">Stores and runs an invocation; answers the one that is there already when the key is known.</param>
/// <param name="NextId">A new invocation's id.</param>
/// <param name="RefuseWork">A problem while no new work may begin: firings wait.</param>
internal sealed record SchedulerNeeds(Func<ActiveInvocation, ValueTask<Inserted>> Submit, Func<long> NextId, Func<Problem?> RefuseWork);

/// <summary>
/// Runs functions at their times. A firing is an invocation with an idempotency key made of its time, stored first; only then
/// does the schedule move on. A crash between the two finds the key again, so a firing is neither lost nor doubled, and a clock
/// that goes back fires nothing a second time. Of firings that nobody was there for, the latest runs, late; all are counted and said.
/// </summary>
internal sealed partial class Scheduler(FunctionCatalog catalog, ScheduleStore store, SchedulerNeeds needs, TimeProvider time, ILogger<Scheduler> logger)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LateAfter = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<(string Cron, string Zone), (CronSchedule Cron, TimeZoneInfo Zone)?> _parsed = new();

    /// <summary>Begins the idempotency keys of firings; callers' own keys may not.</summary>
    public const string KeyPrefix = "schedule:";

    /// <summary>The idempotency key of a firing.</summary>
    public static string KeyOf(long firing) => string.Create(CultureInfo.InvariantCulture, $"{KeyPrefix}{firing}");

    /// <summary>Fires until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        while (true)
        {
            var next = DateTimeOffset.MaxValue;
            try
            {
                next = await TickAsync(cancel);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                LogRefused(error);
            }
            var wait = next - time.GetUtcNow();
            await Task.Delay(wait < LookEvery ? (wait > TimeSpan.Zero ? wait : TimeSpan.FromMilliseconds(1)) : LookEvery, time, cancel);
        }
    }

    /// <summary>Fires what is due.</summary>
    /// <returns>When the next firing is due; far in the future when there is none.</returns>
    public async Task<DateTimeOffset> TickAsync(CancellationToken cancel)
    {
        var earliest = DateTimeOffset.MaxValue;
        foreach (var schedule in await store.LoadAsync(cancel))
        {
            if (catalog.Find(schedule.Function) is not { Live: not null } function || Parse(schedule) is not { } parsed)
                continue;
            var next = await LookAsync(schedule, function, parsed.Cron, parsed.Zone, cancel);
            if (next is not null && next < earliest)
                earliest = next.Value;
        }
        return earliest;
    }

    private async Task<DateTimeOffset?> LookAsync(StoredSchedule schedule, Function function, CronSchedule cron, TimeZoneInfo zone, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var ahead = schedule.NextAt == 0 || schedule.NextAt > now.ToUnixTimeMilliseconds() ? cron.NextAfter(now, zone) : null;
        var aheadMs = ahead?.ToUnixTimeMilliseconds() ?? long.MaxValue;
        if (schedule.NextAt == 0 || (schedule.NextAt > now.ToUnixTimeMilliseconds() && aheadMs < schedule.NextAt))
        {
            // New, or the clock went back: what has fired already is known by its key.
            if (await store.MoveAsync(schedule, aheadMs, 0, null) && schedule.NextAt != 0)
                LogClockWentBack(function.Name, ahead!.Value);
            return ahead;
        }
        if (schedule.NextAt > now.ToUnixTimeMilliseconds())
            return ahead;
        if (needs.RefuseWork() is not null)
            return null;
        var first = DateTimeOffset.FromUnixTimeMilliseconds(schedule.NextAt);
        var due = Firings.Due(cron, zone, first, now);
        var ran = due.Count > 1 && await store.HasFiredAsync(schedule.Function, schedule.NextAt, cancel) ? 1 : 0;
        await FireAsync(function, schedule, due.Latest, now);
        // The latest counts as missed as well when it comes this late, though it runs.
        var late = now - due.Latest > LateAfter;
        var missed = due.Count - ran - (late ? 0 : 1);
        var lastMissed = missed <= 0 ? null : late ? due.Latest : due.Before;
        if (await store.MoveAsync(schedule, due.Next?.ToUnixTimeMilliseconds() ?? long.MaxValue, Math.Max(0, missed), lastMissed?.ToUnixTimeMilliseconds()) && missed > 0)
            LogMissed(function.Name, missed, first, due.Latest);
        return due.Next;
    }

    private async Task FireAsync(Function function, StoredSchedule schedule, DateTimeOffset firing, DateTimeOffset now)
    {
        var key = KeyOf(firing.ToUnixTimeMilliseconds());
        var version = function.Choose(function.Canary is null ? 0 : Random.Shared.Next(100)) ?? function.Live!;
        await needs.Submit(new ActiveInvocation(needs.NextId(), version, function.Owner, now, Payload.Of(Event(schedule, firing)))
        {
            Source = InvocationSource.Schedule,
            ScheduledFor = firing.ToUnixTimeMilliseconds(),
            IdempotencyKey = key,
            RequestHash = SHA256.HashData(Encoding.ASCII.GetBytes(key)),
            Durability = version.Spec.Durability,
        });
    }

    private static byte[] Event(StoredSchedule schedule, DateTimeOffset firing)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("scheduled_for", firing.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("cron", schedule.Cron);
            json.WriteString("time_zone", schedule.TimeZone);
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    // Both were checked at deployment; the machine may have lost a time zone since.
    private (CronSchedule Cron, TimeZoneInfo Zone)? Parse(StoredSchedule schedule) => _parsed.GetOrAdd((schedule.Cron, schedule.TimeZone), key =>
    {
        var cron = CronSchedule.Parse(key.Cron);
        if (cron.Ok && TimeZoneInfo.TryFindSystemTimeZoneById(key.Zone, out var zone))
            return (cron.Value, zone);
        LogUnusable(key.Cron, key.Zone);
        return null;
    });

    [LoggerMessage(Level = LogLevel.Warning, Message = "The schedule of {Function} missed {Count} firings since {First}; the one of {Latest} runs now")]
    private partial void LogMissed(string function, int count, DateTimeOffset first, DateTimeOffset latest);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The clock went back: the schedule of {Function} goes on at {Next}; what has fired does not fire again")]
    private partial void LogClockWentBack(string function, DateTimeOffset next);

    [LoggerMessage(Level = LogLevel.Error, Message = "A firing failed; it is tried again")]
    private partial void LogRefused(Exception why);

    [LoggerMessage(Level = LogLevel.Error, Message = "The schedule '{Cron}' in '{Zone}' cannot be used on this machine")]
    private partial void LogUnusable(string cron, string zone);
}
