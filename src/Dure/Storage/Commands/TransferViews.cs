using System.Text.Json.Serialization;

namespace Dure.Storage.Commands;

/// <summary>Body of POST /api/storage/session.</summary>
/// <param name="ExpiresInSeconds">How long the keys must last; null for the server's own span.</param>
public sealed record SessionRequest(long? ExpiresInSeconds);

/// <summary>Keys of the store for the caller.</summary>
public sealed record SessionView(string AccessKey, string SecretKey, DateTimeOffset? ExpiresAt, string Endpoint, string Region);

/// <summary>A bucket, as the API tells it.</summary>
/// <param name="Cors">XML.</param>
/// <param name="Policy">JSON.</param>
public sealed record BucketInfo(
    string Name, string? Owner, DateTimeOffset CreatedAt, string? Versioning, string? Acl, string? Cors, string? Policy, long? QuotaBytes, long UsedBytes, long Objects, IReadOnlyList<string>? Replicate);

/// <summary>What is set on a bucket; null leaves as it is, an empty text or list removes.</summary>
/// <param name="Name">Of a new one.</param>
/// <param name="QuotaBytes">0 removes.</param>
public sealed record BucketSettings(
    string? Name = null, string? Versioning = null, string? Acl = null, string? Cors = null, string? Policy = null, long? QuotaBytes = null, IReadOnlyList<string>? Replicate = null);

/// <summary>What became of one file or object.</summary>
/// <param name="State">copied, skipped, planned, deleted or failed.</param>
/// <param name="Bytes">Its size; null when unknown.</param>
/// <param name="Checksum">What was compared at the end, such as <c>crc64nvme:…</c>; null when nothing was.</param>
/// <param name="Kept">Bytes of it that an earlier try had brought over.</param>
/// <param name="Error">Why it failed: the id and the words.</param>
public sealed record TransferItem(string Source, string? Target, string State, long? Bytes, string? Checksum = null, long Kept = 0, string? Error = null);

/// <summary>What <c>dure cp</c> and <c>dure rm</c> did.</summary>
/// <param name="Bytes">Of what was copied.</param>
public sealed record TransferReport(IReadOnlyList<TransferItem> Items, int Done, int Skipped, int Failed, long Bytes, double Seconds);

/// <summary>A line of <c>dure ls</c>.</summary>
/// <param name="Prefix">A prefix that more keys share, instead of a key.</param>
/// <param name="State">Of a version: latest, old or deleted (a delete marker).</param>
public sealed record ListedObject(string? Key, string? Prefix, long? Size, DateTimeOffset? ModifiedAt, string? ETag, string? VersionId, string? State);

/// <summary>A pre-signed address.</summary>
public sealed record PresignedAddress(string Url, string Method, DateTimeOffset ExpiresAt);

/// <summary>JSON of the verbs of object storage.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(SessionRequest))]
[JsonSerializable(typeof(SessionView))]
[JsonSerializable(typeof(BucketInfo))]
[JsonSerializable(typeof(IReadOnlyList<BucketInfo>))]
[JsonSerializable(typeof(Host.Commands.PageView<BucketInfo>))]
[JsonSerializable(typeof(BucketSettings))]
[JsonSerializable(typeof(TransferState))]
[JsonSerializable(typeof(TransferReport))]
[JsonSerializable(typeof(IReadOnlyList<ListedObject>))]
[JsonSerializable(typeof(PresignedAddress))]
internal sealed partial class TransferJson : JsonSerializerContext;
