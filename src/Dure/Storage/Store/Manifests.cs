using System.Text.Json;
using System.Text.Json.Serialization;
using Dure.Storage.Checksums;

namespace Dure.Storage.Store;

/// <summary>Bytes of an object at a provider: one piece for a plain object, one for each part of a multipart object.</summary>
/// <param name="Sha256">64 lower-case hex digits, of this piece.</param>
/// <param name="Number">Of the part; 0 for a plain object.</param>
public sealed record ManifestContent(string Sha256, long Size, int Number);

/// <summary>Everything that is needed to make a version of an object, or a delete marker, again; its bytes are pieces by digest.</summary>
public sealed record ObjectManifest
{
    /// <summary>Of this form of the manifest.</summary>
    public int Form { get; init; } = 1;

    public required string Bucket { get; init; }

    public required string Key { get; init; }

    /// <summary>See <see cref="StoredObject.Id"/>.</summary>
    public required long Id { get; init; }

    public required string VersionId { get; init; }

    public bool IsDeleteMarker { get; init; }

    public long Size { get; init; }

    public string ETag { get; init; } = "";

    /// <summary>Of all bytes; empty for a delete marker and for a multipart object, whose pieces have digests of their own.</summary>
    public string Sha256 { get; init; } = "";

    public required DateTimeOffset ModifiedAt { get; init; }

    public required string Owner { get; init; }

    public CannedAcl Acl { get; init; }

    public ObjectHeaders Headers { get; init; } = ObjectHeaders.None;

    public IReadOnlyList<ObjectChecksum> Checksums { get; init; } = [];

    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public IReadOnlyList<StoredPart> Parts { get; init; } = [];

    /// <summary>The pieces in order; all of them one after the other are the object. Empty for a delete marker.</summary>
    public IReadOnlyList<ManifestContent> Contents { get; init; } = [];

    /// <summary>The text that a provider keeps.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, StoreJson.Default.ObjectManifest);

    /// <summary>Reads what <see cref="ToJson"/> wrote; null when it is something else.</summary>
    public static ObjectManifest? Parse(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, StoreJson.Default.ObjectManifest);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>Everything that is needed to make an empty bucket again.</summary>
public sealed record BucketManifest
{
    /// <summary>Of this form of the manifest.</summary>
    public int Form { get; init; } = 1;

    public required string Name { get; init; }

    public required string Owner { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public Versioning Versioning { get; init; }

    public CannedAcl Acl { get; init; }

    public string? Cors { get; init; }

    public string? Policy { get; init; }

    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public long? QuotaBytes { get; init; }

    public IReadOnlyList<string> Replicate { get; init; } = [];

    /// <summary>The text that a provider keeps.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, StoreJson.Default.BucketManifest);

    /// <summary>Reads what <see cref="ToJson"/> wrote; null when it is something else.</summary>
    public static BucketManifest? Parse(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, StoreJson.Default.BucketManifest);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>What the objects table keeps as text.</summary>
internal sealed record About
{
    public ObjectHeaders Headers { get; init; } = ObjectHeaders.None;

    public IReadOnlyList<ObjectChecksum> Checksums { get; init; } = [];
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ObjectManifest))]
[JsonSerializable(typeof(BucketManifest))]
[JsonSerializable(typeof(About))]
[JsonSerializable(typeof(IReadOnlyList<ObjectChecksum>))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
internal sealed partial class StoreJson : JsonSerializerContext;
