using System.Runtime.CompilerServices;
using Amazon.S3.Model;

namespace Dure.Storage.Commands;

/// <summary>Listings, page after page.</summary>
internal static class Listing
{
    /// <summary>All keys that begin with a prefix.</summary>
    public static async IAsyncEnumerable<(string Key, long Size)> KeysAsync(StoreConnection store, string bucket, string prefix, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var listed in ObjectsAsync(store, new(bucket, prefix), recursive: true, cancel))
        {
            yield return (listed.Key!, listed.Size ?? 0);
        }
    }

    /// <summary>Keys that begin with a prefix; unless recursive, what lies below a further slash is one line.</summary>
    public static async IAsyncEnumerable<ListedObject> ObjectsAsync(StoreConnection store, S3Address where, bool recursive, [EnumeratorCancellation] CancellationToken cancel)
    {
        var request = new ListObjectsV2Request { BucketName = where.Bucket, Prefix = where.Key, Delimiter = recursive ? null : "/" };
        while (true)
        {
            var page = await store.S3.ListObjectsV2Async(request, cancel);
            foreach (var prefix in page.CommonPrefixes ?? [])
            {
                yield return new(null, prefix, null, null, null, null, null);
            }

            foreach (var found in page.S3Objects ?? [])
            {
                yield return new(found.Key, null, found.Size, Moment(found.LastModified), found.ETag?.Trim('"'), null, null);
            }

            if (page.IsTruncated != true)
            {
                yield break;
            }

            request.ContinuationToken = page.NextContinuationToken;
        }
    }

    /// <summary>Versions and delete markers.</summary>
    public static async IAsyncEnumerable<ListedObject> VersionsAsync(StoreConnection store, S3Address where, bool recursive, [EnumeratorCancellation] CancellationToken cancel)
    {
        var request = new ListVersionsRequest { BucketName = where.Bucket, Prefix = where.Key, Delimiter = recursive ? null : "/" };
        while (true)
        {
            var page = await store.S3.ListVersionsAsync(request, cancel);
            foreach (var prefix in page.CommonPrefixes ?? [])
            {
                yield return new(null, prefix, null, null, null, null, null);
            }

            foreach (var found in page.Versions ?? [])
            {
                var deleted = found.IsDeleteMarker == true;
                yield return new(found.Key, null, deleted ? null : found.Size, Moment(found.LastModified), found.ETag?.Trim('"'), found.VersionId, deleted ? "deleted" : found.IsLatest == true ? "latest" : "old");
            }

            if (page.IsTruncated != true)
            {
                yield break;
            }

            (request.KeyMarker, request.VersionIdMarker) = (page.NextKeyMarker, page.NextVersionIdMarker);
        }
    }

    private static DateTimeOffset? Moment(DateTime? told) => told is { } when ? new DateTimeOffset(when.ToUniversalTime(), TimeSpan.Zero) : null;
}
