using Dure.Functions;
using Dure.Functions.Lists;
using Dure.Host.Data;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Lists;

/// <summary>One row as the seed makes it, to compare answers with.</summary>
internal sealed record SeededRow(long Id, long Function, InvocationState State, string Owner, InvocationSource Source, string? Reason);

/// <summary>A database with a hundred thousand invocations, made by SQL alone; the same rows every time.</summary>
public sealed class SeededInvocations : IAsyncLifetime
{
    public const int Count = 100_000;
    public const int Functions = 20;
    private readonly Scratch _scratch = new();

    internal SqliteDatabase Database { get; private set; } = null!;

    internal InvocationReader Reader { get; private set; } = null!;

    internal InvocationCounts Counts { get; private set; } = null!;

    internal IReadOnlyList<SeededRow> Rows { get; private set; } = [];

    /// <summary>When the first was asked for; one follows every second.</summary>
    internal static DateTimeOffset Begin { get; } = new(2026, 11, 20, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Inserts rows into the main database of a server or a test; functions 1 to <see cref="Functions"/> are called <c>f1</c>….</summary>
    internal static async Task SeedAsync(Database database, DateTimeOffset begin, int count)
    {
        await database.WriteAsync(async s =>
        {
            for (var n = 1L; n <= Functions; n++)
            {
                await s.ExecuteAsync("INSERT INTO functions (id, name, owner, created_at, updated_at, live_version) VALUES ($1, $2, 'ana', $3, $3, $1)", 9000 + n, $"f{n}", begin.ToUnixTimeMilliseconds());
                await s.ExecuteAsync("INSERT INTO versions (id, function_id, number, digest, owner, created_at, size_bytes, built) VALUES ($1, $1, 1, $2, 'ana', $3, 10, $4)",
                    9000 + n, n.ToString("x2", null).PadRight(64, 'a'), begin.ToUnixTimeMilliseconds(), "{}");
            }
            return 0;
        });
        // Of a hundred: 3 failed, 1 cancelled; of a thousand one is unknown and one runs; the rest succeeded.
        await database.WriteAsync(s => s.ExecuteAsync("""
            WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $3)
            INSERT INTO invocations (id, function_id, version_id, state, attempt, owner, source, durability, created_at, started_at, finished_at, reason, error,
                payload_bytes, payload, result_bytes, result, log_bytes)
            SELECT (($1 + i * 1000) << 21), 9001 + i % $2, 9001 + i % $2,
                CASE WHEN i % 1000 = 999 THEN 5 WHEN i % 1000 = 500 AND i >= $3 - 10000 THEN 1 WHEN i % 100 IN (3, 33, 63) THEN 3 WHEN i % 100 = 77 THEN 4 ELSE 2 END, 1,
                CASE WHEN i % 7 = 0 THEN 'bo' WHEN i % 501 = 0 THEN 'rare' ELSE 'ana' END, CASE i % 10 WHEN 1 THEN 1 WHEN 2 THEN 2 ELSE 0 END, 0,
                $1 + i * 1000, $1 + i * 1000 + 5, CASE WHEN i % 1000 = 500 AND i >= $3 - 10000 THEN NULL ELSE $1 + i * 1000 + 5 + i % 900 END,
                CASE WHEN i % 100 IN (3, 33, 63) THEN 'ValueError: bad row ' || i WHEN i % 100 = 77 THEN 'cancelled by ana' WHEN i % 1000 = 999 THEN 'lost' END,
                CASE WHEN i % 100 IN (3, 33, 63) THEN '{"errorType":"ValueError","errorMessage":"bad row ' || i || '","stackTrace":["File \"handler.py\", line 3, in handler\n"]}' END,
                40, CAST('{"n":' || i || ',"padding":"................"}' AS BLOB), 60, CAST('{"ok":true,"padding":"........................................"}' AS BLOB), 0
            FROM n
            """, begin.ToUnixTimeMilliseconds(), (long)Functions, (long)count));
    }

    public async ValueTask InitializeAsync()
    {
        Database = await SqliteDatabase.OpenAsync(_scratch["dure.db"], CancellationToken.None);
        await Migrations.ApplyAsync(Database, TimeProvider.System, CancellationToken.None);
        await SeedAsync(Database, Begin, Count);
        Reader = new InvocationReader(Database, new FunctionCatalog());
        Counts = new InvocationCounts(Database);
        Rows = await Database.ReadAsync(static s => s.QueryAsync("SELECT id, function_id, state, owner, source, reason FROM invocations ORDER BY id DESC",
            static r => new SeededRow(r.GetInt64(0), r.GetInt64(1), (InvocationState)r.GetInt32(2), r.GetString(3), (InvocationSource)r.GetInt32(4), r.IsDBNull(5) ? null : r.GetString(5))));
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        _scratch.Dispose();
    }
}
