using System.Buffers;
using System.Data.Common;
using Dure.Host.Data;

namespace Dure.Storage.Replication;

/// <summary>
/// All SQL about the outbox of one database. Rows are not claimed: one server works on an outbox, and would two do it, a copy would be made
/// twice, which the content-addressed names make harmless.
/// </summary>
public sealed class OutboxStore(Database database, TimeProvider time)
{
    private const int DigestLength = 64;
    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdef");
    private static readonly TimeSpan ManifestWait = TimeSpan.FromMilliseconds(500);

    /// <summary>Rows whose time has come, the oldest first; those that failed before come after as long as they waited.</summary>
    public ValueTask<List<PendingReplica>> DueAsync(string provider, int limit, CancellationToken cancel) => database.ReadAsync(async s =>
    {
        var now = time.GetUtcNow();
        var rows = await s.QueryAsync("SELECT id, kind, name, bytes, body, tries FROM replication WHERE provider = $1 AND next_at <= $2 ORDER BY next_at, id LIMIT $3",
            ReadRow, provider, now.ToUnixTimeMilliseconds(), (long)limit);
        for (var i = 0; i < rows.Count; i++)
        {
            if (rows[i].Kind == OutboxKind.Manifest && await WaitAsync(s, provider, rows[i], now) is { } until)
                rows[i] = rows[i] with { WaitsUntil = until };
        }
        return rows;
    }, cancel);

    /// <summary>The provider confirmed: the row and its doubles leave. A manifest that was changed meanwhile stays.</summary>
    public ValueTask<int> FinishAsync(string provider, PendingReplica row) => database.WriteAsync(s => row.Kind == OutboxKind.Blob
        ? s.ExecuteAsync("DELETE FROM replication WHERE name = $2 AND provider = $1 AND kind = 0", provider, row.Name)
        : s.ExecuteAsync("DELETE FROM replication WHERE name = $2 AND provider = $1 AND kind > 0 AND id <= $3", provider, row.Name, row.Id));

    /// <summary>It failed, and is tried again after a wait.</summary>
    public ValueTask<int> FailAsync(string provider, PendingReplica row, string error, TimeSpan wait)
    {
        var next = (time.GetUtcNow() + wait).ToUnixTimeMilliseconds();
        var text = error.Length > 500 ? error[..500] : error;
        return database.WriteAsync(s => s.ExecuteAsync($"""
            UPDATE replication SET tries = tries + 1, next_at = $3, last_error = $4
            WHERE name = $2 AND provider = $1 AND {(row.Kind == OutboxKind.Blob ? "kind = 0" : "kind > 0")} AND id <= $5
            """, provider, row.Name, next, text, row.Id));
    }

    /// <summary>Manifests whose bytes are not there yet make room for what can be sent.</summary>
    public ValueTask<int> DeferAsync(IReadOnlyList<PendingReplica> rows) => database.WriteAsync(async s =>
    {
        foreach (var row in rows)
            await s.ExecuteAsync("UPDATE replication SET next_at = $2 WHERE id = $1", row.Id, row.WaitsUntil!.Value.ToUnixTimeMilliseconds());
        return rows.Count;
    });

    /// <summary>
    /// The bytes are gone or damaged here: the row becomes a loss, which stays known until it is acknowledged. A row that has left meanwhile is none: it was
    /// read before it was done, and once it is done clean-up may take the bytes.
    /// </summary>
    /// <returns>Rows that were lost.</returns>
    public ValueTask<int> LoseAsync(string provider, PendingReplica row, string reason) => database.WriteAsync(async s =>
    {
        if (!await IsPendingAsync(s, provider, row.Kind, row.Name))
            return 0;
        await s.ExecuteAsync("""
            INSERT INTO replication_lost (provider, name, bytes, reason, found_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (provider, name) DO UPDATE SET reason = excluded.reason
            """, provider, row.Name, row.Bytes, reason, time.GetUtcNow().ToUnixTimeMilliseconds());
        return await s.ExecuteAsync("DELETE FROM replication WHERE name = $2 AND provider = $1 AND kind = 0", provider, row.Name);
    });

    /// <summary>Adds what is not waiting already.</summary>
    /// <returns>Rows added.</returns>
    public ValueTask<int> EnqueueAsync(IReadOnlyList<OutboxEntry> entries) => database.WriteAsync(async s =>
    {
        var (added, now) = (0, time.GetUtcNow().ToUnixTimeMilliseconds());
        foreach (var entry in entries)
        {
            // A manifest is added in any case: what waits may be an older one.
            if (entry.Kind == OutboxKind.Blob && await IsPendingAsync(s, entry.Provider, entry.Kind, entry.Name))
                continue;
            await Outbox.AddAsync(s, entry, now);
            added++;
        }
        return added;
    });

    /// <summary>Whether a thing waits for a provider.</summary>
    public ValueTask<bool> IsPendingAsync(string provider, OutboxKind kind, string name, CancellationToken cancel) =>
        database.ReadAsync(s => IsPendingAsync(s, provider, kind, name), cancel);

    /// <summary>Digests that wait for any provider: what they name must not be cleaned away.</summary>
    public ValueTask<List<string>> PendingDigestsAsync(CancellationToken cancel) => database.ReadAsync(Outbox.PendingDigestsAsync, cancel);

    /// <summary>What waits, by provider; providers that are not configured any more are among them.</summary>
    public ValueTask<Dictionary<string, Backlog>> BacklogsAsync(CancellationToken cancel) => database.ReadAsync(async s =>
    {
        var rows = await s.QueryAsync("""
            SELECT provider, COUNT(*), SUM(bytes), MIN(oldest) FROM (
                SELECT provider, CASE kind WHEN 0 THEN 0 ELSE 1 END, name, MAX(bytes) AS bytes, MIN(created_at) AS oldest FROM replication
                GROUP BY provider, CASE kind WHEN 0 THEN 0 ELSE 1 END, name) AS things
            GROUP BY provider
            """, static r => (Provider: r.GetString(0), Backlog: new Backlog(r.GetInt64(1), Convert.ToInt64(r.GetValue(2), System.Globalization.CultureInfo.InvariantCulture), Time(r.GetInt64(3)), null)));
        var backlogs = new Dictionary<string, Backlog>(StringComparer.Ordinal);
        foreach (var (provider, backlog) in rows)
        {
            var error = await s.ScalarAsync<string>("SELECT last_error FROM replication WHERE provider = $1 AND last_error IS NOT NULL ORDER BY next_at DESC LIMIT 1", provider);
            backlogs[provider] = backlog with { LastError = error };
        }
        return backlogs;
    }, cancel);

    /// <summary>Losses that nobody has acknowledged.</summary>
    public ValueTask<List<LostReplica>> LostAsync(CancellationToken cancel) => database.ReadAsync(s => s.QueryAsync(
        "SELECT provider, name, bytes, reason, found_at FROM replication_lost ORDER BY provider, found_at, name",
        static r => new LostReplica(r.GetString(0), r.GetString(1), r.GetInt64(2), r.GetString(3), Time(r.GetInt64(4)))), cancel);

    /// <summary>A loss is mended or acknowledged.</summary>
    public ValueTask<int> ForgetLostAsync(LostReplica lost) => database.WriteAsync(s =>
        s.ExecuteAsync("DELETE FROM replication_lost WHERE provider = $1 AND name = $2", lost.Provider, lost.Name));

    /// <summary>Keeps what a comparison found.</summary>
    public ValueTask<int> SaveVerifiedAsync(string provider, DateTimeOffset at, string report) => database.WriteAsync(s => s.ExecuteAsync("""
        INSERT INTO replication_verified (provider, finished_at, report) VALUES ($1, $2, $3)
        ON CONFLICT (provider) DO UPDATE SET finished_at = excluded.finished_at, report = excluded.report
        """, provider, at.ToUnixTimeMilliseconds(), report));

    /// <summary>What the last comparisons found, by provider.</summary>
    public async ValueTask<Dictionary<string, string>> VerifiedAsync(CancellationToken cancel)
    {
        var rows = await database.ReadAsync(s => s.QueryAsync("SELECT provider, report FROM replication_verified", static r => (r.GetString(0), r.GetString(1))), cancel);
        return rows.ToDictionary(row => row.Item1, row => row.Item2, StringComparer.Ordinal);
    }

    /// <summary>Every text in quotes that is a digest: the bytes that a manifest needs.</summary>
    internal static List<string> DigestsIn(string? body)
    {
        var digests = new List<string>();
        for (var at = body is null ? -1 : body.IndexOf('"', StringComparison.Ordinal); at >= 0; at = body.IndexOf('"', at + 1))
        {
            if (at + DigestLength + 1 < body!.Length && body[at + DigestLength + 1] == '"' && !body.AsSpan(at + 1, DigestLength).ContainsAnyExcept(Hex))
                digests.Add(body.Substring(at + 1, DigestLength));
        }
        return digests;
    }

    private static async ValueTask<DateTimeOffset?> WaitAsync(DbSession s, string provider, PendingReplica row, DateTimeOffset now)
    {
        DateTimeOffset? until = null;
        foreach (var digest in DigestsIn(row.Body))
        {
            var next = await s.FirstAsync("SELECT next_at FROM replication WHERE name = $2 AND provider = $1 AND kind = 0 ORDER BY next_at LIMIT 1", static r => (long?)r.GetInt64(0), provider, digest);
            var lost = next is null && await s.ScalarAsync<long>("SELECT COUNT(*) FROM replication_lost WHERE provider = $1 AND name = $2", provider, digest) > 0;
            if (next is null && !lost)
                continue;
            var at = lost ? now + 20 * ManifestWait : Later(Time(next!.Value), now + ManifestWait);
            until = until is { } other ? Later(other, at) : at;
        }
        return until;
    }

    private static async ValueTask<bool> IsPendingAsync(DbSession s, string provider, OutboxKind kind, string name) =>
        await s.ScalarAsync<long>(kind == OutboxKind.Blob
            ? "SELECT COUNT(*) FROM replication WHERE name = $2 AND provider = $1 AND kind = 0" : "SELECT COUNT(*) FROM replication WHERE name = $2 AND provider = $1 AND kind > 0",
            provider, name) > 0;

    private static PendingReplica ReadRow(DbDataReader r) =>
        new(r.GetInt64(0), (OutboxKind)r.GetInt64(1), r.GetString(2), r.GetInt64(3), r.IsDBNull(4) ? null : r.GetString(4), (int)r.GetInt64(5), null);

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    private static DateTimeOffset Time(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms);
}
