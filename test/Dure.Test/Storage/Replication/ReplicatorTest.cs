using Dure.Host;
using Dure.Storage.Providers;
using Dure.Storage.Replication;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Storage.Replication;

public sealed class ReplicatorTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Problem Down => ProviderErrors.Unreachable.With("second: down");

    [Fact]
    public async Task Bytes_arrive_whole_and_a_manifest_after_those_it_needs()
    {
        await using var bench = await Bench.OpenAsync(Cancel);
        bench.Second.Delay = TimeSpan.FromMilliseconds(20);
        var entries = new List<OutboxEntry>();
        for (var i = 0; i < 10; i++)
        {
            entries.Add(await bench.KeepAsync(Bench.Some(i * 1000)));
            await bench.DescribeAsync($"results/f/{i}.json", entries[i].Name);
        }
        bench.Run();
        await bench.EmptyAsync(Cancel);
        Assert.All(entries, entry => Assert.True(bench.Folder.Has(ReplicaKeys.Blob(entry.Name), entry.Name)));
        var puts = bench.Second.Puts.ToList();
        Assert.All(Enumerable.Range(0, 10), i => Assert.InRange(puts.IndexOf(ReplicaKeys.Blob(entries[i].Name)), 0, puts.IndexOf($"results/f/{i}.json") - 1));
    }

    [Fact]
    public async Task Doubles_are_one_copy_and_of_manifests_only_the_newest_goes()
    {
        await using var bench = await Bench.OpenAsync(Cancel);
        var entry = await bench.KeepAsync(Bench.Some(500));
        await bench.AddAsync(true, entry, entry, entry);
        await bench.AddAsync(true, new OutboxEntry(OutboxKind.Manifest, "second", "buckets/b/bucket.json", 1, "1"), new OutboxEntry(OutboxKind.Manifest, "second", "buckets/b/bucket.json", 1, "2"));
        await bench.AddAsync(true, new OutboxEntry(OutboxKind.Manifest, "second", "buckets/gone.json", 1, "3"), new OutboxEntry(OutboxKind.RemoveManifest, "second", "buckets/gone.json", 0));
        Assert.Equal(3, (await bench.Service.StatusAsync(Cancel))[0].Backlog.Objects);
        bench.Run();
        await bench.EmptyAsync(Cancel);
        Assert.Equal([ReplicaKeys.Blob(entry.Name), "buckets/b/bucket.json"], bench.Second.Puts.Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.Equal("2", await File.ReadAllTextAsync(bench.Folder.PathOf("buckets/b/bucket.json"), Cancel));
    }

    [Fact]
    public async Task What_fails_waits_longer_each_time_and_says_why()
    {
        await using var bench = await Bench.OpenAsync(Cancel);
        var fails = 2;
        bench.Second.Fault = (verb, _) => verb == "PUT" && Interlocked.Decrement(ref fails) >= 0 ? Down : null;
        var entry = await bench.KeepAsync(Bench.Some(500));
        var begun = TimeProvider.System.GetTimestamp();
        bench.Run();
        while (await bench.Database.ReadAsync(static s => s.ScalarAsync<long>("SELECT tries FROM replication"), Cancel) < 1)
            await Task.Delay(10, Cancel);
        var status = (await bench.Service.StatusAsync(Cancel))[0];
        Assert.Contains("second: down", status.Backlog.LastError, StringComparison.Ordinal);
        await bench.EmptyAsync(Cancel);
        // At least half a second and then a second.
        Assert.True(TimeProvider.System.GetElapsedTime(begun) >= TimeSpan.FromSeconds(1.5));
        Assert.True(bench.Folder.Has(ReplicaKeys.Blob(entry.Name), entry.Name));
        Assert.Equal(2, bench.Target.Health.Failures);
    }

    [Fact]
    public async Task A_provider_that_is_down_is_left_alone_and_gets_everything_when_it_is_back()
    {
        await using var bench = await Bench.OpenAsync(Cancel);
        bench.Second.Fault = (_, _) => Down;
        var entries = new List<OutboxEntry>();
        for (var i = 0; i < 40; i++)
            entries.Add(await bench.KeepAsync(Bench.Some(100)));
        bench.Run();
        while (bench.Target.Health.Breaker.State != BreakerState.Open)
            await Task.Delay(5, Cancel);
        await Task.Delay(300, Cancel);
        // Not each of the forty was tried against it.
        Assert.InRange(bench.Second.Asked, CircuitBreaker.FailuresMost, CircuitBreaker.FailuresMost + 4);
        bench.Second.Fault = (_, _) => null;
        await bench.EmptyAsync(Cancel);
        Assert.Equal(BreakerState.Closed, bench.Target.Health.Breaker.State);
        Assert.All(entries, entry => Assert.True(bench.Folder.Has(ReplicaKeys.Blob(entry.Name), entry.Name)));
    }

    [Fact]
    public async Task Something_else_under_the_name_is_replaced_and_what_is_there_is_not_sent_again()
    {
        await using var bench = await Bench.OpenAsync(Cancel);
        var (half, whole) = (await bench.KeepAsync(Bench.Some(1000), enqueue: false), await bench.KeepAsync(Bench.Some(1000), enqueue: false));
        await bench.Folder.PutAsync(new PutObject(ReplicaKeys.Blob(half.Name), new MemoryStream(new byte[500]), 500, half.Name), Cancel);
        await bench.Folder.PutAsync(new PutObject(ReplicaKeys.Blob(whole.Name), (await bench.Blobs.OpenAsync(whole.Name, Cancel))!, 1000, whole.Name), Cancel);
        await bench.AddAsync(true, half, whole);
        bench.Run();
        await bench.EmptyAsync(Cancel);
        Assert.True(bench.Folder.Has(ReplicaKeys.Blob(half.Name), half.Name));
        Assert.Equal([ReplicaKeys.Blob(half.Name)], bench.Second.Puts, StringComparer.Ordinal);
    }

    [Fact]
    public async Task Lost_and_damaged_bytes_are_never_sent_and_never_forgotten()
    {
        await using var bench = await Bench.OpenAsync(Cancel);
        var (gone, flipped, good) = (await bench.KeepAsync(Bench.Some(1000), enqueue: false), await bench.KeepAsync(Bench.Some(1000), enqueue: false), await bench.KeepAsync(Bench.Some(1000), enqueue: false));
        await bench.Blobs.DeleteAsync(gone.Name, Cancel);
        await Bench.FlipAsync(bench.BlobPath(flipped.Name));
        await bench.AddAsync(true, gone, flipped, good);
        var manifest = await bench.DescribeAsync("results/f/1.json", gone.Name);
        bench.Run();
        while (await bench.RowsAsync(Cancel) > 1)
            await Task.Delay(10, Cancel);
        var status = (await bench.Service.StatusAsync(Cancel))[0];
        Assert.Equal([flipped.Name, gone.Name], status.Lost.Select(lost => lost.Name).OrderBy(name => name == gone.Name), StringComparer.Ordinal);
        Assert.Equal([ReplicaKeys.Blob(good.Name)], bench.Folder.Keys(), StringComparer.Ordinal);
        // Its manifest waits: it would promise what is not there.
        Assert.Equal(1, status.Backlog.Objects);
        Assert.True(await bench.Outbox.IsPendingAsync("second", OutboxKind.Manifest, manifest.Name, Cancel));
    }

    [Fact]
    public async Task A_killed_server_loses_nothing_that_was_acknowledged()
    {
        using var scratch = new Scratch();
        var acknowledged = new HashSet<string>(StringComparer.Ordinal);
        for (var round = 0; round < 3; round++)
        {
            await using var server = Child.Start("replicate", [scratch.Path, "for-ever"]);
            await server.LinesAsync(40 + round * 17, Cancel);
            await server.KillAsync();
            acknowledged.UnionWith(server.Lines);
        }
        await using (var last = Child.Start("replicate", [scratch.Path, "to-end"]))
            Assert.Equal(0, await last.EndAsync(Cancel));
        var folder = new PlainFolder("second", scratch["second"]);
        Assert.True(acknowledged.Count >= 3 * 40);
        Assert.All(acknowledged, digest => Assert.True(folder.Has(ReplicaKeys.Blob(digest), digest)));
        Assert.All(acknowledged, digest => Assert.True(File.Exists(folder.PathOf($"results/f/{digest}.json"))));
    }
}
