using System.Text.Json.Serialization;

namespace Dure.Functions.Lists;

/// <summary>JSON of lists of invocations.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(InvocationPage))]
[JsonSerializable(typeof(InvocationFacets))]
internal sealed partial class ListJson : JsonSerializerContext;
