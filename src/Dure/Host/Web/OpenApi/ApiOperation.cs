using System.Text.Json.Serialization.Metadata;

namespace Dure.Host.Web.OpenApi;

/// <summary>What the API's document says about one endpoint.</summary>
/// <param name="Path">The pattern that it is mapped with.</param>
/// <param name="Status">Of success.</param>
/// <param name="Response">The JSON of a success; null for another content type or none.</param>
/// <param name="Request">The JSON of the body; null for another content type or none.</param>
public sealed record ApiOperation(string Method, string Path, string Summary, int Status, JsonTypeInfo? Response = null, JsonTypeInfo? Request = null)
{
    /// <summary>Content type of a success that is not JSON.</summary>
    public string? ResponseType { get; init; }

    /// <summary>Content type of a body that is not JSON.</summary>
    public string? RequestType { get; init; }

    /// <summary>Query parameters and request headers (those begin with a capital letter), with what they mean.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);
}
