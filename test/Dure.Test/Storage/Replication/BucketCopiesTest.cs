using System.Security.Cryptography;
using Dure.Host.Data;
using Dure.Storage.Replication;
using Dure.Storage.Store;
using Dure.Test.Processes;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Dure.Test.Storage.Replication;

/// <summary>The embedded store, its own outbox and a provider, all real.</summary>
public sealed class BucketCopiesTest : IDisposable
{
    private readonly Scratch _scratch = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task Versions_parts_and_markers_go_there_and_come_back_into_an_empty_folder()
    {
        var contents = new Dictionary<(string Key, string? Version), byte[]>();
        await using (var first = await Side.OpenAsync(_scratch["one"], _scratch["second"]))
        {
            Assert.Null((await first.Store.CreateBucketAsync("lab", "ada", CannedAcl.Private, Cancel)).Fault);
            Assert.Null(await first.Store.ChangeBucketAsync("lab", new BucketChange { Versioning = Versioning.Enabled, Replicate = ["second"] }, Cancel));
            foreach (var (key, size) in new[] { ("a/b", 10), ("a/b", 20), ("..", 5), (new string('ü', 500), 3_000_000), ("empty", 0) })
            {
                var bytes = RandomNumberGenerator.GetBytes(size);
                contents[(key, await first.PutAsync(key, bytes))] = bytes;
            }
            await first.MultipartAsync(contents);
            Assert.Null((await first.Store.DeleteAsync("lab", "empty", null, WriteConditions.None, Cancel)).Fault);
            await first.ReplicateAsync(Cancel);
            Assert.Equal(0, (await first.VerifyAsync(Cancel)).Faults);
            Assert.True((await first.VerifyAsync(Cancel)).Objects > 10);
        }

        await using var again = await Side.OpenAsync(_scratch["two"], _scratch["second"]);
        var report = await again.RestoreAsync(Cancel);
        Assert.Equal((8, 0), (report.Restored, report.Failed));
        foreach (var ((key, version), bytes) in contents)
        {
            var found = (await again.Store.FindAsync("lab", key, version, Cancel)).Value!;
            Assert.Equal(bytes.Length, found.Size);
            Assert.Equal(bytes, await again.ReadAsync(found));
        }
        Assert.Equal(Versioning.Enabled, (await again.Store.FindBucketAsync("lab", Cancel))!.Versioning);
        Assert.True((await again.Store.FindAsync("lab", "empty", null, Cancel)).Value?.IsDeleteMarker);
        Assert.Equal((0, 8), await again.RestoreAsync(Cancel) is var second ? (second.Restored, second.Known) : default);
        Assert.Equal(0, (await again.VerifyAsync(Cancel)).Faults);
    }

    [Fact]
    public async Task A_deleted_version_takes_its_manifest_with_it()
    {
        await using var side = await Side.OpenAsync(_scratch["one"], _scratch["second"]);
        await side.Store.CreateBucketAsync("lab", "ada", CannedAcl.Private, Cancel);
        await side.Store.ChangeBucketAsync("lab", new BucketChange { Replicate = ["second"] }, Cancel);
        await side.PutAsync("k", [1, 2, 3]);
        await side.ReplicateAsync(Cancel);
        Assert.Contains(side.Folder.Keys(), key => key.StartsWith("buckets/lab/objects/k/", StringComparison.Ordinal));
        await side.Store.DeleteAsync("lab", "k", null, WriteConditions.None, Cancel);
        await side.ReplicateAsync(Cancel);
        Assert.DoesNotContain(side.Folder.Keys(), key => key.StartsWith("buckets/lab/objects/", StringComparison.Ordinal));
    }

    private sealed class Side : IAsyncDisposable
    {
        private readonly SqliteDatabase _main;
        private readonly ReplicationService _service;
        private readonly string _data;

        private Side(string data, string second, SqliteDatabase main, ObjectStore store)
        {
            (_data, _main, Store, Folder) = (data, main, store, new PlainFolder("second", second));
            _service = new ReplicationService([new ReplicaTarget(Folder, new ProviderHealth(TimeProvider.System), false, false)], new OutboxStore(main, TimeProvider.System), Bench.Quick, TimeProvider.System,
                NullLogger<ReplicationService>.Instance);
            _service.Add(new BucketOriginals(store, new OutboxStore(store.Database, TimeProvider.System)));
        }

        public ObjectStore Store { get; }

        public PlainFolder Folder { get; }

        public static async Task<Side> OpenAsync(string data, string second)
        {
            Directory.CreateDirectory(data);
            var main = await SqliteDatabase.OpenAsync(Path.Combine(data, "dure.db"), Cancel);
            await Migrations.ApplyAsync(main, TimeProvider.System, Cancel);
            var store = await ObjectStore.OpenAsync(new StoreOptions(Path.Combine(data, "store"), 64 << 10, TimeSpan.FromDays(7), () => false), TimeProvider.System, NullLogger.Instance, Cancel);
            Assert.True(store.Ok, store.Problem?.Detail);
            return new Side(data, second, main, store.Value);
        }

        public async Task<string> PutAsync(string key, byte[] bytes)
        {
            var put = await Store.PutAsync("lab", New(key), Body(bytes), Cancel);
            Assert.Null(put.Fault);
            return put.Value!.VersionId;
        }

        public async Task MultipartAsync(Dictionary<(string Key, string? Version), byte[]> contents)
        {
            var (one, two) = (RandomNumberGenerator.GetBytes(5 << 20), RandomNumberGenerator.GetBytes(1000));
            var upload = (await Store.BeginUploadAsync("lab", New("large"), null, null, Cancel)).Value!;
            var parts = new List<NamedPart>();
            foreach (var bytes in new[] { one, two })
                parts.Add(new NamedPart(parts.Count + 1, (await Store.PutPartAsync("lab", "large", upload.Id, parts.Count + 1, Body(bytes), Cancel)).Value!.ETag, []));
            var made = await Store.CompleteAsync("lab", "large", upload.Id, parts, null, WriteConditions.None, Cancel);
            Assert.Null(made.Fault);
            contents[("large", made.Value!.VersionId)] = [.. one, .. two];
        }

        public async Task<byte[]> ReadAsync(StoredObject what)
        {
            var opened = await Store.OpenAsync(what, 0, what.Size, Cancel);
            Assert.Null(opened.Fault);
            await using var reader = opened.Value!;
            var kept = new MemoryStream();
            var writer = System.IO.Pipelines.PipeWriter.Create(kept, new System.IO.Pipelines.StreamPipeWriterOptions(leaveOpen: true));
            Assert.True(await reader.CopyToAsync(writer, Cancel));
            await writer.CompleteAsync();
            return kept.ToArray();
        }

        public async Task ReplicateAsync(CancellationToken cancel)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            var running = _service.RunAsync(stop.Token);
            while (await Store.Database.ReadAsync(static s => s.ScalarAsync<long>("SELECT COUNT(*) FROM replication"), cancel) > 0)
                await Task.Delay(10, cancel);
            await stop.CancelAsync();
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        public async Task<VerifyReport> VerifyAsync(CancellationToken cancel) => (await TellAsync(lines => Reconcile().VerifyAsync("second", full: true, lines, cancel))).Verify!;

        public async Task<RestoreReport> RestoreAsync(CancellationToken cancel) => (await TellAsync(lines => Reconcile().RestoreAsync("second", dryRun: false, lines, cancel))).Restore!;

        public async ValueTask DisposeAsync()
        {
            _service.Dispose();
            await Store.DisposeAsync();
            await _main.DisposeAsync();
        }

        private static NewObject New(string key) => new(key, "ada", ObjectHeaders.None, CannedAcl.Private, new Dictionary<string, string>(StringComparer.Ordinal), WriteConditions.None);

        private static IncomingBody Body(byte[] bytes) => new(new MemoryStream(bytes), bytes.Length, null, [], _ => null);

        private static async Task<StorageLine> TellAsync(Func<StorageLines, Task<Dure.Host.Problem?>> work)
        {
            StorageLine? last = null;
            Assert.Null(await work(new StorageLines(line =>
            {
                last = line;
                return default;
            })));
            return last!;
        }

        private Reconciliation Reconcile() => new(_service, _data, TimeProvider.System);
    }
}
