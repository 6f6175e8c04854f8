using System.Text.Json.Serialization;
using Dure.Storage.Store;

namespace Dure.Storage.Objects;

/// <summary>An object, or one of its versions.</summary>
/// <param name="VersionId">Null where the bucket has never kept versions.</param>
/// <param name="DeleteMarker">The key was deleted at this point; its older versions are still there.</param>
/// <param name="ETag">Without quotes.</param>
/// <param name="Metadata">User metadata, without <c>x-amz-meta-</c>; null for none.</param>
public sealed record ObjectView(string Key, long Size, [property: JsonPropertyName("etag")] string ETag, DateTimeOffset ModifiedAt, string Owner, string? ContentType, string? VersionId, bool Latest, bool DeleteMarker,
    IReadOnlyDictionary<string, string>? Metadata)
{
    internal static ObjectView Of(StoredObject what, Bucket bucket) => new(what.Key, what.Size, what.ETag, what.ModifiedAt, what.Owner, what.Headers.ContentType,
        bucket.Versioning == Versioning.Off ? null : what.VersionId, what.IsLatest, what.IsDeleteMarker, what.Headers.Metadata.Count == 0 ? null : what.Headers.Metadata);
}

/// <summary>A page of a listing.</summary>
/// <param name="Prefixes">What the keys have in common up to the delimiter: folders.</param>
/// <param name="Next">Cursor of the next page; null on the last.</param>
public sealed record ObjectPageView(IReadOnlyList<ObjectView> Items, IReadOnlyList<string> Prefixes, string? Next);

/// <summary>Versions of one key, the newest first.</summary>
/// <param name="Next">Cursor of the next page; null on the last.</param>
public sealed record ObjectVersionsView(IReadOnlyList<ObjectView> Items, string? Next);

/// <summary>One object to delete.</summary>
/// <param name="VersionId">Removes this version for good; without, a bucket with versions keeps them behind a delete marker.</param>
public sealed record DeleteOne(string Key, string? VersionId);

/// <summary>Body of a deletion.</summary>
/// <param name="Prefixes">Everything whose key begins so: folders.</param>
public sealed record DeleteObjectsRequest(IReadOnlyList<DeleteOne>? Keys, IReadOnlyList<string>? Prefixes);

/// <summary>One that was not deleted.</summary>
public sealed record NotDeletedView(string Key, string Why);

/// <summary>What a deletion did.</summary>
/// <param name="Failures">The first of those that are still there.</param>
public sealed record DeletedObjectsView(long Deleted, long Failed, IReadOnlyList<NotDeletedView> Failures);

/// <summary>Body of a copy.</summary>
/// <param name="From">Key of the source.</param>
/// <param name="FromBucket">Null for the same bucket.</param>
/// <param name="Move">The source is deleted once the copy is kept: a new name.</param>
/// <param name="Overwrite">An object that has the new key already is replaced.</param>
public sealed record CopyObjectRequest(string From, string To, string? FromBucket, string? VersionId, bool Move, bool Overwrite);

/// <summary>Body of a request for a link.</summary>
/// <param name="Method">GET or PUT.</param>
/// <param name="ExpiresInS">Seconds, 1 to 604800.</param>
public sealed record LinkRequest(string Key, string? Method, long? ExpiresInS, string? VersionId);

/// <summary>An address that needs no keys.</summary>
/// <param name="AccessKeyId">The access key it is signed with; it opens this bucket only, and to revoke it ends the link.</param>
public sealed record LinkView(string Url, string Method, DateTimeOffset ExpiresAt, string AccessKeyId);

/// <summary>Body of a begun upload.</summary>
public sealed record BeginUploadRequest(string Key, string? ContentType);

/// <summary>An upload in parts.</summary>
/// <param name="PartBytes">How large each part but the last should be.</param>
public sealed record UploadView(string UploadId, string Key, long PartBytes);

/// <summary>A part that is kept.</summary>
public sealed record PartView(int Number, long Size, [property: JsonPropertyName("etag")] string ETag);

/// <summary>The parts of an upload that are kept.</summary>
public sealed record PartsView(IReadOnlyList<PartView> Items, string? Next);

/// <summary>Body of a completed upload; without parts, all that are kept are taken.</summary>
public sealed record CompleteUploadRequest(IReadOnlyList<PartView>? Parts, bool Overwrite = true);

/// <summary>JSON of the API of objects.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ObjectView))]
[JsonSerializable(typeof(ObjectPageView))]
[JsonSerializable(typeof(ObjectVersionsView))]
[JsonSerializable(typeof(DeleteObjectsRequest))]
[JsonSerializable(typeof(DeletedObjectsView))]
[JsonSerializable(typeof(CopyObjectRequest))]
[JsonSerializable(typeof(LinkRequest))]
[JsonSerializable(typeof(LinkView))]
[JsonSerializable(typeof(BeginUploadRequest))]
[JsonSerializable(typeof(UploadView))]
[JsonSerializable(typeof(PartView))]
[JsonSerializable(typeof(PartsView))]
[JsonSerializable(typeof(CompleteUploadRequest))]
internal sealed partial class ObjectJson : JsonSerializerContext;
