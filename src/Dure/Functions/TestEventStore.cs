using System.Data.Common;
using System.Text;
using Dure.Host.Data;

namespace Dure.Functions;

/// <summary>An event that people keep beside a function, to try it with.</summary>
/// <param name="Owner">Who saved it last.</param>
public sealed record TestEvent(string Name, string Owner, DateTimeOffset UpdatedAt, long Bytes);

/// <summary>All SQL about saved events. They belong to the function, not to a person: who may see the function sees them.</summary>
public sealed class TestEventStore(Database database, TimeProvider time)
{
    /// <summary>Events per function at most.</summary>
    public const int CountMax = 100;

    /// <summary>Largest event that is kept, bytes.</summary>
    public const int BytesMax = 256 * 1024;

    /// <summary>Those of a function, by name.</summary>
    public ValueTask<List<TestEvent>> ListAsync(long function, CancellationToken cancel) => database.ReadAsync(s => s.QueryAsync(
        "SELECT name, owner, updated_at, bytes FROM test_events WHERE function_id = $1 ORDER BY name", Read, function), cancel);

    /// <summary>One event's text as it was saved; null when there is none.</summary>
    public ValueTask<string?> FindAsync(long function, string name, CancellationToken cancel) => database.ReadAsync(s => s.ScalarAsync<string>(
        "SELECT body FROM test_events WHERE function_id = $1 AND name = $2", function, name), cancel);

    /// <summary>Saves an event under a new name or in place of the one that has it.</summary>
    /// <returns>False when the function has as many as it may.</returns>
    public ValueTask<bool> SaveAsync(long function, string name, string body, string owner) => database.WriteAsync(async s =>
    {
        if (await s.ScalarAsync<long>("SELECT COUNT(*) FROM test_events WHERE function_id = $1 AND name <> $2", function, name) >= CountMax)
            return false;
        return await s.ExecuteAsync("""
            INSERT INTO test_events (function_id, name, body, bytes, owner, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (function_id, name) DO UPDATE SET body = excluded.body, bytes = excluded.bytes, owner = excluded.owner, updated_at = excluded.updated_at
            """, function, name, body, (long)Encoding.UTF8.GetByteCount(body), owner, time.GetUtcNow().ToUnixTimeMilliseconds()) == 1;
    });

    /// <summary>Forgets an event.</summary>
    /// <returns>False when there was none.</returns>
    public ValueTask<bool> RemoveAsync(long function, string name) => database.WriteAsync(async s =>
        await s.ExecuteAsync("DELETE FROM test_events WHERE function_id = $1 AND name = $2", function, name) > 0);

    private static TestEvent Read(DbDataReader r) => new(r.GetString(0), r.GetString(1), DateTimeOffset.FromUnixTimeMilliseconds(r.GetInt64(2)), r.GetInt64(3));
}
