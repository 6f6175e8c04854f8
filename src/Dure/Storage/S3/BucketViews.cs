using System.Text.Json.Serialization;
using Dure.Host.Commands;

namespace Dure.Storage.S3;

/// <summary>A bucket.</summary>
/// <param name="Versioning">off, enabled or suspended.</param>
/// <param name="Acl">private, public-read, public-read-write or authenticated-read.</param>
/// <param name="Cors">XML; null for none.</param>
/// <param name="Policy">JSON; null for none.</param>
/// <param name="QuotaBytes">Null is without limit.</param>
/// <param name="Objects">Versions, delete markers not counted.</param>
/// <param name="Replicate">Providers that get a copy.</param>
public sealed record BucketView(
    string Name, string Owner, DateTimeOffset CreatedAt, string Versioning, string Acl, string? Cors, string? Policy, long? QuotaBytes, long UsedBytes, long Objects, IReadOnlyList<string> Replicate);

/// <summary>What is set on a bucket; null leaves as it is, an empty text or list removes.</summary>
/// <param name="Name">Of a new one.</param>
/// <param name="Owner">Of a new one; null is the caller.</param>
/// <param name="QuotaBytes">0 removes.</param>
public sealed record BucketRequest(
    string? Name = null, string? Owner = null, string? Versioning = null, string? Acl = null, string? Cors = null, string? Policy = null, long? QuotaBytes = null, IReadOnlyList<string>? Replicate = null);

/// <summary>JSON of the API of buckets.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BucketView))]
[JsonSerializable(typeof(BucketRequest))]
[JsonSerializable(typeof(PageView<BucketView>))]
internal sealed partial class BucketJson : JsonSerializerContext;
