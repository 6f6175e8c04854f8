using Dure.Host.Data;

namespace Dure.Functions.Schedules;

/// <summary>A function's schedule as it is stored.</summary>
/// <param name="NextAt">The next firing, Unix ms; 0 when it has not been worked out.</param>
public sealed record StoredSchedule(long Function, string Cron, string TimeZone, long NextAt);

/// <summary>All SQL about schedules. A row moves only from the firing that was seen to a later one, so two who look at once move it once.</summary>
public sealed class ScheduleStore(Database database)
{
    /// <summary>Every schedule.</summary>
    public ValueTask<List<StoredSchedule>> LoadAsync(CancellationToken cancel) => database.ReadAsync(static s => s.QueryAsync(
        "SELECT function_id, cron, time_zone, next_at FROM schedules ORDER BY next_at",
        static r => new StoredSchedule(r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetInt64(3))), cancel);

    /// <summary>Moves a schedule on and counts what it missed.</summary>
    /// <param name="nextAt">Unix ms; <see cref="long.MaxValue"/> for never again.</param>
    /// <returns>False when it was changed meanwhile: nothing was done.</returns>
    public ValueTask<bool> MoveAsync(StoredSchedule seen, long nextAt, long missed, long? lastMissedAt) => database.WriteAsync(async s => await s.ExecuteAsync("""
        UPDATE schedules SET next_at = $5, missed = missed + $6, last_missed_at = COALESCE($7, last_missed_at)
        WHERE function_id = $1 AND cron = $2 AND time_zone = $3 AND next_at = $4
        """, seen.Function, seen.Cron, seen.TimeZone, seen.NextAt, nextAt, missed, lastMissedAt) > 0);

    /// <summary>Whether a firing has its invocation already.</summary>
    public ValueTask<bool> HasFiredAsync(long function, long firing, CancellationToken cancel) => database.ReadAsync(async s =>
        await s.ScalarAsync<long>("SELECT COUNT(*) FROM invocations WHERE function_id = $1 AND idempotency_key = $2", function, Scheduler.KeyOf(firing)) > 0, cancel);
}
