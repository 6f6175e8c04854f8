using System.Text.Json.Serialization;
using Dure.Storage.S3;

namespace Dure.Storage.Commands;

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
[JsonSerializable(typeof(BucketView))]
[JsonSerializable(typeof(IReadOnlyList<BucketView>))]
[JsonSerializable(typeof(Host.Commands.PageView<BucketView>))]
[JsonSerializable(typeof(BucketRequest))]
[JsonSerializable(typeof(TransferState))]
[JsonSerializable(typeof(TransferReport))]
[JsonSerializable(typeof(IReadOnlyList<ListedObject>))]
[JsonSerializable(typeof(PresignedAddress))]
internal sealed partial class TransferJson : JsonSerializerContext;
