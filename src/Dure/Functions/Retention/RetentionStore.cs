using System.Data.Common;
using System.Text.Json;
using Dure.Functions.Deploy;
using Dure.Host.Data;
using Dure.Storage.Replication;

namespace Dure.Functions.Retention;

/// <summary>An ended invocation as retention sees it.</summary>
/// <param name="FinishedAt">Unix ms.</param>
internal sealed record EndedInvocation(long Id, long FinishedAt, bool HasPayload, bool HasResult, long LogBytes, bool CallbackDue);

/// <summary>A version that may be removed.</summary>
internal sealed record OldVersion(long Id, string Function, int Number, string Digest);

/// <summary>What stored rows need of the disk: everything else there may go.</summary>
/// <param name="Blobs">Digests of payloads, results and sources.</param>
/// <param name="Folders">Names of code and dependency folders.</param>
internal sealed record References(HashSet<string> Blobs, HashSet<string> Folders);

/// <summary>All SQL of retention. Nothing here touches an invocation that has not ended; every statement says so again itself.</summary>
internal sealed class RetentionStore(Database database)
{
    private const int Batch = 500;

    private const string Unused = "NOT EXISTS (SELECT 1 FROM invocations i WHERE i.version_id = v.id AND i.state < 2)";

    /// <summary>The next ended invocations between two ids, in order.</summary>
    public ValueTask<List<EndedInvocation>> EndedAsync(long after, long below, CancellationToken cancel) => database.ReadAsync(s => s.QueryAsync($"""
        SELECT id, finished_at, CASE WHEN payload IS NULL AND payload_blob IS NULL THEN 0 ELSE 1 END, CASE WHEN result_bytes IS NULL THEN 0 ELSE 1 END, log_bytes,
            CASE WHEN EXISTS (SELECT 1 FROM outbox o WHERE o.invocation_id = invocations.id AND o.done_at IS NULL) THEN 1 ELSE 0 END
        FROM invocations WHERE id > $1 AND id < $2 AND state > 1 AND finished_at IS NOT NULL ORDER BY id LIMIT {Batch}
        """, static r => new EndedInvocation(r.GetInt64(0), r.GetInt64(1), r.GetInt64(2) != 0, r.GetInt64(3) != 0, r.GetInt64(4), r.GetInt64(5) != 0), after, below), cancel);

    /// <summary>The oldest invocation that has not ended; the highest number when there is none.</summary>
    public ValueTask<long> OldestOpenAsync(CancellationToken cancel) => database.ReadAsync(async s =>
        await s.ScalarAsync<long>("SELECT COALESCE(MIN(id), $1) FROM invocations WHERE state < 2", long.MaxValue), cancel);

    /// <summary>Removes events and results of ended invocations.</summary>
    public ValueTask<int> StripAsync(IReadOnlyList<long> ids) => EachAsync(ids,
        "UPDATE invocations SET payload = NULL, payload_blob = NULL, result = NULL, result_blob = NULL, result_bytes = NULL WHERE id = $1 AND state > 1");

    /// <summary>Notes that the logs of ended invocations are gone.</summary>
    public ValueTask<int> ForgetLogsAsync(IReadOnlyList<long> ids) => EachAsync(ids, "UPDATE invocations SET log_bytes = 0 WHERE id = $1 AND state > 1");

    /// <summary>Removes ended invocations with all that belongs to them.</summary>
    public ValueTask<int> DeleteAsync(IReadOnlyList<long> ids) => database.WriteAsync(async s =>
    {
        var deleted = 0;
        foreach (var id in ids)
        {
            if (await s.ExecuteAsync("DELETE FROM invocations WHERE id = $1 AND state > 1", id) == 0)
                continue;
            deleted++;
            await s.ExecuteAsync("DELETE FROM attempts WHERE invocation_id = $1", id);
            await s.ExecuteAsync("DELETE FROM steps WHERE invocation_id = $1", id);
            await s.ExecuteAsync("DELETE FROM outbox WHERE invocation_id = $1", id);
        }
        return deleted;
    });

    /// <summary>Versions beyond those that are kept: never the live one, the canary, the one before, or one with work; of deleted functions all.</summary>
    public ValueTask<List<OldVersion>> OldVersionsAsync(int keep, CancellationToken cancel) => database.ReadAsync(s => s.QueryAsync($"""
        SELECT v.id, f.name, v.number, v.digest FROM versions v JOIN functions f ON f.id = v.function_id
        WHERE v.removed_at IS NULL AND {Unused} AND (f.deleted_at IS NOT NULL OR (
            v.id <> COALESCE(f.live_version, 0) AND v.id <> COALESCE(f.previous_version, 0) AND v.id <> COALESCE(f.canary_version, 0)
            AND (SELECT COUNT(*) FROM versions newer WHERE newer.function_id = v.function_id AND newer.removed_at IS NULL AND newer.number > v.number) >= $1))
        ORDER BY v.id
        """, static r => new OldVersion(r.GetInt64(0), r.GetString(1), r.GetInt32(2), r.GetString(3)), (long)keep), cancel);

    /// <summary>Takes a version out of service; its row stays while invocations tell of it.</summary>
    /// <returns>False when it came into use meanwhile.</returns>
    public ValueTask<bool> RemoveVersionAsync(long version, long now) => database.WriteAsync(async s => await s.ExecuteAsync($"""
        UPDATE versions SET removed_at = $2 WHERE id = $1 AND removed_at IS NULL
            AND EXISTS (SELECT 1 FROM versions v JOIN functions f ON f.id = v.function_id WHERE v.id = $1 AND {Unused} AND (f.deleted_at IS NOT NULL OR (
                v.id <> COALESCE(f.live_version, 0) AND v.id <> COALESCE(f.previous_version, 0) AND v.id <> COALESCE(f.canary_version, 0))))
        """, version, now) > 0);

    /// <summary>Removes rows that nothing tells of any more: versions out of service, and functions that were deleted.</summary>
    public ValueTask<int> ForgetAsync(long removedBefore) => database.WriteAsync(async s =>
    {
        await s.ExecuteAsync("DELETE FROM versions WHERE removed_at < $1 AND NOT EXISTS (SELECT 1 FROM invocations i WHERE i.version_id = versions.id)", removedBefore);
        return await s.ExecuteAsync("""
            DELETE FROM functions WHERE deleted_at < $1 AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.function_id = functions.id)
                AND NOT EXISTS (SELECT 1 FROM invocations i WHERE i.function_id = functions.id)
            """, removedBefore);
    });

    /// <summary>What rows refer to. Versions taken out of service since a moment count as well: work may have been on its way to them.</summary>
    public ValueTask<References> ReferencesAsync(long removedSince, CancellationToken cancel) => database.ReadAsync(async s =>
    {
        var references = new References(new(StringComparer.Ordinal), new(StringComparer.Ordinal));
        foreach (var digest in await s.QueryAsync("""
            SELECT payload_blob FROM invocations WHERE payload_blob IS NOT NULL UNION SELECT result_blob FROM invocations WHERE result_blob IS NOT NULL
            """, static r => r.GetString(0)))
            references.Blobs.Add(digest);
        // What a provider has not confirmed yet is the only copy.
        references.Blobs.UnionWith(await Outbox.PendingDigestsAsync(s));
        var versions = await s.QueryAsync($"SELECT v.built FROM versions v WHERE v.removed_at IS NULL OR v.removed_at >= $1 OR NOT ({Unused})", Built, removedSince);
        foreach (var built in versions)
        {
            references.Blobs.Add(built.SourceBlob);
            references.Folders.Add(Path.GetFileName(built.CodeDirectory));
            if (built.DepsDirectory is { } deps)
                references.Folders.Add(Path.GetFileName(deps));
        }
        return references;
    }, cancel);

    /// <summary>Which of these invocations have not ended.</summary>
    public ValueTask<bool> IsOpenAsync(long id, CancellationToken cancel) => database.ReadAsync(async s =>
        await s.ScalarAsync<long>("SELECT COUNT(*) FROM invocations WHERE id = $1 AND state < 2", id) > 0, cancel);

    private static BuiltVersion Built(DbDataReader r) => JsonSerializer.Deserialize(r.GetString(0), BuiltJson.Default.BuiltVersion)!;

    private ValueTask<int> EachAsync(IReadOnlyList<long> ids, string sql) => database.WriteAsync(async s =>
    {
        var changed = 0;
        foreach (var id in ids)
            changed += await s.ExecuteAsync(sql, id);
        return changed;
    });
}
