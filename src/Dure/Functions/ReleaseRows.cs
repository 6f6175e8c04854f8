using System.Data.Common;
using Dure.Host.Data;

namespace Dure.Functions;

/// <summary>Who changed where callers are sent, and by what.</summary>
/// <param name="Action">See <see cref="FunctionRelease"/>.</param>
public sealed record ReleaseBy(string Owner, string Action);

/// <summary>The SQL of changes of where callers are sent, inside the transactions that make them.</summary>
internal static class ReleaseRows
{
    /// <summary>More than these are forgotten.</summary>
    private const long KeptPerFunction = 500;

    /// <summary>Whether callers are sent where it is expected; holds the function's row until the transaction ends.</summary>
    public static async ValueTask<bool> IsAsync(DbSession s, string function, ExpectedRelease? expected) => expected switch
    {
        null => true,
        { Exists: false } => await s.ScalarAsync<long>("SELECT COUNT(*) FROM functions WHERE name = $1 AND deleted_at IS NULL", function) == 0,
        _ => await s.ExecuteAsync("""
            UPDATE functions SET updated_at = updated_at WHERE name = $1 AND deleted_at IS NULL
                AND COALESCE(live_version, 0) = $2 AND COALESCE(canary_version, 0) = $3
            """, function, expected.Live ?? 0, expected.Canary ?? 0) == 1,
    };

    /// <summary>Notes where callers are sent now.</summary>
    public static async ValueTask AddAsync(DbSession s, long function, long now, string owner, string action)
    {
        await s.ExecuteAsync("""
            INSERT INTO function_releases (function_id, at, owner, action, live_version, canary_version, canary_percent)
            SELECT id, $2, $3, $4, live_version, canary_version, canary_percent FROM functions WHERE id = $1
            """, function, now, owner, action);
        await s.ExecuteAsync($"""
            DELETE FROM function_releases WHERE function_id = $1
                AND id <= (SELECT id FROM function_releases WHERE function_id = $1 ORDER BY id DESC LIMIT 1 OFFSET {KeptPerFunction})
            """, function);
    }

    /// <summary>The newest first.</summary>
    public static ValueTask<List<FunctionRelease>> ListAsync(DbSession s, long function, int limit) => s.QueryAsync("""
        SELECT r.at, r.owner, r.action, l.number, l.digest, c.number, r.canary_percent FROM function_releases r
            LEFT JOIN versions l ON l.id = r.live_version LEFT JOIN versions c ON c.id = r.canary_version
        WHERE r.function_id = $1 ORDER BY r.id DESC LIMIT $2
        """, Read, function, (long)limit);

    private static FunctionRelease Read(DbDataReader r) => new(DateTimeOffset.FromUnixTimeMilliseconds(r.GetInt64(0)), r.GetString(1), r.GetString(2),
        r.IsDBNull(3) ? null : r.GetInt32(3), r.IsDBNull(4) ? null : r.GetString(4), r.IsDBNull(5) ? null : r.GetInt32(5), r.GetInt32(6));
}
