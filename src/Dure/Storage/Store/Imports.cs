using Dure.Host.Data;
using Dure.Host.Files;

namespace Dure.Storage.Store;

/// <summary>Makes versions again that were made before, in any order.</summary>
internal sealed class Imports(VersionTable versions, Ids ids)
{
    /// <summary>False when it is there already, or another replaced it.</summary>
    public async ValueTask<Stored<bool>> AddAsync(DbSession session, ObjectManifest manifest, IReadOnlyList<Content> contents)
    {
        var place = await VersionTable.FindAsync(session, manifest.Bucket, manifest.Key);
        if (place.Bucket is not { } bucket)
            return StoreFault.NoSuchBucket;
        if (await session.ScalarAsync<long>("SELECT 1 FROM objects WHERE id = $1", manifest.Id) == 1)
            return false;
        if (manifest.VersionId == VersionTable.Null && await VersionTable.FindNullAsync(session, bucket.Id, manifest.Key) is { } other)
        {
            // There is one null version of a key, and the newer is it.
            if (other.Id > manifest.Id)
                return false;
            await versions.RemoveAsync(session, bucket with { Replicate = [] }, other);
        }
        var isPlain = manifest.Parts.Count == 0;
        var group = manifest.IsDeleteMarker ? 0 : isPlain && contents[0].FileId != 0 ? contents[0].FileId : ids.Next();
        var isLatest = place.Latest is null || place.Latest.Id < manifest.Id;
        await session.ExecuteAsync("UPDATE objects SET is_latest = 0 WHERE bucket_id = $1 AND key = $2 AND $3 = 1", bucket.Id, manifest.Key, isLatest);
        var made = new StoredObject(manifest.Id, bucket.Id, manifest.Key, manifest.VersionId, isLatest, manifest.IsDeleteMarker, manifest.Size, manifest.ETag, manifest.Sha256,
            manifest.ModifiedAt, manifest.Owner, manifest.Acl, manifest.Headers, manifest.Checksums, manifest.Tags, manifest.Parts) { GroupId = group, PartCount = manifest.Parts.Count };
        await VersionTable.InsertRowAsync(session, made);
        for (var i = 0; i < contents.Count; i++)
        {
            var id = contents[i].FileId != 0 ? contents[i].FileId : isPlain ? group : ids.Next();
            var part = isPlain ? null : manifest.Parts[i];
            await VersionTable.InsertContentAsync(session, contents[i], id, group, part?.Number ?? 0,
                part is null ? null : new UploadedPart(part.Number, part.Size, part.ETag, contents[i].Sha256, manifest.ModifiedAt, part.Checksums), bucket.Replicate.Count > 0);
        }
        if (!manifest.IsDeleteMarker)
            await session.ExecuteAsync("UPDATE buckets SET used_bytes = used_bytes + $2, objects = objects + 1 WHERE id = $1", bucket.Id, manifest.Size);
        return true;
    }
}

/// <summary>The next bytes of another stream.</summary>
internal sealed class PieceStream(Stream whole, long length) : ForwardStream
{
    private long _at;

    public override long Length => length;

    public override long Position
    {
        get => _at;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_at == length || buffer.IsEmpty)
            return 0;
        var count = await whole.ReadAsync(buffer[..(int)Math.Min(buffer.Length, length - _at)], cancellationToken);
        _at += count;
        return count;
    }
}
