using Dure.Host.Data;

namespace Dure.Storage.Store;

/// <summary>An upload's row.</summary>
/// <param name="ObjectId">What it became; null while it is under way.</param>
/// <param name="Named">The parts that it was completed with.</param>
internal sealed record UploadRow(long Id, Upload Upload, long? ObjectId, string? Named);

/// <summary>A part's row.</summary>
internal sealed record PartRow(long ContentId, UploadedPart Part);

/// <summary>Multipart uploads. Every method runs in a transaction.</summary>
internal static class UploadTable
{
    private const string PartColumns = "number, size, etag, sha256, modified_at, checksums, id";

    public static async ValueTask<UploadRow?> FindAsync(DbSession session, long bucket, string key, string uploadId) => await session.FirstAsync(
        $"SELECT {Rows.UploadColumns}, u.id, u.object_id, u.named FROM uploads u WHERE u.id = $1 AND u.upload_id = $2 AND u.bucket_id = $3 AND u.key = $4",
        static row => new UploadRow(row.GetInt64(10), Rows.Upload(row), row.IsDBNull(11) ? null : row.GetInt64(11), row.IsDBNull(12) ? null : row.GetString(12)),
        Ids.Of(uploadId), uploadId, bucket, key);

    /// <summary>The upload, if it is under way, and its bucket.</summary>
    public static async ValueTask<(Bucket? Bucket, UploadRow? Upload, StoreFault? Fault)> FindOpenAsync(DbSession session, string bucket, string key, string uploadId)
    {
        var found = await session.FirstAsync($"SELECT {Rows.BucketColumns} FROM buckets b WHERE b.name = $1", Rows.Bucket, bucket);
        if (found is null)
            return (null, null, StoreFault.NoSuchBucket);
        var upload = await FindAsync(session, found.Id, key, uploadId);
        return upload is null or { ObjectId: not null } ? (found, null, StoreFault.NoSuchUpload) : (found, upload, null);
    }

    public static ValueTask<List<PartRow>> PartsAsync(DbSession session, long upload, int after, int limit) => session.QueryAsync(
        $"SELECT {PartColumns} FROM contents WHERE group_id = $1 AND number > 0 AND number > $2 ORDER BY number LIMIT $3", Part, upload, after, limit);

    public static ValueTask<PartRow?> PartAsync(DbSession session, long upload, int number) => session.FirstAsync(
        $"SELECT {PartColumns} FROM contents WHERE group_id = $1 AND number > 0 AND number = $2", Part, upload, number);

    public static ValueTask<int> InsertAsync(DbSession session, long id, Upload upload, long now) => session.ExecuteAsync(
        "INSERT INTO uploads (id, upload_id, bucket_id, key, owner, started_at, touched_at, headers, acl, tags, checksum_kind, checksum_type) VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $10, $11)",
        id, upload.Id, upload.BucketId, upload.Key, upload.Owner, now, Rows.HeadersJson(upload.Headers), (long)upload.Acl, Rows.Json(upload.Tags), (long?)upload.ChecksumKind, (long?)upload.ChecksumType);

    /// <summary>Takes a part away from its upload, because another has its number or because the object is made without it.</summary>
    public static async ValueTask RemovePartAsync(DbSession session, Bucket bucket, PartRow part, long now)
    {
        // The number is free from now on; a part's bytes are garbage of their own.
        await session.ExecuteAsync("UPDATE contents SET number = 0, group_id = id WHERE id = $1", part.ContentId);
        await session.ExecuteAsync("INSERT INTO garbage (content_id, at) VALUES ($1, $2)", part.ContentId, now);
        await session.ExecuteAsync("UPDATE buckets SET used_bytes = used_bytes - $2 WHERE id = $1", bucket.Id, part.Part.Size);
    }

    /// <summary>Removes an upload under way with all its parts.</summary>
    /// <returns>False when it is not under way any more.</returns>
    public static async ValueTask<bool> RemoveAsync(DbSession session, long upload, long now)
    {
        var bucket = await session.ScalarAsync<long>("SELECT bucket_id FROM uploads WHERE id = $1 AND object_id IS NULL", upload);
        if (bucket == 0)
            return false;
        await session.ExecuteAsync(
            "UPDATE buckets SET used_bytes = used_bytes - (SELECT COALESCE(SUM(size), 0) FROM contents WHERE group_id = $2 AND number > 0) WHERE id = $1", bucket, upload);
        await session.ExecuteAsync("INSERT INTO garbage (content_id, at) SELECT id, $2 FROM contents WHERE group_id = $1 AND number > 0", upload, now);
        await session.ExecuteAsync("DELETE FROM uploads WHERE id = $1", upload);
        return true;
    }

    private static PartRow Part(System.Data.Common.DbDataReader row) => new(row.GetInt64(6), Rows.Part(row));
}
