using Dure.Host.Data;

namespace Dure.Functions.Callbacks;

/// <summary>A callback that is to be delivered.</summary>
/// <param name="Tries">Deliveries tried so far.</param>
public sealed record DueCallback(long Id, long Invocation, string Target, int Tries);

/// <summary>All SQL about the delivery of callbacks. The rows were made in the commit that ended the invocation.</summary>
public sealed class CallbackStore(Database database)
{
    /// <summary>What is due, the oldest first, and few of each target: one that is slow or down does not hide the others.</summary>
    /// <param name="farthest">No try waits until later than this, so what says so was written before the clock jumped back, and is due.</param>
    public ValueTask<List<DueCallback>> DueAsync(long now, long farthest, int perTarget, int limit, CancellationToken cancel) => database.ReadAsync(s => s.QueryAsync("""
        SELECT id, invocation_id, target, tries FROM (
            SELECT id, invocation_id, target, tries, next_at, ROW_NUMBER() OVER (PARTITION BY target ORDER BY next_at, id) AS place
            FROM outbox WHERE kind = 'callback' AND done_at IS NULL AND (next_at <= $1 OR next_at > $4)) AS due
        WHERE place <= $2 ORDER BY next_at, id LIMIT $3
        """, static r => new DueCallback(r.GetInt64(0), r.GetInt64(1), r.GetString(2), r.GetInt32(3)), now, (long)perTarget, (long)limit, farthest), cancel);

    /// <summary>Records a delivery, or that it was given up: then <paramref name="error"/> says why.</summary>
    public ValueTask<int> DoneAsync(long id, int tries, long at, string? error) => database.WriteAsync(s =>
        s.ExecuteAsync("UPDATE outbox SET done_at = $3, tries = $2, last_error = $4 WHERE id = $1 AND done_at IS NULL", id, (long)tries, at, error));

    /// <summary>Records a delivery that failed and when the next is tried.</summary>
    public ValueTask<int> RetryAsync(long id, int tries, long nextAt, string error) => database.WriteAsync(s =>
        s.ExecuteAsync("UPDATE outbox SET next_at = $3, tries = $2, last_error = $4 WHERE id = $1 AND done_at IS NULL", id, (long)tries, nextAt, error));
}
