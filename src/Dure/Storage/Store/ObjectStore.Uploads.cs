using Dure.Host.Data;
using Dure.Storage.Checksums;

namespace Dure.Storage.Store;

public sealed partial class ObjectStore
{
    public ValueTask<Stored<Upload>> BeginUploadAsync(string bucket, NewObject what, ChecksumKind? kind, ChecksumType? type, CancellationToken cancel)
    {
        var (id, now) = (_ids.Next(), Now());
        return _options.RefuseWork() ? new(StoreFault.NoRoom) : CommitAsync<Upload>(async s =>
        {
            if (await BucketAsync(s, bucket) is not { } found)
                return StoreFault.NoSuchBucket;
            var upload = new Upload(Ids.Name(id), found.Id, what.Key, what.Owner, Rows.Moment(now), what.Headers, what.Acl, what.Tags, kind, type);
            await UploadTable.InsertAsync(s, id, upload, now);
            return upload;
        }, inline: false, cancel);
    }

    public ValueTask<Stored<Upload>> FindUploadAsync(string bucket, string key, string uploadId, CancellationToken cancel) => _database.ReadAsync<Stored<Upload>>(async s =>
    {
        var (_, upload, fault) = await UploadTable.FindOpenAsync(s, bucket, key, uploadId);
        return fault is null ? upload!.Upload : fault.Value;
    }, cancel);

    /// <summary>Keeps a part; one with the same number is replaced.</summary>
    public async ValueTask<Stored<UploadedPart>> PutPartAsync(string bucket, string key, string uploadId, int number, IncomingBody body, CancellationToken cancel)
    {
        if (_options.RefuseWork())
            return StoreFault.NoRoom;
        if (number is < 1 or > 10_000)
            return StoreFault.InvalidPart;
        var early = await _database.ReadAsync(s => RefusalAsync(s, bucket, key, uploadId, number, body.Length ?? 0), cancel);
        if (early is not null)
            return early.Value;
        var (content, fault) = await _intake.TakeAsync(body, cancel);
        if (fault is not null)
            return fault.Value;
        try
        {
            var (id, now) = (content!.FileId != 0 ? content.FileId : _ids.Next(), Now());
            var part = new UploadedPart(number, content.Size, content.ETag, content.Sha256, Rows.Moment(now), content.Checksums);
            var put = await CommitAsync<UploadedPart>(async s =>
            {
                if (await RefusalAsync(s, bucket, key, uploadId, number, content.Size) is { } refused)
                    return refused;
                var (found, upload, _) = await UploadTable.FindOpenAsync(s, bucket, key, uploadId);
                if (await UploadTable.PartAsync(s, upload!.Id, number) is { } old)
                    await UploadTable.RemovePartAsync(s, found!, old, now);
                await VersionTable.InsertContentAsync(s, content, id, upload.Id, number, part, replicated: false);
                await s.ExecuteAsync("UPDATE buckets SET used_bytes = used_bytes + $2 WHERE id = $1", found!.Id, content.Size);
                await s.ExecuteAsync("UPDATE uploads SET touched_at = $2 WHERE id = $1", upload.Id, now);
                return part;
            }, content.FileId == 0, cancel);
            if (put.Fault is not null)
                _intake.Discard(content);
            return put;
        }
        finally
        {
            content!.Release();
        }
    }

    /// <summary>Makes a part of a range of an object.</summary>
    public async ValueTask<Stored<UploadedPart>> CopyPartAsync(StoredObject source, long offset, long length, string bucket, string key, string uploadId, int number, CancellationToken cancel)
    {
        var upload = await FindUploadAsync(bucket, key, uploadId, cancel);
        if (upload.Fault is not null)
            return upload.Fault.Value;
        var (segments, fault) = await OpenSegmentsAsync(source, offset, length, cancel);
        if (fault is not null)
            return fault.Value;
        await using var stream = new SegmentStream(segments!, length);
        IReadOnlyList<ChecksumKind> compute = upload.Value!.ChecksumKind is { } kind ? [kind] : [];
        return await PutPartAsync(bucket, key, uploadId, number, new IncomingBody(stream, length, null, compute, static _ => null), cancel);
    }

    public ValueTask<Stored<IReadOnlyList<UploadedPart>>> ListPartsAsync(string bucket, string key, string uploadId, int after, int limit, CancellationToken cancel) =>
        _database.ReadAsync(async s =>
        {
            var (_, upload, fault) = await UploadTable.FindOpenAsync(s, bucket, key, uploadId);
            return fault is not null ? new Stored<IReadOnlyList<UploadedPart>>(null, fault)
                : new([.. (await UploadTable.PartsAsync(s, upload!.Id, after, limit)).Select(static row => row.Part)], null);
        }, cancel);

    /// <summary>Makes the object of the named parts, durably, and removes the upload. The parts' files become the object's: nothing is copied.
    /// The same completion again, within a day and while the object is there, answers the same object.</summary>
    /// <param name="whole">The full-object checksum that the client claims; null for none.</param>
    public async ValueTask<Stored<StoredObject>> CompleteAsync(string bucket, string key, string uploadId, IReadOnlyList<NamedPart> parts, ObjectChecksum? whole, WriteConditions conditions, CancellationToken cancel)
    {
        var grew = false;
        var completed = await CommitAsync<StoredObject>(async s =>
        {
            var place = await VersionTable.FindAsync(s, bucket, key);
            if (place.Bucket is null)
                return StoreFault.NoSuchBucket;
            var upload = await UploadTable.FindAsync(s, place.Bucket.Id, key, uploadId);
            if (upload is null)
                return StoreFault.NoSuchUpload;
            if (upload.ObjectId is { } made)
                return upload.Named == Completion.Name(parts) && await FindByIdAsync(s, made) is { } again ? again : StoreFault.NoSuchUpload;
            var stored = (await UploadTable.PartsAsync(s, upload.Id, 0, int.MaxValue)).ToDictionary(static row => row.Part.Number);
            var (completion, fault) = Completion.Of(upload.Upload, stored, parts, whole, _options.PartBytesLeast);
            if (fault is not null)
                return fault.Value;
            var replaced = await VersionTable.ReplacedAsync(s, place.Bucket, key, place.Latest);
            if (Refusal(place, conditions, replaced, 0, wasThere: false) is { } refused)
                return refused;
            grew = place.Bucket.Replicate.Count > 0;
            return await MakeAsync(s, place, replaced, upload, stored, completion!, Completion.Name(parts));
        }, inline: false, cancel);
        if (grew)
            OutboxGrew?.Invoke();
        return completed;
    }

    public async ValueTask<StoreFault?> AbortAsync(string bucket, string key, string uploadId, CancellationToken cancel)
    {
        var now = Now();
        return await ChangeAsync(async s =>
        {
            var (_, upload, fault) = await UploadTable.FindOpenAsync(s, bucket, key, uploadId);
            if (fault is not null)
                return fault.Value;
            await UploadTable.RemoveAsync(s, upload!.Id, now);
            return false;
        }, cancel);
    }

    private static async ValueTask<StoreFault?> RefusalAsync(DbSession s, string bucket, string key, string uploadId, int number, long bytes)
    {
        var (found, upload, fault) = await UploadTable.FindOpenAsync(s, bucket, key, uploadId);
        if (fault is not null)
            return fault;
        if (found!.QuotaBytes is not { } quota)
            return null;
        var old = await UploadTable.PartAsync(s, upload!.Id, number);
        return found.UsedBytes + bytes - (old?.Part.Size ?? 0) > quota ? StoreFault.QuotaExceeded : null;
    }

    private static async ValueTask<StoredObject?> FindByIdAsync(DbSession s, long id)
    {
        var found = await s.FirstAsync($"SELECT {Rows.ObjectColumns} FROM objects o WHERE o.id = $1", Rows.Object, id);
        return found is null ? null : found with { Parts = await VersionTable.PartsAsync(s, found.GroupId) };
    }

    private async ValueTask<StoredObject> MakeAsync(DbSession s, Place place, StoredObject? replaced, UploadRow row, Dictionary<int, PartRow> stored, Completion completion, string name)
    {
        var (upload, now) = (row.Upload, Now());
        var named = completion.Parts.Select(static part => part.Part.Number).ToHashSet();
        foreach (var part in stored.Values.Where(part => !named.Contains(part.Part.Number)))
            await UploadTable.RemovePartAsync(s, place.Bucket!, part, now);
        await s.ExecuteAsync("UPDATE uploads SET touched_at = $2, named = $3 WHERE id = $1", row.Id, now, name);
        var what = new NewObject(upload.Key, upload.Owner, upload.Headers, upload.Acl, upload.Tags, WriteConditions.None);
        // The bucket counts the parts' bytes already.
        var draft = new Draft(what, null, IsMarker: false, completion.Size, completion.ETag, "", completion.Checksums, row.Id, completion.StoredParts, 0);
        var made = await _versions.InsertAsync(s, place.Bucket!, place.Latest, replaced, draft);
        await s.ExecuteAsync("UPDATE uploads SET object_id = $2 WHERE id = $1", row.Id, made.Id);
        return made;
    }
}
