using System.Text.Json.Serialization;
using Dure.Host.Commands;

namespace Dure.Storage.Signing;

/// <summary>An access key, without its secret.</summary>
/// <param name="Scopes">Of read, write, buckets, admin.</param>
/// <param name="Buckets">The only buckets it may touch; empty for no such limit.</param>
public sealed record AccessKeyView(string Id, string User, IReadOnlyList<string> Scopes, IReadOnlyList<string> Buckets, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt);

/// <summary>Body of POST /api/storage/keys.</summary>
/// <param name="User">Who owns what is made with it.</param>
/// <param name="ExpiresInDays">Null for a key that does not run out.</param>
public sealed record CreateAccessKeyRequest(string User, IReadOnlyList<string> Scopes, IReadOnlyList<string>? Buckets, int? ExpiresInDays);

/// <summary>An access key that can be used.</summary>
/// <param name="SecretAccessKey">Told this once.</param>
/// <param name="Endpoint">Where the store answers, such as <c>http://127.0.0.1:9000</c>.</param>
public sealed record CreatedAccessKeyView(string AccessKeyId, string SecretAccessKey, string User, IReadOnlyList<string> Scopes, DateTimeOffset? ExpiresAt, string Endpoint, string Region);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(PageView<AccessKeyView>))]
[JsonSerializable(typeof(IReadOnlyList<AccessKeyView>))]
[JsonSerializable(typeof(CreateAccessKeyRequest))]
[JsonSerializable(typeof(CreatedAccessKeyView))]
internal sealed partial class KeyJson : JsonSerializerContext;
