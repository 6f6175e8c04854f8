using System.Text.Json.Serialization;

namespace Dure.Edge.Certificates;

/// <summary>A certificate that the internal authority gave, as it remembers it. Keys are never remembered: they lie where they are used.</summary>
/// <param name="Name">The first of its names, and what its files are called.</param>
/// <param name="Names">Host names and addresses.</param>
/// <param name="Folder">Where NAME.pem and NAME.key lie.</param>
/// <param name="Reload">A line of shell that is run when they are new; null for none.</param>
/// <param name="ReplacedAt">When another of its name was given. Until it ends it could still be shown, so it is remembered and revoked with the other.</param>
internal sealed record IssuedCertificate(
    string Name, IReadOnlyList<string> Names, string Serial, DateTimeOffset IssuedAt, DateTimeOffset ExpiresAt, string Folder, string? Reload, DateTimeOffset? RevokedAt, DateTimeOffset? ReplacedAt = null)
{
    /// <summary>The one that its name stands for.</summary>
    [JsonIgnore]
    public bool Holds => RevokedAt is null && ReplacedAt is null;

    /// <summary>At two thirds of its life.</summary>
    public DateTimeOffset DueAt => IssuedAt + ((ExpiresAt - IssuedAt) * 2 / 3);
}

/// <summary>The authority's own book, and what its verbs print.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(List<IssuedCertificate>))]
internal sealed partial class IssuedJson : JsonSerializerContext;
