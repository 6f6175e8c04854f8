namespace Dure.Storage.Store;

public sealed partial class ObjectStore
{
    private const int EnqueueBatch = 200;

    /// <summary>The bytes with a digest, of any version or part of a bucket that is replicated, also one that is replaced or deleted meanwhile; null when there are none.
    /// Blocks are checked as they are read; a damaged one throws <see cref="InvalidDataException"/>.</summary>
    public async ValueTask<Stream?> OpenContentAsync(string sha256, CancellationToken cancel)
    {
        // A damaged copy must not hide a good one.
        var rows = await _database.ReadAsync(s => s.QueryAsync(
            "SELECT c.id, c.size, c.group_id FROM digests d JOIN contents c ON c.id = d.content_id WHERE d.sha256 = $1 ORDER BY EXISTS (SELECT 1 FROM corrupt x WHERE x.content_id = c.id), c.id DESC LIMIT 4",
            static row => (Segment: new Segment(row.GetInt64(0), row.GetInt64(1)), Group: row.GetInt64(2)), sha256), cancel);
        foreach (var (segment, group) in rows)
        {
            if (!_contents.Pin(group))
                continue;
            if (segment.Size == 0)
            {
                _contents.Unpin(group);
                return new MemoryStream([], writable: false);
            }
            return new SegmentStream(new Segments(_contents, [segment], 0, segment.Size, null, [group]), segment.Size);
        }
        return null;
    }

    /// <summary>Adds to the outbox what a provider must get of a bucket that was there before it was told to replicate. <see cref="ChangeBucketAsync"/> does it by itself for providers that are new to the bucket.</summary>
    public async ValueTask<StoreFault?> EnqueueAllAsync(string bucket, string provider, CancellationToken cancel)
    {
        var now = Now();
        var last = 0L;
        while (last >= 0)
        {
            cancel.ThrowIfCancellationRequested();
            var after = last;
            var batch = await CommitAsync<long>(async s =>
            {
                if (await BucketAsync(s, bucket) is not { } found)
                    return StoreFault.NoSuchBucket;
                if (after == 0)
                    await Replicas.AddAsync(s, found, [provider], now);
                var versions = await s.QueryAsync($"SELECT {Rows.ObjectColumns} FROM objects o WHERE o.id > $1 AND o.bucket_id = $2 ORDER BY o.id LIMIT $3", Rows.Object, after, found.Id, EnqueueBatch);
                foreach (var row in versions)
                {
                    var version = row.PartCount > 0 ? row with { Parts = await VersionTable.PartsAsync(s, row.GroupId) } : row;
                    if (!version.IsDeleteMarker)
                        await Replicas.MarkAsync(s, version);
                    await Replicas.AddAsync(s, found, version, [provider], withBytes: true, now);
                }
                return versions.Count < EnqueueBatch ? -1 : versions[^1].Id;
            }, inline: false, cancel);
            if (batch.Fault is not null)
                return batch.Fault;
            OutboxGrew?.Invoke();
            last = batch.Value;
        }
        return null;
    }

    /// <summary>Makes a bucket again, or brings the configuration of one that is there to what the manifest says. Nothing goes to the outbox.</summary>
    public ValueTask<StoreFault?> ImportBucketAsync(BucketManifest manifest, CancellationToken cancel) => ChangeAsync(async s =>
    {
        await s.ExecuteAsync("INSERT INTO buckets (name, owner, created_at, versioning, acl, used_bytes, objects) VALUES ($1, $2, $3, 0, 0, 0, 0) ON CONFLICT (name) DO NOTHING",
            manifest.Name, manifest.Owner, manifest.CreatedAt.ToUnixTimeMilliseconds());
        await s.ExecuteAsync("UPDATE buckets SET versioning = $2, acl = $3, cors = $4, policy = $5, tags = $6, quota_bytes = $7, replicate = $8 WHERE name = $1",
            manifest.Name, (long)manifest.Versioning, (long)manifest.Acl, manifest.Cors, manifest.Policy, Rows.Json(manifest.Tags), manifest.QuotaBytes, Rows.Json(manifest.Replicate));
        return false;
    }, cancel);

    /// <summary>Makes a version again, with its id, version id and dates; one that is there already is left as it is. Nothing goes to the outbox.</summary>
    /// <param name="content">All pieces of <see cref="ObjectManifest.Contents"/> one after the other; each is compared with its digest.</param>
    /// <returns>NoSuchBucket, NoRoom, IncompleteBody, Sha256Mismatch; null when it is there.</returns>
    public async ValueTask<StoreFault?> ImportAsync(ObjectManifest manifest, Stream content, CancellationToken cancel)
    {
        if (await _database.ReadAsync(s => s.ScalarAsync<long>("SELECT 1 FROM objects WHERE id = $1", manifest.Id), cancel) == 1)
            return null;
        _ids.Pass(manifest.Id);
        var taken = new List<Content>();
        var kept = false;
        try
        {
            foreach (var piece in manifest.IsDeleteMarker ? [] : manifest.Contents)
            {
                var body = new IncomingBody(new PieceStream(content, piece.Size), piece.Size, null, [],
                    computed => Convert.ToHexStringLower(computed.Sha256) == piece.Sha256 ? null : StoreFault.Sha256Mismatch);
                var (one, fault) = await _intake.TakeAsync(body, cancel);
                if (fault is not null)
                    return fault;
                taken.Add(one!);
            }
            var commit = await CommitAsync<bool>(s => _imports.AddAsync(s, manifest, taken), inline: false, cancel);
            kept = commit is { Fault: null, Value: true };
            return commit.Fault;
        }
        finally
        {
            foreach (var one in taken)
            {
                if (!kept)
                    _intake.Discard(one);
                one.Release();
            }
        }
    }

    public ValueTask<StoreUsage> UsageAsync(CancellationToken cancel) => _database.ReadAsync(async s =>
    {
        var (buckets, objects, bytes) = await s.FirstAsync("SELECT COUNT(*), COALESCE(SUM(objects), 0), COALESCE(SUM(used_bytes), 0) FROM buckets",
            static row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)));
        var (uploads, oldest) = await s.FirstAsync("SELECT COUNT(*), COALESCE(MIN(started_at), 0) FROM uploads WHERE object_id IS NULL", static row => (row.GetInt64(0), row.GetInt64(1)));
        return new StoreUsage(buckets, objects, bytes, uploads, uploads == 0 ? null : Rows.Moment(oldest),
            await s.ScalarAsync<long>("SELECT COUNT(*) FROM garbage"), await s.ScalarAsync<long>("SELECT COUNT(*) FROM corrupt"));
    }, cancel);
}
