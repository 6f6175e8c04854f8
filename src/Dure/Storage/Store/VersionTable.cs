using Dure.Host.Data;
using Dure.Storage.Replication;

namespace Dure.Storage.Store;

/// <summary>A bucket and the latest version of a key in it; each null when there is none.</summary>
internal sealed record Place(Bucket? Bucket, StoredObject? Latest);

/// <summary>A version about to be made.</summary>
/// <param name="Content">Its bytes; null for a delete marker and for a multipart object.</param>
/// <param name="GroupId">The upload's, of a multipart object; 0 otherwise.</param>
/// <param name="NewBytes">Those that the bucket did not count before.</param>
internal sealed record Draft(NewObject What, Content? Content, bool IsMarker, long Size, string ETag, string Sha256, IReadOnlyList<Checksums.ObjectChecksum> Checksums,
    long GroupId, IReadOnlyList<StoredPart> Parts, long NewBytes);

/// <summary>
/// The versions of keys. Every method runs in the transaction of a write, which shares it with others: a fault must be found before
/// the first row is changed.
/// </summary>
internal sealed class VersionTable(Ids ids, TimeProvider time)
{
    /// <summary>The version id of what is written while versioning is off or suspended.</summary>
    public const string Null = "null";

    public static async ValueTask<Place> FindAsync(DbSession session, string bucket, string key) => await session.FirstAsync(
        $"SELECT {Rows.BucketColumns}, {Rows.ObjectColumns} FROM buckets b LEFT JOIN objects o ON o.bucket_id = b.id AND o.key = $2 AND o.is_latest = 1 WHERE b.name = $1",
        static row => new Place(Rows.Bucket(row), row.IsDBNull(Rows.BucketWidth) ? null : Rows.Object(row, Rows.BucketWidth)), bucket, key) ?? new Place(null, null);

    public static ValueTask<StoredObject?> FindNullAsync(DbSession session, long bucket, string key) => session.FirstAsync(
        $"SELECT {Rows.ObjectColumns} FROM objects o WHERE o.bucket_id = $1 AND o.key = $2 AND o.version_id = 'null'", Rows.Object, bucket, key);

    public static ValueTask<StoredObject?> FindVersionAsync(DbSession session, long bucket, string key, string versionId) =>
        versionId == Null ? FindNullAsync(session, bucket, key) : session.FirstAsync(
            $"SELECT {Rows.ObjectColumns} FROM objects o WHERE o.id = $1 AND o.bucket_id = $2 AND o.key = $3 AND o.version_id = $4", Rows.Object, Ids.Of(versionId), bucket, key, versionId);

    /// <summary>What a new version would replace: with versioning off or suspended there is one null version of a key.</summary>
    public static async ValueTask<StoredObject?> ReplacedAsync(DbSession session, Bucket bucket, string key, StoredObject? latest)
    {
        if (bucket.Versioning == Versioning.Enabled || latest is null)
            return null;
        return latest.VersionId == Null ? latest : await FindNullAsync(session, bucket.Id, key);
    }

    /// <summary>Whether the bucket has room, given what is replaced.</summary>
    public static bool Fits(Bucket bucket, long newBytes, StoredObject? replaced) =>
        bucket.QuotaBytes is not { } quota || newBytes == 0 || bucket.UsedBytes + newBytes - (replaced?.Size ?? 0) <= quota;

    /// <summary>Makes the version the latest of its key.</summary>
    public async ValueTask<StoredObject> InsertAsync(DbSession session, Bucket bucket, StoredObject? latest, StoredObject? replaced, Draft draft)
    {
        if (replaced is not null)
            await RemoveAsync(session, bucket, replaced);
        if (latest is not null && latest.Id != replaced?.Id)
            await session.ExecuteAsync("UPDATE objects SET is_latest = 0 WHERE id = $1", latest.Id);
        var (id, what) = (ids.Next(), draft.What);
        var version = bucket.Versioning == Versioning.Enabled ? Ids.Name(id) : Null;
        var group = draft.GroupId != 0 ? draft.GroupId : draft.Content is not { } content ? 0 : content.FileId != 0 ? content.FileId : id;
        var made = new StoredObject(id, bucket.Id, what.Key, version, IsLatest: true, draft.IsMarker, draft.Size, draft.ETag, draft.Sha256, Rows.Moment(Now()), what.Owner,
            what.Acl, what.Headers, draft.Checksums, what.Tags, draft.Parts) { GroupId = group, PartCount = draft.Parts.Count };
        await InsertRowAsync(session, made);
        if (draft.Content is not null)
            await InsertContentAsync(session, draft.Content, group, group, 0, null, bucket.Replicate.Count > 0);
        if (!draft.IsMarker)
            await session.ExecuteAsync("UPDATE buckets SET used_bytes = used_bytes + $2, objects = objects + 1 WHERE id = $1", bucket.Id, draft.NewBytes);
        if (bucket.Replicate.Count == 0)
            return made;
        if (draft.GroupId != 0)
            await Replicas.MarkAsync(session, made);
        await Replicas.AddAsync(session, bucket, made, bucket.Replicate, withBytes: true, Now());
        return made;
    }

    public static ValueTask<int> InsertRowAsync(DbSession session, StoredObject made) => session.ExecuteAsync(
        "INSERT INTO objects (id, bucket_id, key, version_id, is_latest, is_marker, size, etag, sha256, modified_at, owner, acl, about, tags, group_id, parts) " +
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        made.Id, made.BucketId, made.Key, made.VersionId, made.IsLatest, made.IsDeleteMarker, made.Size, made.ETag, made.Sha256, made.ModifiedAt.ToUnixTimeMilliseconds(), made.Owner,
        (long)made.Acl, Rows.Json(made.Headers, made.Checksums), Rows.Json(made.Tags), made.GroupId, made.PartCount);

    /// <summary>Keeps bytes.</summary>
    /// <param name="part">When they are a part; null otherwise.</param>
    public static async ValueTask InsertContentAsync(DbSession session, Content content, long id, long group, int number, UploadedPart? part, bool replicated)
    {
        await session.ExecuteAsync(
            "INSERT INTO contents (id, group_id, number, size, sha256, is_file, replicated, etag, checksums, modified_at, crcs, bytes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            id, group, number, content.Size, content.Sha256, content.FileId != 0, replicated, part?.ETag, part is null ? null : Rows.Json(part.Checksums),
            part?.ModifiedAt.ToUnixTimeMilliseconds(), content.Crcs,
            content.FileId != 0 ? null : (object)content.Bytes);
        if (replicated)
            await session.ExecuteAsync("INSERT INTO digests (sha256, content_id) VALUES ($1, $2)", content.Sha256, id);
    }

    /// <summary>Removes a version; who is the latest now is the caller's affair.</summary>
    public async ValueTask RemoveAsync(DbSession session, Bucket bucket, StoredObject gone)
    {
        await session.ExecuteAsync("DELETE FROM objects WHERE id = $1", gone.Id);
        if (!gone.IsDeleteMarker)
        {
            if (gone.PartCount > 0)
                await session.ExecuteAsync("INSERT INTO garbage (content_id, at) SELECT id, $2 FROM contents WHERE group_id = $1 AND number > 0", gone.GroupId, Now());
            else
                await RemoveContentAsync(session, gone.GroupId);
            await session.ExecuteAsync("UPDATE buckets SET used_bytes = used_bytes - $2, objects = objects - 1 WHERE id = $1", bucket.Id, gone.Size);
        }
        foreach (var provider in bucket.Replicate)
            await Outbox.AddAsync(session, new OutboxEntry(OutboxKind.RemoveManifest, provider, ReplicaKeys.Version(bucket.Name, gone.Key, gone.Id), 0), Now());
    }

    /// <summary>Removes bytes in the database at once, and those in a file after the commit. What a provider may still be waiting for is left to the collector too.</summary>
    public async ValueTask RemoveContentAsync(DbSession session, long id)
    {
        if (await session.ExecuteAsync("DELETE FROM contents WHERE id = $1 AND is_file = 0 AND replicated = 0", id) == 0)
            await session.ExecuteAsync("INSERT INTO garbage (content_id, at) SELECT id, $2 FROM contents WHERE id = $1", id, Now());
    }

    /// <summary>Makes the newest version that is left the latest.</summary>
    public static ValueTask<int> PromoteAsync(DbSession session, long bucket, string key) => session.ExecuteAsync(
        "UPDATE objects SET is_latest = 1 WHERE id = (SELECT id FROM objects WHERE bucket_id = $1 AND key = $2 ORDER BY id DESC LIMIT 1)", bucket, key);

    /// <summary>The parts of a finished multipart object.</summary>
    public static ValueTask<List<StoredPart>> PartsAsync(DbSession session, long group) => session.QueryAsync(
        "SELECT number, size, etag, checksums FROM contents WHERE group_id = $1 AND number > 0 ORDER BY number",
        static row => new StoredPart((int)row.GetInt64(0), row.GetInt64(1), row.GetString(2), Rows.Checksums(row.IsDBNull(3) ? null : row.GetString(3))), group);

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
