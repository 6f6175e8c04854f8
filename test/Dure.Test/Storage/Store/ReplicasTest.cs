using Dure.Storage.Replication;
using Dure.Storage.Store;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Storage.Store;

public sealed class ReplicasTest : StoreTest
{
    [Fact]
    public async Task A_write_and_its_rows_of_the_outbox_are_one()
    {
        var grew = 0;
        Store.OutboxGrew = () => Interlocked.Increment(ref grew);
        await PutAsync("before", "1");
        Assert.Empty(await OutboxAsync());
        await ChangeAsync(new BucketChange { Replicate = ["second"] });
        var rows = await OutboxAsync();
        Assert.Contains(rows, row => row.Kind == OutboxKind.Manifest && row.Name == ReplicaKeys.Bucket(B));
        Assert.Contains(rows, row => row.Kind == OutboxKind.Blob && row.Bytes == 1);
        await ClearAsync();
        var put = await PutAsync("ü/k", Bytes(100_000));
        rows = await OutboxAsync();
        Assert.Equal((OutboxKind.Blob, put.Sha256, 100_000), (rows[0].Kind, rows[0].Name, rows[0].Bytes));
        var manifest = ObjectManifest.Parse(rows[1].Body!)!;
        Assert.Equal((ReplicaKeys.Version(B, "ü/k", put.Id), put.ETag), (rows[1].Name, manifest.ETag));
        Assert.Equal(put.Sha256, Assert.Single(manifest.Contents).Sha256);
        Assert.True(grew >= 2);
        await ClearAsync();
        await Store.SetTagsAsync(B, "ü/k", null, new Dictionary<string, string> { ["a"] = "b" }, Cancel);
        Assert.Equal("b", ObjectManifest.Parse(Assert.Single(await OutboxAsync()).Body!)!.Tags["a"]);
        await ClearAsync();
        await DeleteAsync("ü/k");
        Assert.Equal((OutboxKind.RemoveManifest, ReplicaKeys.Version(B, "ü/k", put.Id)), (Assert.Single(await OutboxAsync()) is var row ? row.Kind : default, row.Name));
    }

    [Fact]
    public async Task Bytes_that_a_provider_has_not_got_yet_are_not_removed()
    {
        await ChangeAsync(new BucketChange { Replicate = ["second"] });
        foreach (var length in new[] { 1000, 100_000 })
        {
            await ClearAsync();
            var bytes = Bytes(length);
            var put = await PutAsync("k", bytes);
            await DeleteAsync("k");
            await Store.CollectAsync(TimeSpan.Zero, Cancel);
            await using (var kept = (await Store.OpenContentAsync(put.Sha256, Cancel))!)
            {
                var copy = new MemoryStream();
                await kept.CopyToAsync(copy, Cancel);
                Assert.Equal(bytes, copy.ToArray());
            }
            await ClearAsync();
            await Store.CollectAsync(TimeSpan.Zero, Cancel);
            Assert.Null(await Store.OpenContentAsync(put.Sha256, Cancel));
            Assert.Equal(0, (await Store.UsageAsync(Cancel)).Garbage);
        }
        Assert.Empty(Files());
    }

    [Fact]
    public async Task Everything_can_be_made_again_from_manifests_and_bytes()
    {
        await ChangeAsync(new BucketChange { Replicate = ["second"], Versioning = Versioning.Enabled });
        await PutAsync("k", "1");
        await PutAsync("k", Bytes(100_000));
        await DeleteAsync("k");
        var multi = await MultipartAsync();
        using var folder = new Scratch();
        await using var other = await OpenStoreAsync(folder["s"], static () => false);
        var rows = await OutboxAsync();
        foreach (var bucket in rows.Where(row => row.Name == ReplicaKeys.Bucket(B)))
        {
            Assert.Null(await other.ImportBucketAsync(BucketManifest.Parse(bucket.Body!)! with { Replicate = [] }, Cancel));
        }
        var manifests = rows.Where(row => row.Kind == OutboxKind.Manifest && row.Name != ReplicaKeys.Bucket(B)).Select(row => ObjectManifest.Parse(row.Body!)!).ToList();
        foreach (var manifest in manifests.Concat(manifests).OrderBy(_ => Random.Shared.Next()).ToList())
        {
            var content = new MemoryStream();
            foreach (var piece in manifest.Contents)
            {
                await using var stream = (await Store.OpenContentAsync(piece.Sha256, Cancel))!;
                await stream.CopyToAsync(content, Cancel);
            }
            content.Position = 0;
            Assert.Null(await other.ImportAsync(manifest, content, Cancel));
        }
        var (mine, theirs) = (await VersionsAsync(Store), await VersionsAsync(other));
        Assert.Equal(mine.Select(Face), theirs.Select(Face));
        foreach (var (here, there) in mine.Zip(theirs).Where(pair => !pair.First.IsDeleteMarker))
        {
            Assert.Equal(await ReadAsync(Store, here), await ReadAsync(other, there));
        }
        Assert.Equal(multi.Parts.Select(part => part.ETag), (await other.FindAsync(B, "multi", null, Cancel)).Value!.Parts.Select(part => part.ETag), StringComparer.Ordinal);
        Assert.Equal((await BucketAsync()).UsedBytes, (await other.FindBucketAsync(B, Cancel))!.UsedBytes);
        Assert.True((await other.PutAsync(B, New("k"), Body([1]), Cancel)).Value!.Id > mine.Max(version => version.Id));
    }

    [Fact]
    public async Task An_import_of_wrong_bytes_is_refused()
    {
        await ChangeAsync(new BucketChange { Replicate = ["second"] });
        await PutAsync("k", Bytes(100_000));
        var manifest = ObjectManifest.Parse((await OutboxAsync())[^1].Body!)! with { Id = 7, Key = "again" };
        Assert.Equal(StoreFault.Sha256Mismatch, await Store.ImportAsync(manifest, new MemoryStream(new byte[100_000]), Cancel));
        Assert.Equal(StoreFault.IncompleteBody, await Store.ImportAsync(manifest, new MemoryStream(new byte[9]), Cancel));
        Assert.Single(Files());
        Assert.Null(ObjectManifest.Parse("{"));
    }

    private async Task<StoredObject> MultipartAsync()
    {
        var upload = (await Store.BeginUploadAsync(B, New("multi"), null, null, Cancel)).Value!;
        var one = (await Store.PutPartAsync(B, "multi", upload.Id, 1, Body(Bytes(5 << 20)), Cancel)).Value!;
        var two = (await Store.PutPartAsync(B, "multi", upload.Id, 2, Body(Bytes(9)), Cancel)).Value!;
        return (await Store.CompleteAsync(B, "multi", upload.Id, [new(1, one.ETag, []), new(2, two.ETag, [])], null, WriteConditions.None, Cancel)).Value!;
    }

    private static (long, string, string, bool, bool, string, DateTimeOffset) Face(StoredObject version) =>
        (version.Id, version.Key, version.VersionId, version.IsLatest, version.IsDeleteMarker, version.ETag, version.ModifiedAt);

    private static async Task<IReadOnlyList<StoredObject>> VersionsAsync(ObjectStore store) => (await store.ListVersionsAsync(B, new ListVersions("", "", "", "", 1000), Cancel)).Value!.Versions;

    private ValueTask<List<OutboxEntry>> OutboxAsync() => Store.Database.ReadAsync(static s => s.QueryAsync("SELECT kind, provider, name, bytes, body FROM replication ORDER BY id",
        static row => new OutboxEntry((OutboxKind)row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetInt64(3), row.IsDBNull(4) ? null : row.GetString(4))), Cancel);

    private async Task ClearAsync() => await Store.Database.WriteAsync(static s => s.ExecuteAsync("DELETE FROM replication"), cancel: Cancel);
}
