using Dure.Host.Data;
using Dure.Storage.Checksums;

namespace Dure.Storage.Store;

public sealed partial class ObjectStore
{
    /// <summary>Keeps an object: a new version where the bucket has versioning, in place of the old one otherwise.</summary>
    public async ValueTask<Stored<StoredObject>> PutAsync(string bucket, NewObject what, IncomingBody body, CancellationToken cancel)
    {
        if (_options.RefuseWork())
            return StoreFault.NoRoom;
        var wasThere = false;
        // Small bodies are read and checked in the time that it takes to look; only the commit decides.
        if (body.Length is null || body.Length > _options.InlineMax || what.Conditions != WriteConditions.None)
        {
            var place = await _database.ReadAsync(s => VersionTable.FindAsync(s, bucket, what.Key), cancel);
            if (Refusal(place, what.Conditions, place.Bucket?.Versioning == Versioning.Enabled ? null : place.Latest, body.Length ?? 0, wasThere: false) is { } early)
                return early;
            wasThere = place.Latest is { IsDeleteMarker: false };
        }
        var (content, fault) = await _intake.TakeAsync(body, cancel);
        if (fault is not null)
            return fault.Value;
        try
        {
            var draft = new Draft(what, content, IsMarker: false, content!.Size, content.ETag, content.Sha256, content.Checksums, 0, [], content.Size);
            var grew = false;
            var put = await CommitAsync<StoredObject>(async s =>
            {
                var place = await VersionTable.FindAsync(s, bucket, what.Key);
                var replaced = place.Bucket is null ? null : await VersionTable.ReplacedAsync(s, place.Bucket, what.Key, place.Latest);
                if (Refusal(place, what.Conditions, replaced, content.Size, wasThere) is { } refused)
                    return refused;
                grew = place.Bucket!.Replicate.Count > 0;
                return await _versions.InsertAsync(s, place.Bucket, place.Latest, replaced, draft);
            }, content.FileId == 0, cancel);
            if (put.Fault is not null)
                _intake.Discard(content);
            else if (grew)
                OutboxGrew?.Invoke();
            return put;
        }
        finally
        {
            content!.Release();
        }
    }

    /// <summary>Finds a version; the latest when none is named. A latest delete marker is found too.</summary>
    public async ValueTask<Stored<StoredObject>> FindAsync(string bucket, string key, string? versionId, CancellationToken cancel)
    {
        var which = versionId is null ? "o.is_latest = 1" : versionId == VersionTable.Null ? "o.version_id = 'null'" : "o.id = $3 AND o.version_id = $4";
        var sql = $"SELECT {Rows.ObjectColumns}, c.crcs, c.bytes FROM buckets b JOIN objects o ON o.bucket_id = b.id " +
            $"LEFT JOIN contents c ON c.id = o.group_id AND c.is_file = 0 AND o.parts = 0 WHERE b.name = $1 AND o.key = $2 AND {which}";
        return await _database.ReadAsync<Stored<StoredObject>>(async s =>
        {
            var found = versionId is null or VersionTable.Null
                ? await s.FirstAsync(sql, Rows.ObjectAndBytes, bucket, key)
                : await s.FirstAsync(sql, Rows.ObjectAndBytes, bucket, key, Ids.Of(versionId), versionId);
            if (found is null)
                return await BucketAsync(s, bucket) is null ? StoreFault.NoSuchBucket : versionId is null ? StoreFault.NoSuchKey : StoreFault.NoSuchVersion;
            return found.PartCount == 0 ? found : found with { Parts = await VersionTable.PartsAsync(s, found.GroupId) };
        }, cancel);
    }

    /// <summary>Opens the bytes from <paramref name="offset"/>, <paramref name="length"/> of them; each block is checked before it is given.</summary>
    public async ValueTask<Stored<ObjectReader>> OpenAsync(StoredObject what, long offset, long length, CancellationToken cancel)
    {
        var (segments, fault) = await OpenSegmentsAsync(what, offset, length, cancel);
        return fault is null ? new StoredReader(segments!) : fault.Value;
    }

    /// <summary>Copies without the bytes leaving the machine; the checksums are computed anew.</summary>
    public async ValueTask<Stored<StoredObject>> CopyAsync(StoredObject source, string bucket, NewObject what, IReadOnlyList<ChecksumKind> compute, CancellationToken cancel)
    {
        var (segments, fault) = await OpenSegmentsAsync(source, 0, source.Size, cancel);
        if (fault is not null)
            return fault.Value;
        await using var stream = new SegmentStream(segments!, source.Size);
        return await PutAsync(bucket, what, new IncomingBody(stream, source.Size, null, compute, static _ => null), cancel);
    }

    /// <summary>Deletes as S3 does: with versioning a delete marker becomes the latest, a named version is removed for good. What is not there is deleted already.</summary>
    public async ValueTask<Stored<Deleted>> DeleteAsync(string bucket, string key, string? versionId, WriteConditions conditions, CancellationToken cancel)
    {
        var grew = false;
        var deleted = await CommitAsync<Deleted>(async s =>
        {
            var place = await VersionTable.FindAsync(s, bucket, key);
            if (place.Bucket is not { } found)
                return StoreFault.NoSuchBucket;
            grew = found.Replicate.Count > 0;
            return versionId is null ? await DeleteLatestAsync(s, found, place.Latest, key, conditions) : await DeleteVersionAsync(s, found, key, versionId, conditions);
        }, inline: false, cancel);
        if (grew)
            OutboxGrew?.Invoke();
        return deleted;
    }

    public ValueTask<StoreFault?> SetTagsAsync(string bucket, string key, string? versionId, IReadOnlyDictionary<string, string> tags, CancellationToken cancel) =>
        SetAsync(bucket, key, versionId, version => version with { Tags = tags }, cancel);

    public ValueTask<StoreFault?> SetAclAsync(string bucket, string key, string? versionId, CannedAcl acl, CancellationToken cancel) =>
        SetAsync(bucket, key, versionId, version => version with { Acl = acl }, cancel);

    private static StoreFault? Refusal(Place place, WriteConditions conditions, StoredObject? replaced, long newBytes, bool wasThere)
    {
        if (place.Bucket is null)
            return StoreFault.NoSuchBucket;
        if (Conditions.OfWrite(conditions, place.Latest, wasThere) is { } fault)
            return fault;
        return VersionTable.Fits(place.Bucket, newBytes, replaced) ? null : StoreFault.QuotaExceeded;
    }

    private async ValueTask<Stored<Deleted>> DeleteLatestAsync(DbSession s, Bucket bucket, StoredObject? latest, string key, WriteConditions conditions)
    {
        if (Conditions.OfDelete(conditions, latest) is { } fault)
            return fault;
        if (bucket.Versioning == Versioning.Off)
        {
            if (latest is not null)
                await _versions.RemoveAsync(s, bucket, latest);
            return new Deleted(null, false);
        }
        var replaced = await VersionTable.ReplacedAsync(s, bucket, key, latest);
        var marker = new NewObject(key, bucket.Owner, ObjectHeaders.None, CannedAcl.Private, new Dictionary<string, string>(StringComparer.Ordinal), WriteConditions.None);
        var made = await _versions.InsertAsync(s, bucket, latest, replaced, new Draft(marker, null, IsMarker: true, 0, "", "", [], 0, [], 0));
        return new Deleted(made.VersionId, true);
    }

    private async ValueTask<Stored<Deleted>> DeleteVersionAsync(DbSession s, Bucket bucket, string key, string versionId, WriteConditions conditions)
    {
        if (await VersionTable.FindVersionAsync(s, bucket.Id, key, versionId) is not { } version)
            return new Deleted(versionId, false);
        if (Conditions.OfDelete(conditions, version) is { } fault)
            return fault;
        await _versions.RemoveAsync(s, bucket, version);
        if (version.IsLatest)
            await VersionTable.PromoteAsync(s, bucket.Id, key);
        return new Deleted(versionId, version.IsDeleteMarker);
    }

    private ValueTask<StoreFault?> SetAsync(string bucket, string key, string? versionId, Func<StoredObject, StoredObject> change, CancellationToken cancel)
    {
        var now = Now();
        return ChangeAsync(async s =>
        {
            var place = await VersionTable.FindAsync(s, bucket, key);
            if (place.Bucket is not { } found)
                return StoreFault.NoSuchBucket;
            var version = versionId is null ? place.Latest : await VersionTable.FindVersionAsync(s, found.Id, key, versionId);
            if (version is null)
                return versionId is null ? StoreFault.NoSuchKey : StoreFault.NoSuchVersion;
            if (version.IsDeleteMarker)
                return StoreFault.IsDeleteMarker;
            var changed = change(version);
            await s.ExecuteAsync("UPDATE objects SET tags = $2, acl = $3 WHERE id = $1", version.Id, Rows.Json(changed.Tags), (long)changed.Acl);
            if (found.Replicate.Count == 0)
                return false;
            if (changed.PartCount > 0)
                changed = changed with { Parts = await VersionTable.PartsAsync(s, changed.GroupId) };
            await Replicas.AddAsync(s, found, changed, found.Replicate, withBytes: false, now);
            return true;
        }, cancel);
    }

    private async ValueTask<(Segments? Segments, StoreFault? Fault)> OpenSegmentsAsync(StoredObject what, long offset, long length, CancellationToken cancel)
    {
        if (what.IsDeleteMarker)
            return (null, StoreFault.IsDeleteMarker);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, what.Size - offset);
        if (what.PartCount == 0 && what.Inline is not null)
            return (new Segments(_contents, [new Segment(what.GroupId, what.Size)], offset, length, what.Inline, []), null);
        if (!_contents.Pin(what.GroupId))
            return (null, StoreFault.NoSuchKey);
        try
        {
            IReadOnlyList<Segment> list = what.PartCount > 0 ? await _contents.SegmentsAsync(what.GroupId, cancel) : [new Segment(what.GroupId, what.Size)];
            var bytes = what.PartCount > 0 || length == 0 ? null : await _contents.BytesAsync(what.GroupId, cancel);
            if (length == 0 || bytes is not null || (what.PartCount > 0 && list.Count > 0))
                return (new Segments(_contents, list, offset, length, bytes, [what.GroupId]), null);
        }
        catch
        {
            _contents.Unpin(what.GroupId);
            throw;
        }
        _contents.Unpin(what.GroupId);
        return (null, StoreFault.NoSuchKey);
    }
}
