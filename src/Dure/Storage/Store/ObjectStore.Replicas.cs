using Dure.Host.Data;

namespace Dure.Storage.Store;

public sealed partial class ObjectStore
{
    /// <summary>The store's own database, which has the outbox of its objects (<see cref="Replication.Outbox"/>).</summary>
    public Database Database => throw new NotSupportedException();

    /// <summary>Called after a commit that added rows to the outbox; must return at once.</summary>
    public Action? OutboxGrew { get; set; }

    /// <summary>Called when a read met bytes that are not what was written, once for each piece; must return at once. <see cref="RepairAsync"/> is what to do about it.</summary>
    public Action? CorruptionFound { get; set; }

    /// <summary>The bytes with a digest, of any version or part of a bucket that is replicated, also one that is replaced or deleted meanwhile; null when there are none.
    /// Blocks are checked as they are read; a damaged one throws <see cref="InvalidDataException"/>.</summary>
    public ValueTask<Stream?> OpenContentAsync(string sha256, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>Adds to the outbox what a provider must get of a bucket that was there before it was told to replicate. <see cref="ChangeBucketAsync"/> does it by itself for providers that are new to the bucket.</summary>
    public ValueTask<StoreFault?> EnqueueAllAsync(string bucket, string provider, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>Makes a bucket again, or brings the configuration of one that is there to what the manifest says. Nothing goes to the outbox.</summary>
    public ValueTask<StoreFault?> ImportBucketAsync(BucketManifest manifest, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>Makes a version again, with its id, version id and dates; one that is there already is left as it is. Nothing goes to the outbox.</summary>
    /// <param name="content">All pieces of <see cref="ObjectManifest.Contents"/> one after the other; each is compared with its digest.</param>
    /// <returns>NoSuchBucket, NoRoom, IncompleteBody, Sha256Mismatch; null when it is there.</returns>
    public ValueTask<StoreFault?> ImportAsync(ObjectManifest manifest, Stream content, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>Reads everything, slowly, compares it with its CRC32C and SHA-256 and puts good bytes in the place of damaged ones.</summary>
    /// <param name="fetch">Good bytes by SHA-256 from elsewhere; null when there are none. They are verified.</param>
    /// <param name="bytesPerSecond">How fast at most; 0 is without limit.</param>
    public ValueTask<ScrubReport> ScrubAsync(Func<string, CancellationToken, ValueTask<Stream?>> fetch, IProgress<ScrubReport>? progress, CancellationToken cancel, long bytesPerSecond = 0) => throw new NotSupportedException();

    /// <summary>Does what <see cref="ScrubAsync"/> does, for what reads have found damaged.</summary>
    public ValueTask<ScrubReport> RepairAsync(Func<string, CancellationToken, ValueTask<Stream?>> fetch, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<StoreUsage> UsageAsync(CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>Removes abandoned uploads, and what nothing refers to any more.</summary>
    public ValueTask SweepAsync(CancellationToken cancel) => throw new NotSupportedException();
}
