using Dure.Host.Files;
using Dure.Host;
using Dure.Storage.Store;

namespace Dure.Storage.Replication;

/// <summary>The embedded store's buckets, as what providers get copies of.</summary>
internal sealed class BucketOriginals(ObjectStore store, OutboxStore outbox) : Originals("buckets", outbox)
{
    public override ValueTask<Stream?> OpenAsync(string digest, CancellationToken cancel) => store.OpenContentAsync(digest, cancel);

    public override IAsyncEnumerable<OutboxEntry> WantedAsync(string provider, CancellationToken cancel) => store.WantedAsync(provider, cancel);

    public override async Task<Problem?> MendAsync(string path, string digest, CancellationToken cancel)
    {
        var entry = new OutboxEntry(OutboxKind.Blob, "", digest, new FileInfo(path).Length);
        // The store notes what it could not read whole, and asks for just that.
        if (await Comparison.IsWholeHereAsync(this, entry, cancel))
            return null;
        await store.RepairAsync((asked, _) => new ValueTask<Stream?>(asked == digest ? File.OpenRead(path) : null), cancel);
        return await Comparison.IsWholeHereAsync(this, entry, cancel) ? null : ReplicationErrors.SourceLost.With($"{digest} could not be put back into the store.");
    }

    public override async Task RestoreAsync(Restoration from, CancellationToken cancel)
    {
        var missing = new HashSet<string>(StringComparer.Ordinal);
        await from.ListAsync("buckets/", async key =>
        {
            // buckets/NAME/bucket.json comes before buckets/NAME/objects/ in the order of keys.
            var segments = key.Split('/');
            if (segments is ["buckets", var bucket, "bucket.json"])
                await BucketAsync(from, key, bucket, missing, cancel);
            else if (segments is ["buckets", var holder, "objects", _, _] && !missing.Contains(holder))
                await VersionAsync(from, key, cancel);
        }, cancel);
    }

    private async Task BucketAsync(Restoration from, string key, string bucket, HashSet<string> missing, CancellationToken cancel)
    {
        if (await from.ReadAsync(key, cancel) is not { } text)
        {
            missing.Add(bucket);
            return;
        }
        if (BucketManifest.Parse(text) is not { } manifest || manifest.Name != bucket)
        {
            missing.Add(bucket);
            await from.FailAsync(key, ReplicationErrors.Unreadable.With(key));
            return;
        }
        if (await store.FindBucketAsync(bucket, cancel) is not null)
        {
            // What this machine says of its own bucket is newer than what it once sent.
            from.Skip();
            return;
        }
        if (!from.DryRun && await store.ImportBucketAsync(manifest, cancel) is { } fault)
        {
            missing.Add(bucket);
            await from.FailAsync(key, ReplicationErrors.Failed.With(fault.ToString()));
            return;
        }
        await from.MadeAsync(0);
    }

    private async Task VersionAsync(Restoration from, string key, CancellationToken cancel)
    {
        if (await from.ReadAsync(key, cancel) is not { } text)
            return;
        if (ObjectManifest.Parse(text) is not { } manifest || ReplicaKeys.Version(manifest.Bucket, manifest.Key, manifest.Id) != key)
        {
            await from.FailAsync(key, ReplicationErrors.Unreadable.With(key));
            return;
        }
        if (await IsHereAsync(manifest, cancel))
        {
            from.Skip();
            return;
        }
        if (from.DryRun)
        {
            await from.MadeAsync(manifest.Size);
            return;
        }
        try
        {
            await using var content = new Pieces(from, manifest.Contents);
            if (await store.ImportAsync(manifest, content, cancel) is { } fault)
                await from.FailAsync(key, ReplicationErrors.Failed.With(fault.ToString()));
            else
                await from.MadeAsync(manifest.Size);
        }
        catch (Exception error) when (error is InvalidDataException or IOException or HttpRequestException)
        {
            await from.FailAsync(key, ReplicationErrors.Mismatch.With(error.Message));
        }
    }

    private async Task<bool> IsHereAsync(ObjectManifest manifest, CancellationToken cancel)
    {
        var found = await store.FindAsync(manifest.Bucket, manifest.Key, manifest.VersionId, cancel);
        return found.Value is { } known && known.Id == manifest.Id;
    }

    /// <summary>The pieces of an object one after the other, each fetched and compared when it is reached.</summary>
    private sealed class Pieces(Restoration from, IReadOnlyList<ManifestContent> contents) : ForwardStream
    {
        private int _next;
        private Stream? _piece;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (buffer.IsEmpty)
                return 0;
            while (true)
            {
                if (_piece is null)
                {
                    if (_next == contents.Count)
                        return 0;
                    var content = contents[_next++];
                    _piece = await from.OpenAsync(content.Sha256, content.Size, cancellationToken) ?? throw new InvalidDataException($"{content.Sha256} is not at the provider.");
                }
                if (await _piece.ReadAsync(buffer, cancellationToken) is var read and > 0)
                    return read;
                await _piece.DisposeAsync();
                _piece = null;
            }
        }

        public override async ValueTask DisposeAsync()
        {
            if (_piece is not null)
                await _piece.DisposeAsync();
            await base.DisposeAsync();
        }
    }
}
