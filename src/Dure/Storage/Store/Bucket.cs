namespace Dure.Storage.Store;

/// <summary>Whether a bucket keeps old versions.</summary>
public enum Versioning
{
    Off,
    Enabled,
    Suspended,
}

/// <summary>Who else than the owner may use a bucket or an object.</summary>
public enum CannedAcl
{
    Private,
    PublicRead,
    PublicReadWrite,
    AuthenticatedRead,
}

/// <summary>A bucket.</summary>
/// <param name="Owner">The user whose access key made it.</param>
/// <param name="Cors">The configuration as it was put, XML; null when there is none.</param>
/// <param name="Policy">The bucket policy as it was put, JSON; null when there is none.</param>
/// <param name="Tags">Tags of the bucket.</param>
/// <param name="QuotaBytes">The most that its objects, old versions and parts may take; null is without limit.</param>
/// <param name="UsedBytes">What they take now.</param>
/// <param name="Objects">Versions, delete markers not counted.</param>
/// <param name="Replicate">Names of the providers that get a copy of each object; empty for none.</param>
public sealed record Bucket(
    long Id,
    string Name,
    string Owner,
    DateTimeOffset CreatedAt,
    Versioning Versioning,
    CannedAcl Acl,
    string? Cors,
    string? Policy,
    IReadOnlyDictionary<string, string> Tags,
    long? QuotaBytes,
    long UsedBytes,
    long Objects,
    IReadOnlyList<string> Replicate);

/// <summary>What changes on a bucket; null leaves as it is. An empty text removes.</summary>
public sealed record BucketChange
{
    public Versioning? Versioning { get; init; }

    public CannedAcl? Acl { get; init; }

    public string? Cors { get; init; }

    public string? Policy { get; init; }

    public IReadOnlyDictionary<string, string>? Tags { get; init; }

    /// <summary>0 takes the limit away.</summary>
    public long? QuotaBytes { get; init; }

    public IReadOnlyList<string>? Replicate { get; init; }
}
