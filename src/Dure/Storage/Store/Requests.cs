using Dure.Storage.Checksums;

namespace Dure.Storage.Store;

/// <summary>Conditions of a write or a delete (RFC 9110, 13); ETags without quotes, <c>*</c> for any.</summary>
public sealed record WriteConditions(string? IfMatch = null, string? IfNoneMatch = null, DateTimeOffset? IfMatchModifiedAt = null, long? IfMatchSize = null)
{
    public static readonly WriteConditions None = new();
}

/// <summary>
/// Bytes on their way in and what the client claims of them. Claims that come after the bytes (trailers, chunk signatures) are
/// looked at in <see cref="Verify"/>, which is called once all bytes were read and before anything is kept.
/// </summary>
/// <param name="Body">The decoded bytes.</param>
/// <param name="Length">Their number; null when unknown. Fewer or more is IncompleteBody.</param>
/// <param name="Md5">Claimed by Content-MD5, 16 bytes; null for none.</param>
/// <param name="Compute">Checksums to compute and store.</param>
/// <param name="Verify">What is wrong with the bytes, given the checksums that were computed (base 64) and the SHA-256; null when nothing.</param>
public sealed record IncomingBody(
    Stream Body,
    long? Length,
    byte[]? Md5,
    IReadOnlyList<ChecksumKind> Compute,
    Func<ComputedChecksums, StoreFault?> Verify);

/// <summary>What was computed while bytes came in.</summary>
/// <param name="Values">Base 64 by kind, of those that were asked for.</param>
public sealed record ComputedChecksums(long Length, byte[] Md5, byte[] Sha256, IReadOnlyDictionary<ChecksumKind, string> Values);

/// <summary>A new object.</summary>
public sealed record NewObject(string Key, string Owner, ObjectHeaders Headers, CannedAcl Acl, IReadOnlyDictionary<string, string> Tags, WriteConditions Conditions);

/// <summary>A listing of keys that are latest and no delete markers, in the order of their UTF-8 bytes.</summary>
/// <param name="After">Keys after this one; a common prefix that ends here is skipped whole. Empty begins at the start.</param>
/// <param name="Limit">Keys and common prefixes together, 0 to 1000.</param>
public sealed record ListKeys(string Prefix, string Delimiter, string After, int Limit);

/// <summary>A page of a listing.</summary>
/// <param name="Next">The key or common prefix to go on after; null at the end.</param>
public sealed record KeyPage(IReadOnlyList<StoredObject> Objects, IReadOnlyList<string> CommonPrefixes, string? Next);

/// <summary>A listing of versions and delete markers, by key and then the newest first.</summary>
public sealed record ListVersions(string Prefix, string Delimiter, string KeyMarker, string VersionMarker, int Limit);

/// <summary>A page of versions.</summary>
public sealed record VersionPage(IReadOnlyList<StoredObject> Versions, IReadOnlyList<string> CommonPrefixes, string? NextKey, string? NextVersion);

/// <summary>A listing of uploads under way, by key and then by start.</summary>
public sealed record ListUploads(string Prefix, string Delimiter, string KeyMarker, string UploadMarker, int Limit);

/// <summary>A page of uploads.</summary>
public sealed record UploadPage(IReadOnlyList<Upload> Uploads, IReadOnlyList<string> CommonPrefixes, string? NextKey, string? NextUpload);

/// <summary>What a delete did.</summary>
/// <param name="VersionId">Of the version removed, or of the delete marker made; null when versioning is off.</param>
/// <param name="IsDeleteMarker">A marker was made, or the removed version was one.</param>
public sealed record Deleted(string? VersionId, bool IsDeleteMarker);

/// <summary>Why the store did not do it.</summary>
public enum StoreFault
{
    NoSuchBucket,
    NoSuchKey,
    NoSuchVersion,
    NoSuchUpload,
    BucketExists,
    BucketNotEmpty,
    PreconditionFailed,
    Conflict,
    InvalidPart,
    InvalidPartOrder,
    PartTooSmall,
    TooLarge,
    QuotaExceeded,
    NoRoom,
    IncompleteBody,
    BadDigest,
    ChecksumMismatch,
    Sha256Mismatch,
    BadSignature,
    MalformedTrailer,
    IsDeleteMarker,
    Corrupt,
}

/// <summary>A value, or why there is none.</summary>
/// <param name="Fault">Null when there is a value.</param>
public readonly record struct Stored<T>(T? Value, StoreFault? Fault)
{
    public static implicit operator Stored<T>(T value) => new(value, null);

    public static implicit operator Stored<T>(StoreFault fault) => new(default, fault);
}
