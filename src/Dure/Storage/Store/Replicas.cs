using Dure.Host.Data;
using Dure.Storage.Replication;

namespace Dure.Storage.Store;

/// <summary>What goes to the outbox with a write.</summary>
internal static class Replicas
{
    /// <summary>Adds the manifest of a version, and its bytes, for each provider.</summary>
    /// <param name="withBytes">False when only what is said of the bytes has changed.</param>
    /// <param name="now">Unix ms.</param>
    public static async ValueTask AddAsync(DbSession session, Bucket bucket, StoredObject version, IReadOnlyList<string> providers, bool withBytes, long now)
    {
        var contents = version.IsDeleteMarker ? [] : await ContentsAsync(session, version);
        var name = ReplicaKeys.Version(bucket.Name, version.Key, version.Id);
        var body = ManifestOf(bucket.Name, version, contents).ToJson();
        foreach (var provider in providers)
        {
            if (withBytes)
            {
                foreach (var content in contents)
                    await Outbox.AddAsync(session, new OutboxEntry(OutboxKind.Blob, provider, content.Sha256, content.Size), now);
            }
            await Outbox.AddAsync(session, new OutboxEntry(OutboxKind.Manifest, provider, name, System.Text.Encoding.UTF8.GetByteCount(body), body), now);
        }
    }

    /// <summary>Adds the configuration of a bucket.</summary>
    public static async ValueTask AddAsync(DbSession session, Bucket bucket, IReadOnlyList<string> providers, long now)
    {
        var body = ManifestOf(bucket).ToJson();
        foreach (var provider in providers)
            await Outbox.AddAsync(session, new OutboxEntry(OutboxKind.Manifest, provider, ReplicaKeys.Bucket(bucket.Name), System.Text.Encoding.UTF8.GetByteCount(body), body), now);
    }

    /// <summary>Notes that the contents of a version are found by their digests from now on, and stay until providers have them.</summary>
    public static async ValueTask MarkAsync(DbSession session, StoredObject version)
    {
        var which = version.PartCount > 0 ? "group_id = $1 AND number > 0" : "id = $1";
        await session.ExecuteAsync($"INSERT INTO digests (sha256, content_id) SELECT sha256, id FROM contents WHERE {which} AND replicated = 0", version.GroupId);
        await session.ExecuteAsync($"UPDATE contents SET replicated = 1 WHERE {which} AND replicated = 0", version.GroupId);
    }

    /// <summary>The pieces of a version in order.</summary>
    public static async ValueTask<IReadOnlyList<ManifestContent>> ContentsAsync(DbSession session, StoredObject version) => version.PartCount == 0
        ? [new ManifestContent(version.Sha256, version.Size, 0)]
        : await session.QueryAsync("SELECT sha256, size, number FROM contents WHERE group_id = $1 AND number > 0 ORDER BY number",
            static row => new ManifestContent(row.GetString(0), row.GetInt64(1), (int)row.GetInt64(2)), version.GroupId);

    /// <summary>What a provider keeps of a bucket.</summary>
    public static BucketManifest ManifestOf(Bucket bucket) => new()
    {
        Name = bucket.Name,
        Owner = bucket.Owner,
        CreatedAt = bucket.CreatedAt,
        Versioning = bucket.Versioning,
        Acl = bucket.Acl,
        Cors = bucket.Cors,
        Policy = bucket.Policy,
        Tags = bucket.Tags,
        QuotaBytes = bucket.QuotaBytes,
        Replicate = bucket.Replicate,
    };

    /// <summary>What a provider keeps of a version.</summary>
    public static ObjectManifest ManifestOf(string bucket, StoredObject version, IReadOnlyList<ManifestContent> contents) => new()
    {
        Bucket = bucket,
        Key = version.Key,
        Id = version.Id,
        VersionId = version.VersionId,
        IsDeleteMarker = version.IsDeleteMarker,
        Size = version.Size,
        ETag = version.ETag,
        Sha256 = version.Sha256,
        ModifiedAt = version.ModifiedAt,
        Owner = version.Owner,
        Acl = version.Acl,
        Headers = version.Headers,
        Checksums = version.Checksums,
        Tags = version.Tags,
        Parts = version.Parts,
        Contents = contents,
    };
}
