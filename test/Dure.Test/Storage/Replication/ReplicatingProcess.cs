using System.Security.Cryptography;
using Dure.Host.Data;
using Dure.Storage;
using Dure.Storage.Replication;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dure.Test.Storage.Replication;

/// <summary>A process that keeps blobs, copies them, and says what was acknowledged, for tests that kill it.</summary>
internal static class ReplicatingProcess
{
    /// <summary>Works in a folder, for ever or until nothing waits.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var (root, forEver, time) = (args[0], args[1] == "for-ever", TimeProvider.System);
        await using var database = await SqliteDatabase.OpenAsync(Path.Combine(root, "dure.db"), CancellationToken.None);
        await Migrations.ApplyAsync(database, time, CancellationToken.None);
        var blobs = FolderBlobs.Open(Path.Combine(root, "blobs"), time);
        var outbox = new OutboxStore(database, time);
        var target = new ReplicaTarget(new PlainFolder("second", Path.Combine(root, "second")), new ProviderHealth(time), Functions: true, Both: false);
        using var service = new ReplicationService([target], outbox, new ReplicatorOptions(4, TimeSpan.FromMilliseconds(50)), time, NullLogger<ReplicationService>.Instance);
        service.Add(new Blobs(outbox, blobs));
        using var stop = new CancellationTokenSource();
        var running = service.RunAsync(stop.Token);
        if (forEver)
            await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => KeepForEverAsync(database, blobs, service))));
        while (await database.ReadAsync(static s => s.ScalarAsync<long>("SELECT COUNT(*) FROM replication")) > 0)
            await Task.Delay(20);
        await stop.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return 0;
    }

    private static async Task KeepForEverAsync(SqliteDatabase database, FolderBlobs blobs, ReplicationService service)
    {
        while (true)
        {
            var blob = (await blobs.PutAsync(new MemoryStream(RandomNumberGenerator.GetBytes(RandomNumberGenerator.GetInt32(300_000))), long.MaxValue, CancellationToken.None)).Value;
            var body = $"{{\"sha256\":\"{blob.Digest}\"}}";
            await database.WriteAsync(async s =>
            {
                await Outbox.AddAsync(s, new OutboxEntry(OutboxKind.Blob, "second", blob.Digest, blob.Length), 1);
                await Outbox.AddAsync(s, new OutboxEntry(OutboxKind.Manifest, "second", $"results/f/{blob.Digest}.json", body.Length, body), 1);
                return 0;
            });
            lock (Console.Out)
                Console.Write(blob.Digest + "\n");
            service.Wake();
            await Task.Delay(5);
        }
    }

    private sealed class Blobs(OutboxStore outbox, FolderBlobs blobs) : Originals("blobs", outbox)
    {
        public override async ValueTask<Stream?> OpenAsync(string digest, CancellationToken cancel) => await blobs.OpenAsync(digest, cancel);

        public override IAsyncEnumerable<OutboxEntry> WantedAsync(string provider, CancellationToken cancel) => AsyncEnumerable.Empty<OutboxEntry>();

        public override Task<Dure.Host.Problem?> MendAsync(string path, string digest, CancellationToken cancel) => Task.FromResult<Dure.Host.Problem?>(null);

        public override Task RestoreAsync(Restoration from, CancellationToken cancel) => Task.CompletedTask;
    }
}
