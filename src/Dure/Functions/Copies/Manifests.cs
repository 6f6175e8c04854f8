using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dure.Functions.Copies;

/// <summary>A successful result as providers keep it; the same row always gives the same text.</summary>
/// <param name="Version">Digest of the version that ran.</param>
/// <param name="Sha256">Of the result's bytes.</param>
/// <param name="Result">The bytes, when they are few; else they are at the provider under their digest.</param>
public sealed record ResultManifest(
    string Id,
    string Function,
    string Version,
    int Attempt,
    string Owner,
    DateTimeOffset CreatedAt,
    DateTimeOffset FinishedAt,
    long Size,
    string Sha256,
    ReadOnlyMemory<byte>? Result);

/// <summary>A version of a function as providers keep it.</summary>
/// <param name="Size">Of the packed source, bytes.</param>
/// <param name="Sha256">Of the packed source.</param>
/// <param name="Built">See <see cref="Deploy.BuiltVersion"/>; the folders are names only.</param>
public sealed record SourceManifest(string Function, string Version, int Number, string Owner, DateTimeOffset CreatedAt, long Size, string Sha256, JsonElement Built);

/// <summary>JSON of what providers keep of functions.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ResultManifest))]
[JsonSerializable(typeof(SourceManifest))]
internal sealed partial class CopiesJson : JsonSerializerContext;
