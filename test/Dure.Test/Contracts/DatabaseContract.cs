using System.Collections.Concurrent;
using System.Data.Common;
using System.Diagnostics;
using Dure.Host;
using Dure.Host.Data;
using Dure.Test.Host.Data;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Contracts;

/// <summary>Every promise of the Database seam, run against each implementation.</summary>
public abstract class DatabaseContract : IAsyncLifetime
{
    private readonly List<Database> _opened = [];

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>What a child process needs to open this test's database, see <see cref="DatabaseWriterProcess"/>.</summary>
    protected abstract string[] Address { get; }

    /// <summary>Opens what a backup holds as a database of its own.</summary>
    protected abstract Task<Database> RestoreAsync(string backup);

    /// <summary>How many transactions have written so far.</summary>
    protected abstract Task<long> TransactionsAsync(Database database);

    public virtual ValueTask InitializeAsync() => default;

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var database in _opened)
        {
            await database.DisposeAsync();
        }
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_write_is_seen_by_the_next_read()
    {
        var database = await OpenWithNotesAsync();
        await AddAsync(database, 1, "one");
        Assert.Equal("one", await TextAsync(database, 1));
        Assert.Equal(1, await database.PingAsync(Cancel));
    }

    [Fact]
    public async Task Every_kind_of_value_comes_back_as_it_was_written()
    {
        var database = await OpenAsync();
        await database.WriteAsync(s => s.ExecuteAsync(database.Dialect.Render(
            "CREATE TABLE kinds (id {id}, text TEXT, number BIGINT, real DOUBLE PRECISION, bytes {blob})")), cancel: Cancel);
        (string?, long?, double?, byte[]?)[] rows =
        [
            ("", long.MinValue, 0.1, []),
            ("두레 'quoted' \"too\"\n\t\\ \U0001F41D", long.MaxValue, double.MaxValue, new byte[1 << 20]),
            (null, null, null, null),
        ];
        foreach (var (row, id) in rows.Zip(Enumerable.Range(1, rows.Length)))
        {
            await database.WriteAsync(s => s.ExecuteAsync("INSERT INTO kinds VALUES ($1, $2, $3, $4, $5)", id, row.Item1, row.Item2, row.Item3, row.Item4), cancel: Cancel);
        }
        var read = await database.ReadAsync(s => s.QueryAsync("SELECT text, number, real, bytes FROM kinds ORDER BY id", static r => (
            r.IsDBNull(0) ? null : r.GetString(0),
            r.IsDBNull(1) ? (long?)null : r.GetInt64(1),
            r.IsDBNull(2) ? (double?)null : r.GetDouble(2),
            r.IsDBNull(3) ? null : r.GetFieldValue<byte[]>(3))), Cancel);
        Assert.Equal(rows, read);
        await database.WriteAsync(s => s.ExecuteAsync("UPDATE kinds SET number = $1 WHERE id = $2", true, 1), cancel: Cancel);
        Assert.Equal(1, await database.ReadAsync(s => s.ScalarAsync<long>("SELECT number FROM kinds WHERE id = $1", 1), Cancel));
    }

    [Fact]
    public async Task A_write_sees_its_own_statements_and_others_see_none_before_its_end()
    {
        var database = await OpenWithNotesAsync();
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var write = database.WriteAsync(
            async s =>
            {
                await s.ExecuteAsync("INSERT INTO notes VALUES ($1, $2)", 1, "mine");
                var seen = await s.ScalarAsync<string>("SELECT text FROM notes WHERE id = $1", 1);
                written.TrySetResult();
                await go.Task;
                return seen;
            },
            cancel: Cancel);
        await written.Task;
        var clock = Stopwatch.StartNew();
        Assert.Null(await TextAsync(database, 1));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(1), "A reader waited for a writer.");
        go.SetResult();
        Assert.Equal("mine", await write);
        Assert.Equal("mine", await TextAsync(database, 1));
    }

    [Fact]
    public async Task A_long_read_holds_up_no_writer()
    {
        var database = await OpenWithNotesAsync();
        await AddAsync(database, 1, "before");
        var read = await database.ReadAsync(
            async s =>
            {
                await using var command = s.Connection.CreateCommand();
                command.CommandText = "SELECT text FROM notes";
                await using var reader = await command.ExecuteReaderAsync(Cancel);
                await reader.ReadAsync(Cancel);
                await AddAsync(database, 2, "meanwhile").AsTask().WaitAsync(TimeSpan.FromSeconds(5), Cancel);
                return reader.GetString(0);
            },
            Cancel);
        Assert.Equal("before", read);
        Assert.Equal("meanwhile", await TextAsync(database, 2));
    }

    [Fact]
    public async Task Writes_that_arrive_together_share_transactions()
    {
        var database = await OpenWithNotesAsync();
        var before = await TransactionsAsync(database);
        await Task.WhenAll(Enumerable.Range(0, 1000).Select(id => AddAsync(database, id, "shared").AsTask()));
        Assert.InRange(await TransactionsAsync(database) - before, 1, 500);
        Assert.Equal(1000, await CountAsync(database));
    }

    [Fact]
    public async Task A_write_that_fails_leaves_nothing_and_harms_none_of_its_neighbours()
    {
        var database = await OpenWithNotesAsync();
        await AddAsync(database, 1_000_000, "taken");
        var writes = Enumerable.Range(0, 200).Select(id => database.WriteAsync(
            async s =>
            {
                await s.ExecuteAsync("INSERT INTO notes VALUES ($1, $2)", id, "first half");
                return (id % 20) switch
                {
                    5 => await s.ExecuteAsync("INSERT INTO notes VALUES ($1, $2)", 1_000_000, "violates the key"),
                    10 => await s.ExecuteAsync("INSERT INTO no_such_table VALUES ($1)", id),
                    15 => throw new InvalidOperationException($"mine, {id}"),
                    _ => await s.ExecuteAsync("INSERT INTO notes VALUES ($1, $2)", id + 1000, "second half"),
                };
            },
            cancel: Cancel).AsTask()).ToList();
        for (var id = 0; id < 200; id++)
        {
            switch (id % 20)
            {
                case 5 or 10:
                    await Assert.ThrowsAnyAsync<DbException>(() => writes[id]);
                    break;
                case 15:
                    Assert.Equal($"mine, {id}", (await Assert.ThrowsAsync<InvalidOperationException>(() => writes[id])).Message);
                    break;
                default:
                    Assert.Equal(1, await writes[id]);
                    break;
            }
        }
        Assert.Equal(1 + 2 * 170, await CountAsync(database));
    }

    [Fact]
    public async Task A_key_that_is_taken_is_a_value_not_an_exception()
    {
        var database = await OpenWithNotesAsync();
        const string Insert = "INSERT INTO notes VALUES ($1, $2) ON CONFLICT DO NOTHING";
        var added = await Task.WhenAll(Enumerable.Range(0, 50).Select(i =>
            database.WriteAsync(s => s.ExecuteAsync(Insert, 7, $"{i}"), cancel: Cancel).AsTask()));
        Assert.Equal(1, added.Sum());
        var upserted = await database.WriteAsync(
            s => s.FirstAsync("INSERT INTO notes VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET text = excluded.text RETURNING text", r => r.GetString(0), 7, "new"),
            cancel: Cancel);
        Assert.Equal("new", upserted);
    }

    [Fact]
    public async Task A_read_that_throws_leaves_its_connection_usable()
    {
        var database = await OpenWithNotesAsync();
        await AddAsync(database, 1, "one");
        for (var i = 0; i < 50; i++)
        {
            await Assert.ThrowsAsync<InvalidOperationException>(async () =>
                await database.ReadAsync(s => s.QueryAsync<int>("SELECT id FROM notes", _ => throw new InvalidOperationException()), Cancel));
            await Assert.ThrowsAnyAsync<DbException>(async () =>
                await database.ReadAsync(s => s.ScalarAsync<long>("SELECT id FROM no_such_table"), Cancel));
            Assert.Equal("one", await TextAsync(database, 1));
        }
    }

    [Fact]
    public async Task Many_read_and_write_at_once()
    {
        var database = await OpenWithNotesAsync();
        await Parallel.ForAsync(0, 500, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = Cancel }, async (id, _) =>
        {
            await AddAsync(database, id, $"{id}", inline: id % 2 == 0);
            Assert.Equal($"{id}", await TextAsync(database, id));
        });
    }

    [Fact]
    public async Task Two_servers_that_read_and_then_write_lose_no_update()
    {
        var one = await OpenWithNotesAsync();
        var other = await OpenAsync();
        await AddAsync(one, 1, "0");
        await Task.WhenAll(new[] { one, other }.SelectMany(database => Enumerable.Range(0, 40).Select(_ => database.WriteAsync(
            async s =>
            {
                var text = await s.ScalarAsync<string>("SELECT text FROM notes WHERE id = $1", 1);
                var next = int.Parse(text!, System.Globalization.CultureInfo.InvariantCulture) + 1;
                return await s.ExecuteAsync("UPDATE notes SET text = $1 WHERE id = $2", $"{next}", 1);
            },
            cancel: Cancel).AsTask())));
        Assert.Equal("80", await TextAsync(other, 1));
    }

    [Fact]
    public async Task What_is_cancelled_before_it_starts_does_nothing()
    {
        var database = await OpenWithNotesAsync();
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await database.WriteAsync(s => s.ExecuteAsync("INSERT INTO notes VALUES (1, 'x')"), cancel: cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await database.ReadAsync(s => s.ScalarAsync<long>("SELECT 1"), cancelled));
        Assert.Equal(0, await CountAsync(database));
    }

    [Fact]
    public async Task A_closed_database_has_written_all_that_was_given_to_it()
    {
        var database = await OpenWithNotesAsync();
        var writes = Enumerable.Range(0, 300).Select(id => AddAsync(database, id, "last").AsTask()).ToList();
        await database.DisposeAsync();
        await database.DisposeAsync();
        await Task.WhenAll(writes);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await AddAsync(database, 999, "too late"));
        Assert.Equal(300, await CountAsync(await OpenAsync()));
    }

    [Fact]
    public async Task What_was_acknowledged_is_there_after_the_writer_was_killed()
    {
        await (await OpenWithNotesAsync()).DisposeAsync();
        var acknowledged = new List<string>();
        for (var round = 0; round < 4; round++)
        {
            await using var writer = Child.Start("write-rows", ["16", $"{round * 1_000_000}", .. Address]);
            await writer.LinesAsync(200 + round * 333, Cancel);
            await writer.KillAsync();
            acknowledged.AddRange(writer.Lines);
        }
        var database = await OpenAsync();
        var stored = await DatabaseWriterProcess.PairsAsync(database);
        Assert.Subset(stored.ToHashSet(StringComparer.Ordinal), acknowledged.ToHashSet(StringComparer.Ordinal));
        Assert.Equal(2 * stored.Count, await CountAsync(database));
    }

    [Fact]
    public async Task A_backup_taken_while_writes_go_on_is_consistent()
    {
        using var scratch = new Scratch();
        var database = await OpenWithNotesAsync();
        using var ending = new CancellationTokenSource();
        var acknowledged = new ConcurrentQueue<string>();
        var writing = DatabaseWriterProcess.WritePairsAsync(database, 16, 0, id => acknowledged.Enqueue($"{id}"), ending.Token);
        while (acknowledged.Count < 100)
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, Cancel);
        var before = acknowledged.ToHashSet(StringComparer.Ordinal);
        await database.BackupAsync(scratch["backup"], Cancel);
        await ending.CancelAsync();
        await writing;
        await Assert.ThrowsAnyAsync<Exception>(async () => await database.BackupAsync(scratch["backup"], Cancel));
        await using var restored = await RestoreAsync(scratch["backup"]);
        var stored = await DatabaseWriterProcess.PairsAsync(restored);
        Assert.Subset(stored.ToHashSet(StringComparer.Ordinal), before);
        Assert.Equal(2 * stored.Count, await CountAsync(restored));
    }

    [Fact]
    public async Task Migrations_run_once()
    {
        var database = await OpenAsync();
        var applied = (await Migrations.ApplyAsync(database, TimeProvider.System, Cancel)).Value;
        var recorded = await database.ReadAsync(s => s.QueryAsync("SELECT name FROM schema_steps", r => r.GetString(0)), Cancel);
        Assert.Equal(recorded.Order(StringComparer.Ordinal), applied.Order(StringComparer.Ordinal));
        Assert.NotEmpty(recorded);
        Assert.Empty((await Migrations.ApplyAsync(database, TimeProvider.System, Cancel)).Value);
    }

    [Fact]
    public async Task A_newer_schema_is_refused_and_left_alone()
    {
        var database = await OpenAsync();
        await Migrations.ApplyAsync(database, TimeProvider.System, Cancel);
        await database.WriteAsync(s => s.ExecuteAsync("INSERT INTO schema_steps VALUES ($1, $2, $3)", "Host/Schema/9999.sql", 1, "99.0.0"), cancel: Cancel);
        await database.WriteAsync(s => s.ExecuteAsync("DELETE FROM schema_steps WHERE name <> $1", "Host/Schema/9999.sql"), cancel: Cancel);
        var refused = await Migrations.ApplyAsync(database, TimeProvider.System, Cancel);
        Assert.Equal(HostErrors.NewerSchema, refused.Problem?.Kind);
        Assert.Contains("99.0.0", refused.Problem!.Detail, StringComparison.Ordinal);
        Assert.Equal(1, await database.ReadAsync(s => s.ScalarAsync<long>("SELECT COUNT(*) FROM schema_steps"), Cancel));
    }

    /// <summary>Opens this test's database; closed at its end.</summary>
    protected async Task<Database> OpenAsync()
    {
        var database = await DatabaseWriterProcess.OpenAsync(Address);
        _opened.Add(database);
        return database;
    }

    protected async Task<Database> OpenWithNotesAsync()
    {
        var database = await OpenAsync();
        await database.WriteAsync(s => s.ExecuteAsync(database.Dialect.Render("CREATE TABLE notes (id {id}, text TEXT NOT NULL)")), cancel: Cancel);
        return database;
    }

    protected static ValueTask<int> AddAsync(Database database, long id, string text, bool inline = false) =>
        database.WriteAsync(s => s.ExecuteAsync("INSERT INTO notes VALUES ($1, $2)", id, text), inline, Cancel);

    protected static ValueTask<string?> TextAsync(Database database, long id) =>
        database.ReadAsync(s => s.ScalarAsync<string>("SELECT text FROM notes WHERE id = $1", id), Cancel);

    protected static ValueTask<long> CountAsync(Database database) =>
        database.ReadAsync(s => s.ScalarAsync<long>("SELECT COUNT(*) FROM notes"), Cancel);
}
