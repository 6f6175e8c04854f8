using Dure.Host.Data;
using Dure.Storage.Replication;
using Dure.Test.Host.Data;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Storage.Replication;

/// <summary>The outbox's SQL, on both databases.</summary>
public sealed class OutboxStoreTest(PostgresCluster cluster) : IClassFixture<PostgresCluster>
{
    private static readonly string Digest = new('a', 64);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Rows_come_in_order_of_age_wait_after_failures_and_leave_when_confirmed(string dialect)
    {
        using var scratch = new Scratch();
        await using var database = await OpenAsync(dialect, scratch);
        var clock = new SetClock();
        var outbox = new OutboxStore(database, clock);
        OutboxEntry[] entries = [new(OutboxKind.Blob, "second", Digest, 10), new(OutboxKind.Blob, "second", Digest, 10), new(OutboxKind.Manifest, "second", "m", 70, $"{{\"x\":\"{Digest}\"}}"), new(OutboxKind.Blob, "third", Digest, 10)];
        foreach (var entry in entries)
            await database.WriteAsync(async s =>
            {
                await Outbox.AddAsync(s, entry, clock.Now.ToUnixTimeMilliseconds());
                return 0;
            }, cancel: Cancel);
        Assert.Equal(new Backlog(2, 80, clock.Now, null), (await outbox.BacklogsAsync(Cancel))["second"]);
        Assert.Equal([Digest], await outbox.PendingDigestsAsync(Cancel), StringComparer.Ordinal);
        var due = await outbox.DueAsync("second", 10, Cancel);
        Assert.Equal([Digest, Digest, "m"], due.Select(row => row.Name), StringComparer.Ordinal);
        Assert.True(due[2].WaitsUntil > clock.Now && due[0].WaitsUntil is null);

        await outbox.FailAsync("second", due[1], "down", TimeSpan.FromSeconds(30));
        await outbox.DeferAsync([due[2]]);
        Assert.Empty(await outbox.DueAsync("second", 10, Cancel));
        Assert.Equal("down", (await outbox.BacklogsAsync(Cancel))["second"].LastError);
        clock.Now += TimeSpan.FromSeconds(31);
        due = await outbox.DueAsync("second", 10, Cancel);
        Assert.Equal(1, due[1].Tries);
        await outbox.FinishAsync("second", due.Single(row => row.Id == 2));
        due = await outbox.DueAsync("second", 10, Cancel);
        Assert.Null(Assert.Single(due).WaitsUntil);
        Assert.Equal(1, (await outbox.BacklogsAsync(Cancel))["third"].Objects);

        Assert.Equal(0, await outbox.EnqueueAsync([entries[3]]));
        await outbox.LoseAsync("third", (await outbox.DueAsync("third", 1, Cancel))[0], "gone");
        var lost = Assert.Single(await outbox.LostAsync(Cancel));
        Assert.Equal(new LostReplica("third", Digest, 10, "gone", clock.Now), lost);
        await outbox.ForgetLostAsync(lost);
        Assert.Empty(await outbox.LostAsync(Cancel));
        await outbox.SaveVerifiedAsync("third", clock.Now, "1");
        await outbox.SaveVerifiedAsync("third", clock.Now, "2");
        Assert.Equal("2", (await outbox.VerifiedAsync(Cancel))["third"]);
    }

    [Fact]
    public void Names_of_versions_are_one_short_segment_whatever_the_key_is()
    {
        foreach (var key in new[] { "..", ".", "a/b/c", new string('ü', 512), "x~y", " ", "%2E%2E" })
        {
            var name = ReplicaKeys.Version("bucket", key, 7);
            var segments = name.Split('/');
            Assert.Equal(5, segments.Length);
            Assert.True(segments[3].Length <= 200 && segments[3] is not (".." or "." or ""), name);
        }
    }

    private async Task<Database> OpenAsync(string dialect, Scratch scratch)
    {
        Database database = dialect == "sqlite" ? await SqliteDatabase.OpenAsync(scratch["dure.db"], Cancel)
            : (await PostgresDatabase.OpenAsync(cluster.Address(await cluster.CreateDatabaseAsync(Cancel)), Cancel)).Value;
        Assert.True((await Migrations.ApplyAsync(database, TimeProvider.System, Cancel)).Ok);
        return database;
    }
}
