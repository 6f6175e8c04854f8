using System.Runtime.CompilerServices;
using System.Text;
using Dure.Storage.Replication;

namespace Dure.Storage.Store;

public sealed partial class ObjectStore
{
    /// <summary>Everything that a provider should have of the buckets that are copied to it: a bucket's configuration, then of each version the bytes and the manifest.</summary>
    public async IAsyncEnumerable<OutboxEntry> WantedAsync(string provider, [EnumeratorCancellation] CancellationToken cancel)
    {
        foreach (var bucket in (await ListBucketsAsync(cancel)).Where(bucket => bucket.Replicate.Contains(provider, StringComparer.Ordinal)))
        {
            yield return Text(provider, ReplicaKeys.Bucket(bucket.Name), Replicas.ManifestOf(bucket).ToJson());
            for (var last = 0L; await ManifestsAsync(bucket, last, cancel) is { Count: > 0 } batch; last = batch[^1].Id)
            {
                foreach (var manifest in batch)
                {
                    foreach (var content in manifest.Contents)
                        yield return new OutboxEntry(OutboxKind.Blob, provider, content.Sha256, content.Size);
                    yield return Text(provider, ReplicaKeys.Version(bucket.Name, manifest.Key, manifest.Id), manifest.ToJson());
                }
            }
        }
    }

    private ValueTask<List<ObjectManifest>> ManifestsAsync(Bucket bucket, long after, CancellationToken cancel) => _database.ReadAsync(async s =>
    {
        var manifests = new List<ObjectManifest>();
        foreach (var row in await s.QueryAsync($"SELECT {Rows.ObjectColumns} FROM objects o WHERE o.id > $1 AND o.bucket_id = $2 ORDER BY o.id LIMIT $3", Rows.Object, after, bucket.Id, EnqueueBatch))
        {
            var version = row.PartCount > 0 ? row with { Parts = await VersionTable.PartsAsync(s, row.GroupId) } : row;
            manifests.Add(Replicas.ManifestOf(bucket.Name, version, version.IsDeleteMarker ? [] : await Replicas.ContentsAsync(s, version)));
        }
        return manifests;
    }, cancel);

    private static OutboxEntry Text(string provider, string name, string body) => new(OutboxKind.Manifest, provider, name, Encoding.UTF8.GetByteCount(body), body);
}
