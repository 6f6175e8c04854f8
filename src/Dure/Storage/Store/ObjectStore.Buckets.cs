using Dure.Host.Data;

namespace Dure.Storage.Store;

public sealed partial class ObjectStore
{
    public ValueTask<Bucket?> FindBucketAsync(string name, CancellationToken cancel) => _database.ReadAsync(s => BucketAsync(s, name), cancel);

    public async ValueTask<IReadOnlyList<Bucket>> ListBucketsAsync(CancellationToken cancel) =>
        await _database.ReadAsync(static s => s.QueryAsync($"SELECT {Rows.BucketColumns} FROM buckets b ORDER BY b.name", Rows.Bucket), cancel);

    public ValueTask<Stored<Bucket>> CreateBucketAsync(string name, string owner, CannedAcl acl, CancellationToken cancel)
    {
        var now = Now();
        return CommitAsync<Bucket>(async s =>
        {
            if (await BucketAsync(s, name) is not null)
                return StoreFault.BucketExists;
            await s.ExecuteAsync("INSERT INTO buckets (name, owner, created_at, versioning, acl, used_bytes, objects) VALUES ($1, $2, $3, 0, $4, 0, 0)", name, owner, now, (long)acl);
            return (await BucketAsync(s, name))!;
        }, inline: false, cancel);
    }

    /// <summary>Changes a bucket. Providers that are new to it get all that is in it.</summary>
    public async ValueTask<StoreFault?> ChangeBucketAsync(string name, BucketChange change, CancellationToken cancel)
    {
        IReadOnlyList<string> fresh = [];
        var now = Now();
        var fault = await ChangeAsync(async s =>
        {
            if (await BucketAsync(s, name) is not { } old)
                return StoreFault.NoSuchBucket;
            fresh = [.. (change.Replicate ?? []).Except(old.Replicate, StringComparer.Ordinal)];
            await s.ExecuteAsync("UPDATE buckets SET versioning = $2, acl = $3, cors = $4, policy = $5, tags = $6, quota_bytes = $7, replicate = $8 WHERE id = $1",
                old.Id, (long)(change.Versioning ?? old.Versioning), (long)(change.Acl ?? old.Acl), Text(change.Cors, old.Cors), Text(change.Policy, old.Policy),
                Rows.Json(change.Tags ?? old.Tags), change.QuotaBytes is null ? old.QuotaBytes : change.QuotaBytes > 0 ? change.QuotaBytes : null, Rows.Json(change.Replicate ?? old.Replicate));
            var changed = (await BucketAsync(s, name))!;
            await Replicas.AddAsync(s, changed, changed.Replicate, now);
            return changed.Replicate.Count > 0;
        }, cancel);
        foreach (var provider in fresh)
            fault ??= await EnqueueAllAsync(name, provider, cancel);
        return fault;
    }

    /// <summary>Removes an empty bucket and its uploads under way.</summary>
    public ValueTask<StoreFault?> DeleteBucketAsync(string name, CancellationToken cancel)
    {
        var now = Now();
        return ChangeAsync(async s =>
        {
            if (await BucketAsync(s, name) is not { } bucket)
                return StoreFault.NoSuchBucket;
            if (await s.ScalarAsync<long>("SELECT 1 FROM objects WHERE bucket_id = $1 LIMIT 1", bucket.Id) == 1)
                return StoreFault.BucketNotEmpty;
            foreach (var upload in await s.QueryAsync("SELECT id FROM uploads WHERE bucket_id = $1 AND object_id IS NULL", static row => row.GetInt64(0), bucket.Id))
                await UploadTable.RemoveAsync(s, upload, now);
            await s.ExecuteAsync("DELETE FROM buckets WHERE id = $1", bucket.Id);
            foreach (var provider in bucket.Replicate)
                await Replication.Outbox.AddAsync(s, new Replication.OutboxEntry(Replication.OutboxKind.RemoveManifest, provider, Replication.ReplicaKeys.Bucket(name), 0), now);
            return bucket.Replicate.Count > 0;
        }, cancel);
    }

    private static ValueTask<Bucket?> BucketAsync(DbSession session, string name) =>
        session.FirstAsync($"SELECT {Rows.BucketColumns} FROM buckets b WHERE b.name = $1", Rows.Bucket, name);

    private static string? Text(string? change, string? old) => change is null ? old : change.Length == 0 ? null : change;
}
