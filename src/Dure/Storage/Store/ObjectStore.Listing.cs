using Dure.Host.Data;

namespace Dure.Storage.Store;

public sealed partial class ObjectStore
{
    public ValueTask<Stored<KeyPage>> ListAsync(string bucket, ListKeys what, CancellationToken cancel) => _database.ReadAsync<Stored<KeyPage>>(async s =>
    {
        if (await BucketAsync(s, bucket) is not { } found)
            return StoreFault.NoSuchBucket;
        var walk = new Walk<StoredObject>(what.Prefix, what.Delimiter, what.Limit, static row => row.Key);
        await walk.RunAsync(walk.StartAfter(what.After), (from, inclusive, below, limit) => s.QueryAsync(
            $"SELECT {Rows.ObjectColumns} FROM objects o WHERE o.bucket_id = $1 AND o.is_latest = 1 AND o.is_marker = 0 AND o.key {(inclusive ? ">=" : ">")} $2{Below(below)} ORDER BY o.key LIMIT $3",
            Rows.Object, Values(below, found.Id, from, limit)));
        return new KeyPage(walk.Items, walk.Prefixes, walk.Next);
    }, cancel);

    /// <summary>Lists versions and delete markers. A key marker alone goes on after all versions of that key.</summary>
    public ValueTask<Stored<VersionPage>> ListVersionsAsync(string bucket, ListVersions what, CancellationToken cancel) => _database.ReadAsync<Stored<VersionPage>>(async s =>
    {
        if (await BucketAsync(s, bucket) is not { } found)
            return StoreFault.NoSuchBucket;
        var walk = new Walk<StoredObject>(what.Prefix, what.Delimiter, what.Limit, static row => row.Key);
        if (what.VersionMarker.Length > 0)
        {
            var id = await IdOfAsync(s, found.Id, what.KeyMarker, what.VersionMarker);
            await walk.FinishAsync(what.KeyMarker, limit => s.QueryAsync(
                $"SELECT {Rows.ObjectColumns} FROM objects o WHERE o.bucket_id = $1 AND o.key = $2 AND o.id < $3 ORDER BY o.id DESC LIMIT $4", Rows.Object, found.Id, what.KeyMarker, id, limit));
        }
        await walk.RunAsync(walk.StartAfter(what.KeyMarker), (from, inclusive, below, limit) => s.QueryAsync(
            $"SELECT {Rows.ObjectColumns} FROM objects o WHERE o.bucket_id = $1 AND o.key {(inclusive ? ">=" : ">")} $2{Below(below)} ORDER BY o.key, o.id DESC LIMIT $3",
            Rows.Object, Values(below, found.Id, from, limit)), async last => await s.QueryAsync(
            $"SELECT {Rows.ObjectColumns} FROM objects o WHERE o.bucket_id = $1 AND o.key = $2 AND o.id < $3 ORDER BY o.id DESC LIMIT $4", Rows.Object, found.Id, last.Key, last.Id, what.Limit + 1));
        return new VersionPage(walk.Items, walk.Prefixes, walk.Next, walk.Next is null ? null : walk.LastItem?.VersionId);
    }, cancel);

    public ValueTask<Stored<UploadPage>> ListUploadsAsync(string bucket, ListUploads what, CancellationToken cancel) => _database.ReadAsync<Stored<UploadPage>>(async s =>
    {
        if (await BucketAsync(s, bucket) is not { } found)
            return StoreFault.NoSuchBucket;
        var walk = new Walk<Upload>(what.Prefix, what.Delimiter, what.Limit, static row => row.Key);
        const string Rest = $"SELECT {Rows.UploadColumns} FROM uploads u WHERE u.object_id IS NULL AND u.bucket_id = $1 AND u.key = $2 AND u.id > $3 ORDER BY u.id LIMIT $4";
        if (what.KeyMarker.Length > 0 && Ids.Of(what.UploadMarker) is var id and > 0)
            await walk.FinishAsync(what.KeyMarker, limit => s.QueryAsync(Rest, Rows.Upload, found.Id, what.KeyMarker, id, limit));
        await walk.RunAsync(walk.StartAfter(what.KeyMarker), (from, inclusive, below, limit) => s.QueryAsync(
            $"SELECT {Rows.UploadColumns} FROM uploads u WHERE u.object_id IS NULL AND u.bucket_id = $1 AND u.key {(inclusive ? ">=" : ">")} $2{Below(below)} ORDER BY u.key, u.id LIMIT $3",
            Rows.Upload, Values(below, found.Id, from, limit)), async last => await s.QueryAsync(Rest, Rows.Upload, found.Id, last.Key, Ids.Of(last.Id), what.Limit + 1));
        return new UploadPage(walk.Items, walk.Prefixes, walk.Next, walk.Next is null ? null : walk.LastItem?.Id);
    }, cancel);

    // A marker that is deleted meanwhile and does not say its number begins the key anew: to see a version twice is better than not to see it.
    private static async ValueTask<long> IdOfAsync(DbSession s, long bucket, string key, string versionId) =>
        (versionId != VersionTable.Null ? Ids.Of(versionId) : (await VersionTable.FindNullAsync(s, bucket, key))?.Id ?? 0) is var id and > 0 ? id : long.MaxValue;

    private static string Below(string? below) => below is null ? "" : " AND key < $4";

    private static object?[] Values(string? below, long bucket, string from, int limit) => below is null ? [bucket, from, limit] : [bucket, from, limit, below];
}
