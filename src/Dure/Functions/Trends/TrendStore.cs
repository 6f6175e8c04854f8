using System.Data.Common;
using Dure.Host.Data;

namespace Dure.Functions.Trends;

/// <summary>How many of a function's invocations failed alike.</summary>
internal sealed record BrokenRow(long Id, long Function, InvocationState State, DateTimeOffset FinishedAt, string? Reason);

/// <summary>All SQL that reads many rows for charts and the overview, each time from an index that holds all it needs.</summary>
internal sealed class TrendStore(Database database)
{
    /// <summary>Buckets of what ended, the first beginning at <c>first * stepMs</c>.</summary>
    /// <param name="function">0 for all functions.</param>
    public ValueTask<TrendBucket[]> BucketsAsync(long function, long stepMs, long first, int count, CancellationToken cancel) => database.ReadAsync(async s =>
    {
        var open = new OpenBucket?[count];
        // Each look at a column costs as much as the rest of a row: three numbers say it all. Times are 0 where it was never started.
        await s.QueryAsync("""
            SELECT finished_at * 8 + state, COALESCE(started_at, 0), created_at FROM invocations
            WHERE finished_at >= $1 AND finished_at < $2 AND ($3 = 0 OR function_id = $3)
            """, r =>
        {
            var (finished, state) = Math.DivRem(r.GetInt64(0), 8);
            (open[finished / stepMs - first] ??= new OpenBucket()).Add(finished, (InvocationState)state, r.GetInt64(2), r.GetInt64(1));
            return (byte)0;
        }, first * stepMs, (first + count) * stepMs, function);
        return Array.ConvertAll(open, static bucket => bucket?.Close() ?? TrendBucket.Empty);
    }, cancel);

    /// <summary>How many ended, by minute and state.</summary>
    /// <param name="from">Unix minutes.</param>
    public ValueTask<List<(long Minute, InvocationState State, long Count)>> MinutesAsync(long from, long to, CancellationToken cancel) => database.ReadAsync(s => s.QueryAsync(
        "SELECT finished_at / 60000, state, COUNT(*) FROM invocations WHERE finished_at >= $1 AND finished_at < $2 GROUP BY 1, 2",
        static r => (r.GetInt64(0), (InvocationState)r.GetInt32(1), r.GetInt64(2)), from * 60_000, to * 60_000), cancel);

    /// <summary>The newest that failed or whose outcome is unknown, the newest first.</summary>
    /// <param name="limit">Of each.</param>
    public ValueTask<List<BrokenRow>> BrokenAsync(DateTimeOffset since, int limit, CancellationToken cancel) => database.ReadAsync(async s =>
    {
        // The plus keeps the database from walking through all that has ended: what failed has an index of its own.
        const string Sql = "SELECT id, function_id, state, finished_at, reason FROM invocations WHERE state = $1 AND state > 2 AND +finished_at >= $2 ORDER BY id DESC LIMIT $3";
        var found = await s.QueryAsync(Sql, ReadBroken, (long)InvocationState.Failed, since.ToUnixTimeMilliseconds(), limit);
        found.AddRange(await s.QueryAsync(Sql, ReadBroken, (long)InvocationState.Unknown, since.ToUnixTimeMilliseconds(), limit));
        found.Sort(static (a, b) => b.Id.CompareTo(a.Id));
        return found;
    }, cancel);

    /// <summary>Those that have waited longest, without those that wait for their next attempt.</summary>
    public ValueTask<List<long>> LongestWaitingAsync(int limit, CancellationToken cancel) => database.ReadAsync(s => s.QueryAsync(
        "SELECT id FROM invocations WHERE state < 2 AND state = 0 AND attempt = 0 ORDER BY id LIMIT $1", static r => r.GetInt64(0), limit), cancel);

    private static BrokenRow ReadBroken(DbDataReader r) =>
        new(r.GetInt64(0), r.GetInt64(1), (InvocationState)r.GetInt32(2), DateTimeOffset.FromUnixTimeMilliseconds(r.GetInt64(3)), r.IsDBNull(4) ? null : r.GetString(4));

    private sealed class OpenBucket
    {
        private readonly List<double> _durations = [];
        private readonly List<double> _waits = [];
        private long _finished;
        private long _failed;

        public void Add(long finished, InvocationState state, long created, long started)
        {
            _finished++;
            if (state is InvocationState.Failed or InvocationState.Unknown)
                _failed++;
            if (started == 0)
                return;
            // A clock that jumped back must not make a chart of negative times.
            _durations.Add(Math.Max(0, finished - started));
            _waits.Add(Math.Max(0, started - created));
        }

        public TrendBucket Close() => new(_finished, _failed, Measured.Of(_durations), Measured.Of(_waits));
    }
}
