using Dure.Host.Data;
using Dure.Test.Contracts;
using Xunit;

namespace Dure.Test.Host.Data;

public sealed class PostgresDatabaseTest(PostgresCluster cluster) : DatabaseContract, IClassFixture<PostgresCluster>
{
    private string _name = "";

    protected override string[] Address => ["postgres", cluster.Address(_name)];

    public override async ValueTask InitializeAsync() => _name = await cluster.CreateDatabaseAsync(Cancel);

    protected override async Task<Database> RestoreAsync(string backup)
    {
        var name = await cluster.CreateDatabaseAsync(Cancel);
        await cluster.RestoreAsync(backup, name, Cancel);
        return (await PostgresDatabase.OpenAsync(cluster.Address(name), Cancel)).Value;
    }

    // Every transaction that writes takes a number.
    protected override async Task<long> TransactionsAsync(Database database) =>
        await database.ReadAsync(s => s.ScalarAsync<long>("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"), Cancel);

    [Fact]
    public async Task Migrations_run_once_also_when_two_servers_start_together()
    {
        var servers = new[] { await OpenAsync(), await OpenAsync() };
        var applied = await Task.WhenAll(servers.Select(server => Task.Run(async () => (await Migrations.ApplyAsync(server, TimeProvider.System, Cancel)).Value, Cancel)));
        var recorded = await servers[0].ReadAsync(s => s.QueryAsync("SELECT name FROM schema_steps", r => r.GetString(0)), Cancel);
        Assert.Equal(recorded.Order(StringComparer.Ordinal), applied.SelectMany(names => names).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_database_that_is_set_to_commit_behind_the_answer_commits_before_it()
    {
        var database = await OpenWithNotesAsync();
        await database.WriteAsync(s => s.ExecuteAsync($"ALTER DATABASE {_name} SET synchronous_commit = off"), cancel: Cancel);
        var fresh = await OpenAsync();
        Assert.Equal("on", await fresh.WriteAsync(s => s.ScalarAsync<string>("SELECT current_setting('synchronous_commit')"), cancel: Cancel));
    }
}
