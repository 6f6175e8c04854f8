using System.Diagnostics;
using Dure.Host.Data;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Host.Data;

/// <summary>What happens to us when PostgreSQL itself dies, restarts, stays away or is not to be trusted.</summary>
[Trait("speed", "slow")]
public sealed class PostgresFaultTest(PostgresCluster cluster) : IClassFixture<PostgresCluster>, IAsyncLifetime
{
    private readonly List<Database> _opened = [];
    private string _name = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _name = await cluster.CreateDatabaseAsync(Cancel);

    public async ValueTask DisposeAsync()
    {
        foreach (var database in _opened)
        {
            await database.DisposeAsync();
        }
    }

    [Fact]
    public async Task What_was_acknowledged_is_there_after_the_server_was_killed()
    {
        var database = await OpenWithNotesAsync();
        await using var writer = Child.Start("write-rows", ["16", "0", "postgres", cluster.Address(_name)]);
        await writer.LinesAsync(300, Cancel);
        await cluster.KillAsync(Cancel);
        await writer.KillAsync();
        await cluster.StartAgainAsync(Cancel);
        var stored = await DatabaseWriterProcess.PairsAsync(database);
        Assert.Subset(stored.ToHashSet(StringComparer.Ordinal), writer.Lines.ToHashSet(StringComparer.Ordinal));
        await AddAsync(database, 1_000_000_000, "after");
        Assert.Equal(2 * stored.Count + 1, await CountAsync(database));
    }

    [Fact]
    public async Task Reads_and_writes_wait_out_a_restart_of_the_server()
    {
        var database = await OpenWithNotesAsync();
        await AddAsync(database, 1, "before");
        await TextAsync(database, 1);
        await cluster.StopAsync(Cancel);
        var write = AddAsync(database, 2, "during").AsTask();
        await Task.Delay(300, Cancel);
        await cluster.StartAgainAsync(Cancel);
        Assert.Equal(1, await write);
        Assert.Equal("during", await TextAsync(database, 2));
    }

    [Fact]
    public async Task A_server_that_stays_away_is_an_error_within_seconds()
    {
        var database = await OpenWithNotesAsync();
        await cluster.StopAsync(Cancel);
        try
        {
            var clock = Stopwatch.StartNew();
            await Assert.ThrowsAnyAsync<Npgsql.NpgsqlException>(async () => await AddAsync(database, 2, "lost"));
            await Assert.ThrowsAnyAsync<Npgsql.NpgsqlException>(async () => await TextAsync(database, 2));
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(20));
            Assert.Equal(PostgresErrors.Unreachable, (await PostgresDatabase.OpenAsync(cluster.Address(_name), Cancel)).Problem?.Kind);
        }
        finally
        {
            await cluster.StartAgainAsync(Cancel);
        }
        Assert.Equal(0, await CountAsync(database));
    }

    [Fact]
    public async Task A_server_that_may_lose_what_it_acknowledged_is_refused()
    {
        await cluster.StopAsync(Cancel);
        try
        {
            await cluster.StartAgainAsync(Cancel, "-c fsync=off");
            var refused = await PostgresDatabase.OpenAsync(cluster.Address(_name), Cancel);
            Assert.Equal(PostgresErrors.NotDurable, refused.Problem?.Kind);
            Assert.Contains("fsync", refused.Problem!.Detail, StringComparison.Ordinal);
        }
        finally
        {
            await cluster.StopAsync(Cancel);
            await cluster.StartAgainAsync(Cancel);
        }
    }

    private async Task<Database> OpenWithNotesAsync()
    {
        var database = (await PostgresDatabase.OpenAsync(cluster.Address(_name), Cancel)).Value;
        _opened.Add(database);
        await database.WriteAsync(s => s.ExecuteAsync("CREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL)"), cancel: Cancel);
        return database;
    }

    private static ValueTask<int> AddAsync(Database database, long id, string text) =>
        database.WriteAsync(s => s.ExecuteAsync("INSERT INTO notes VALUES ($1, $2)", id, text), cancel: Cancel);

    private static ValueTask<string?> TextAsync(Database database, long id) =>
        database.ReadAsync(s => s.ScalarAsync<string>("SELECT text FROM notes WHERE id = $1", id), Cancel);

    private static ValueTask<long> CountAsync(Database database) =>
        database.ReadAsync(s => s.ScalarAsync<long>("SELECT COUNT(*) FROM notes"), Cancel);
}
