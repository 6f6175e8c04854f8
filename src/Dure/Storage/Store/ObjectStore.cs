using Dure.Host;
using Dure.Storage.Checksums;

namespace Dure.Storage.Store;

/// <summary>Where the store lies and what it may take.</summary>
/// <param name="Folder">Absolute; <c>store.db</c> and the folders <c>data</c> and <c>incoming</c> are made in it.</param>
/// <param name="InlineMax">Objects of at most this many bytes are kept in the database, where many share one flush.</param>
/// <param name="AbandonedAfter">Uploads that nobody touched for this long are removed.</param>
/// <param name="RefuseWork">Whether the disk is so full that nothing new may come.</param>
public sealed record StoreOptions(string Folder, int InlineMax, TimeSpan AbandonedAfter, Func<bool> RefuseWork)
{
    /// <summary>What every part of a multipart upload but the last must have.</summary>
    public long PartBytesLeast { get; init; } = 5 << 20;
}

/// <summary>
/// The embedded object store: what a method answered that it kept is on the disk (fsync) before the answer, whole or not at all, and
/// read-after-write holds. Bytes are checked against their CRC32C on every read.
/// </summary>
public sealed partial class ObjectStore : IAsyncDisposable
{
    public static Task<Outcome<ObjectStore>> OpenAsync(StoreOptions options, TimeProvider time, ILogger log, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<Bucket?> FindBucketAsync(string name, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<Bucket>> ListBucketsAsync(CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<Stored<Bucket>> CreateBucketAsync(string name, string owner, CannedAcl acl, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<StoreFault?> ChangeBucketAsync(string name, BucketChange change, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>Removes an empty bucket and its uploads under way.</summary>
    public ValueTask<StoreFault?> DeleteBucketAsync(string name, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<Stored<StoredObject>> PutAsync(string bucket, NewObject what, IncomingBody body, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>Finds a version; the latest when none is named. A latest delete marker is found too.</summary>
    public ValueTask<Stored<StoredObject>> FindAsync(string bucket, string key, string? versionId, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>Opens the bytes from <paramref name="offset"/>, <paramref name="length"/> of them; each block is checked before it is given.</summary>
    public ValueTask<Stored<ObjectReader>> OpenAsync(StoredObject what, long offset, long length, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>Copies without the bytes leaving the machine; the checksums are computed anew.</summary>
    public ValueTask<Stored<StoredObject>> CopyAsync(StoredObject source, string bucket, NewObject what, IReadOnlyList<ChecksumKind> compute, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<Stored<Deleted>> DeleteAsync(string bucket, string key, string? versionId, WriteConditions conditions, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<StoreFault?> SetTagsAsync(string bucket, string key, string? versionId, IReadOnlyDictionary<string, string> tags, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<StoreFault?> SetAclAsync(string bucket, string key, string? versionId, CannedAcl acl, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<Stored<KeyPage>> ListAsync(string bucket, ListKeys what, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<Stored<VersionPage>> ListVersionsAsync(string bucket, ListVersions what, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<Stored<Upload>> BeginUploadAsync(string bucket, NewObject what, ChecksumKind? kind, ChecksumType? type, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<Stored<Upload>> FindUploadAsync(string bucket, string key, string uploadId, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<Stored<UploadedPart>> PutPartAsync(string bucket, string key, string uploadId, int number, IncomingBody body, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<Stored<UploadedPart>> CopyPartAsync(StoredObject source, long offset, long length, string bucket, string key, string uploadId, int number, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<Stored<IReadOnlyList<UploadedPart>>> ListPartsAsync(string bucket, string key, string uploadId, int after, int limit, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>Makes the object of the named parts, durably, and removes the upload. The parts' files become the object's: nothing is copied.</summary>
    /// <param name="whole">The full-object checksum that the client claims; null for none.</param>
    public ValueTask<Stored<StoredObject>> CompleteAsync(string bucket, string key, string uploadId, IReadOnlyList<NamedPart> parts, ObjectChecksum? whole, WriteConditions conditions, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<StoreFault?> AbortAsync(string bucket, string key, string uploadId, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<Stored<UploadPage>> ListUploadsAsync(string bucket, ListUploads what, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => throw new NotSupportedException();
}

/// <summary>Bytes of an object on their way out.</summary>
public abstract class ObjectReader : IAsyncDisposable
{
    /// <summary>Writes all of them. Bytes that do not match their checksum are never written.</summary>
    /// <returns>False when a block did not match: the answer must be cut off.</returns>
    public abstract ValueTask<bool> CopyToAsync(System.IO.Pipelines.PipeWriter writer, CancellationToken cancel);

    /// <summary>Looks at the first block; false when it does not match, so that an error can still be answered.</summary>
    public abstract ValueTask<bool> CheckFirstAsync(CancellationToken cancel);

    public abstract ValueTask DisposeAsync();
}
