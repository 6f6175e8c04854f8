using System.Data.Common;
using System.Security.Cryptography;
using System.Text.Json;
using Dure.Functions.Deploy;
using Dure.Host.Data;

namespace Dure.Functions.Copies;

/// <summary>A version that providers should have.</summary>
/// <param name="Size">Of the packed source, bytes.</param>
internal sealed record CopiedVersion(string Function, int Number, string Owner, DateTimeOffset CreatedAt, long Size, BuiltVersion Built);

/// <summary>A result that providers should have.</summary>
internal sealed record CopiedResult(long Id, ResultManifest Manifest);

/// <summary>All SQL about what providers should have of functions, and about what comes back from them.</summary>
/// <param name="providers">That get copies of functions.</param>
internal sealed class CopyStore(Database database, IReadOnlyList<string> providers)
{
    private const int Batch = 500;

    /// <summary>Whether a provider gets copies of functions.</summary>
    public bool Serves(string provider) => providers.Contains(provider, StringComparer.Ordinal);

    /// <summary>Versions in service.</summary>
    public ValueTask<List<CopiedVersion>> VersionsAsync(CancellationToken cancel) => database.ReadAsync(s => s.QueryAsync(
        "SELECT f.name, v.number, v.owner, v.created_at, v.size_bytes, v.built FROM versions v JOIN functions f ON f.id = v.function_id WHERE v.removed_at IS NULL ORDER BY v.id",
        static r => new CopiedVersion(r.GetString(0), r.GetInt32(1), r.GetString(2), Time(r.GetInt64(3)), r.GetInt64(4), JsonSerializer.Deserialize(r.GetString(5), BuiltJson.Default.BuiltVersion)!)), cancel);

    /// <summary>The next successful invocations whose result is kept, in the order of their ids.</summary>
    public ValueTask<List<CopiedResult>> ResultsAsync(long after, CancellationToken cancel) => database.ReadAsync(s => s.QueryAsync($"""
        SELECT i.id, f.name, v.digest, i.attempt, i.owner, i.created_at, i.finished_at, i.result_bytes, i.result_blob, i.result
        FROM invocations i JOIN functions f ON f.id = i.function_id JOIN versions v ON v.id = i.version_id
        WHERE i.id > $1 AND i.state = 2 AND i.result_bytes IS NOT NULL ORDER BY i.id LIMIT {Batch}
        """, ReadResult, after), cancel);

    /// <summary>The ids of a function and its version; null when there is none.</summary>
    public ValueTask<(long Function, long Version)?> FindVersionAsync(string function, string digest, CancellationToken cancel) => database.ReadAsync(s => s.FirstAsync(
        "SELECT f.id, v.id FROM functions f JOIN versions v ON v.function_id = f.id WHERE f.name = $1 AND v.digest = $2",
        static r => ((long, long)?)(r.GetInt64(0), r.GetInt64(1)), function, digest), cancel);

    /// <summary>Whether an invocation is known, with or without its result: what retention removed is not brought back.</summary>
    public ValueTask<bool> HasResultAsync(long id, CancellationToken cancel) =>
        database.ReadAsync(async s => await s.ScalarAsync<long>("SELECT COUNT(*) FROM invocations WHERE id = $1", id) > 0, cancel);

    /// <summary>Makes the row of a result again. Its event and its attempts are not kept by providers.</summary>
    public ValueTask<int> InsertAsync(long id, (long Function, long Version) of, ResultManifest manifest) => database.WriteAsync(s => s.ExecuteAsync("""
        INSERT INTO invocations (id, function_id, version_id, state, attempt, owner, source, durability, created_at, started_at, finished_at, payload_bytes, result_bytes, result_blob, result)
        VALUES ($1, $2, $3, 2, $4, $5, 0, 0, $6, $6, $7, 0, $8, $9, $10) ON CONFLICT DO NOTHING
        """, id, of.Function, of.Version, (long)manifest.Attempt, manifest.Owner, manifest.CreatedAt.ToUnixTimeMilliseconds(), manifest.FinishedAt.ToUnixTimeMilliseconds(),
        manifest.Size, manifest.Result is null ? manifest.Sha256 : null, manifest.Result is { } bytes ? (object)bytes : null));

    private static CopiedResult ReadResult(DbDataReader r)
    {
        var blob = r.IsDBNull(8) ? null : r.GetString(8);
        var inline = blob is not null ? null : r.IsDBNull(9) ? [] : r.GetFieldValue<byte[]>(9);
        return new CopiedResult(r.GetInt64(0), new ResultManifest(InvocationId.Format(r.GetInt64(0)), r.GetString(1), r.GetString(2), r.GetInt32(3), r.GetString(4), Time(r.GetInt64(5)),
            Time(r.GetInt64(6)), r.GetInt64(7), blob ?? Convert.ToHexStringLower(SHA256.HashData(inline!)), inline is null ? (ReadOnlyMemory<byte>?)null : inline));
    }

    private static DateTimeOffset Time(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms);
}
