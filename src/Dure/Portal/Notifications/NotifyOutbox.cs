using System.Data.Common;
using Dure.Host.Data;

namespace Dure.Portal.Notifications;

/// <summary>All SQL about deliveries. The rows were made in the commit that made their messages.</summary>
internal sealed class NotifyOutbox(Database database)
{
    private const string Columns = "id, message_id, channel, target, tries, next_at, done_at, last_error";

    /// <summary>What is due, the oldest first, and few of each target.</summary>
    /// <param name="farthest">No delivery waits until later, so what says so was written before the clock jumped back, and is due.</param>
    public ValueTask<List<NotifyDeliveryRow>> DueAsync(long now, long farthest, int perTarget, int limit, CancellationToken cancel) => database.ReadAsync(s => s.QueryAsync($"""
        SELECT {Columns} FROM (
            SELECT {Columns}, ROW_NUMBER() OVER (PARTITION BY target ORDER BY next_at, id) AS place FROM notify_outbox WHERE done_at IS NULL AND (next_at <= $1 OR next_at > $4)) AS due
        WHERE place <= $2 ORDER BY next_at, id LIMIT $3
        """, Read, now, (long)perTarget, (long)limit, farthest), cancel);

    /// <summary>Notes that a delivery begins, before it does: one that is begun and never noted as done may have arrived, and the next says so. The message counts no more after this.</summary>
    public ValueTask<bool> BeginAsync(long id, string message, long now) => database.WriteAsync(async s =>
    {
        await s.ExecuteAsync("UPDATE notify_messages SET sealed_at = $2 WHERE id = $1 AND sealed_at IS NULL", message, now);
        return await s.ExecuteAsync("UPDATE notify_outbox SET tries = tries + 1 WHERE id = $1 AND done_at IS NULL", id) > 0;
    });

    /// <summary>Records a delivery, or that it was given up: then <paramref name="error"/> says why.</summary>
    public ValueTask<int> DoneAsync(long id, long at, string? error) =>
        database.WriteAsync(s => s.ExecuteAsync("UPDATE notify_outbox SET done_at = $2, last_error = $3 WHERE id = $1 AND done_at IS NULL", id, at, error));

    /// <summary>Records a delivery that failed and when the next is tried.</summary>
    public ValueTask<int> RetryAsync(long id, long nextAt, string error) =>
        database.WriteAsync(s => s.ExecuteAsync("UPDATE notify_outbox SET next_at = $2, last_error = $3 WHERE id = $1 AND done_at IS NULL", id, nextAt, error));

    /// <summary>How the deliveries of some messages stand.</summary>
    public ValueTask<List<NotifyDeliveryRow>> OfAsync(string from, string to, string owner, CancellationToken cancel) => database.ReadAsync(s => s.QueryAsync(
        $"SELECT {Columns} FROM notify_outbox WHERE message_id IN (SELECT id FROM notify_messages WHERE owner = $3 AND id >= $1 AND id <= $2) ORDER BY id", Read, from, to, owner), cancel);

    private static NotifyDeliveryRow Read(DbDataReader r) => new(r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetInt32(4), DateTimeOffset.FromUnixTimeMilliseconds(r.GetInt64(5)),
        r.IsDBNull(6) ? null : DateTimeOffset.FromUnixTimeMilliseconds(r.GetInt64(6)), r.IsDBNull(7) ? null : r.GetString(7));
}
