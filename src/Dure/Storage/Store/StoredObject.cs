using Dure.Storage.Checksums;

namespace Dure.Storage.Store;

/// <summary>What a client says of an object besides its bytes.</summary>
public sealed record ObjectHeaders
{
    public static readonly ObjectHeaders None = new();

    public string? ContentType { get; init; }

    public string? CacheControl { get; init; }

    public string? ContentDisposition { get; init; }

    /// <summary>Without <c>aws-chunked</c>.</summary>
    public string? ContentEncoding { get; init; }

    public string? ContentLanguage { get; init; }

    public string? Expires { get; init; }

    public string? StorageClass { get; init; }

    public string? WebsiteRedirectLocation { get; init; }

    /// <summary>User metadata: lower-case names without <c>x-amz-meta-</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);
}

/// <summary>One version of an object, or a delete marker.</summary>
/// <param name="Id">Grows with every version made; the newest of a key is its latest.</param>
/// <param name="VersionId">As clients see it; <c>null</c> for one made while versioning was off or suspended.</param>
/// <param name="ETag">Without quotes: MD5 in hex, and for multipart objects <c>-</c> and the number of parts.</param>
/// <param name="Sha256">64 lower-case hex digits, of all bytes; empty for a delete marker and for a multipart object, whose parts have digests of their own.</param>
/// <param name="Parts">Of a multipart object: its parts in order; empty otherwise, and in listings.</param>
public sealed record StoredObject(
    long Id,
    long BucketId,
    string Key,
    string VersionId,
    bool IsLatest,
    bool IsDeleteMarker,
    long Size,
    string ETag,
    string Sha256,
    DateTimeOffset ModifiedAt,
    string Owner,
    CannedAcl Acl,
    ObjectHeaders Headers,
    IReadOnlyList<ObjectChecksum> Checksums,
    IReadOnlyDictionary<string, string> Tags,
    IReadOnlyList<StoredPart> Parts)
{
    // What the parts' and the content's rows are found by.
    internal long GroupId { get; init; }

    // 0 for a plain object.
    internal int PartCount { get; init; }

    // The bytes of a small object come with its row.
    internal SegmentBytes? Inline { get; init; }
}

/// <summary>A part of a finished multipart object.</summary>
public sealed record StoredPart(int Number, long Size, string ETag, IReadOnlyList<ObjectChecksum> Checksums);

/// <summary>A multipart upload under way.</summary>
/// <param name="ChecksumKind">The algorithm named at its start; null when none was.</param>
public sealed record Upload(
    string Id,
    long BucketId,
    string Key,
    string Owner,
    DateTimeOffset StartedAt,
    ObjectHeaders Headers,
    CannedAcl Acl,
    IReadOnlyDictionary<string, string> Tags,
    ChecksumKind? ChecksumKind,
    ChecksumType? ChecksumType);

/// <summary>A part that was uploaded and not yet made an object.</summary>
public sealed record UploadedPart(int Number, long Size, string ETag, string Sha256, DateTimeOffset ModifiedAt, IReadOnlyList<ObjectChecksum> Checksums);

/// <summary>A part as the client names it when it completes an upload.</summary>
/// <param name="ETag">Without quotes.</param>
/// <param name="Checksums">Those the client repeated; each must be what was stored.</param>
public sealed record NamedPart(int Number, string ETag, IReadOnlyList<(ChecksumKind Kind, string Value)> Checksums);
