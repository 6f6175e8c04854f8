using System.Data.Common;
using System.Globalization;
using Dure.Host.Data;

namespace Dure.Functions;

/// <summary>How an invocation ended.</summary>
/// <param name="Why">The error or the reason, in short; empty for a success.</param>
public sealed record InvocationEnd(long Id, string Function, InvocationState State, string Why, DateTimeOffset FinishedAt);

/// <summary>Ends of one function within a span of time that were no success.</summary>
/// <param name="Last">The youngest of them.</param>
public sealed record BrokenEnds(long FunctionId, string Function, long Count, long Last, DateTimeOffset LastAt);

/// <summary>
/// Which invocations have ended, for those who wait for it. Reads only: nothing on the way of a call knows of it. Failures are found by when they
/// ended, the others by their ids.
/// </summary>
public sealed class InvocationEnds(Database database)
{
    private const int WhyLengthMax = 300;
    private const int AtOnce = 500;

    private const string Columns = "SELECT i.id, f.name, i.state, i.reason, i.error, i.finished_at FROM invocations i JOIN functions f ON f.id = i.function_id";

    /// <summary>Waits until what was handed to the database before is in it: an end is dated before it is handed over.</summary>
    public async ValueTask SettleAsync() => await database.WriteAsync(static s => s.ScalarAsync<long>("SELECT 1"));

    /// <summary>Failed and unknown ends after one moment and up to another, by function.</summary>
    public ValueTask<List<BrokenEnds>> BrokenAsync(long after, long until, CancellationToken cancel) => database.ReadAsync(s => s.QueryAsync("""
        SELECT i.function_id, f.name, COUNT(*), MAX(i.id), MAX(i.finished_at) FROM invocations i JOIN functions f ON f.id = i.function_id
        WHERE i.finished_at > $1 AND i.finished_at <= $2 AND i.state IN (3, 5) GROUP BY i.function_id, f.name
        """, static r => new BrokenEnds(r.GetInt64(0), r.GetString(1), r.GetInt64(2), r.GetInt64(3), DateTimeOffset.FromUnixTimeMilliseconds(r.GetInt64(4))), after, until), cancel);

    /// <summary>The first invocation of a function after another that was a success; null when none was yet.</summary>
    public ValueTask<InvocationEnd?> NextSuccessAsync(long function, long afterId, CancellationToken cancel) =>
        database.ReadAsync(s => s.FirstAsync($"{Columns} WHERE i.function_id = $1 AND i.id > $2 AND i.state = 2 ORDER BY i.id LIMIT 1", Read, function, afterId), cancel);

    /// <summary>Those of the given invocations that have ended, oldest first.</summary>
    public async ValueTask<List<InvocationEnd>> EndedAsync(IReadOnlyCollection<long> ids, CancellationToken cancel)
    {
        var ended = new List<InvocationEnd>();
        foreach (var some in ids.Chunk(AtOnce))
        {
            var places = string.Join(", ", Enumerable.Range(1, some.Length).Select(n => "$" + n.ToString(CultureInfo.InvariantCulture)));
            ended.AddRange(await database.ReadAsync(s => s.QueryAsync($"{Columns} WHERE i.id IN ({places}) AND i.state > 1 ORDER BY i.id", Read, [.. some.Select(id => (object?)id)]), cancel));
        }
        return ended;
    }

    /// <summary>Ids of a function's invocations after one and up to another.</summary>
    public ValueTask<List<long>> BegunAsync(string function, long after, long through, int limit, CancellationToken cancel) => database.ReadAsync(s => s.QueryAsync(
        "SELECT i.id FROM invocations i JOIN functions f ON f.id = i.function_id WHERE f.name = $1 AND i.id > $2 AND i.id <= $3 ORDER BY i.id LIMIT $4",
        static r => r.GetInt64(0), function, after, through, (long)limit), cancel);

    /// <summary>Firings that schedules have missed so far, by function.</summary>
    public ValueTask<List<(string Function, long Missed, long LastAt)>> MissedAsync(CancellationToken cancel) => database.ReadAsync(static s => s.QueryAsync(
        "SELECT f.name, h.missed, COALESCE(h.last_missed_at, 0) FROM schedules h JOIN functions f ON f.id = h.function_id WHERE h.missed > 0",
        static r => (r.GetString(0), r.GetInt64(1), r.GetInt64(2))), cancel);

    private static InvocationEnd Read(DbDataReader r)
    {
        var state = (InvocationState)r.GetInt32(2);
        var error = state == InvocationState.Success || r.IsDBNull(4) ? null : Api.ApiJson.ReadError(r.GetString(4));
        var reason = r.IsDBNull(3) ? null : r.GetString(3);
        var why = state == InvocationState.Success ? "" : error is { ErrorMessage: { } message } ? (error.ErrorType is { } type ? $"{type}: {message}" : message) : reason ?? state.Word();
        why = why.Length > WhyLengthMax ? why[..WhyLengthMax] + "…" : why;
        return new InvocationEnd(r.GetInt64(0), r.GetString(1), state, why, DateTimeOffset.FromUnixTimeMilliseconds(r.IsDBNull(5) ? 0 : r.GetInt64(5)));
    }
}
