using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;

namespace Dure.Host.Web.OpenApi;

/// <summary>
/// <c>/openapi.json</c>: the endpoints that are really mapped, told with the operations that the slices list and the schemas of the very types that
/// are written. An endpoint that no operation describes is marked <c>x-undocumented</c>, an operation without an endpoint is under <c>x-unmapped</c>; a test allows neither.
/// </summary>
internal sealed partial class ApiDocument(EndpointDataSource endpoints, IReadOnlyList<ApiOperation> operations)
{
    private static readonly JsonSchemaExporterOptions Exact = new() { TreatNullObliviousAsNonNullable = true };

    private readonly JsonObject _schemas = [];

    /// <summary>Maps the document, for anyone: it tells nothing about what is stored.</summary>
    /// <param name="operations">Asked with the first request for the document: what they say of every type in the API is nothing that a server needs to start.</param>
    public static void Map(WebApplication app, Func<IReadOnlyList<ApiOperation>> operations)
    {
        var text = new Lazy<string>(() => new ApiDocument(((IEndpointRouteBuilder)app).DataSources.Count == 1
            ? ((IEndpointRouteBuilder)app).DataSources.Single() : new CompositeEndpointDataSource(((IEndpointRouteBuilder)app).DataSources), operations()).Render());
        app.MapGet("/openapi.json", http =>
        {
            http.Response.ContentType = "application/json";
            return http.Response.WriteAsync(text.Value, http.RequestAborted);
        });
    }

    private string Render()
    {
        var mapped = endpoints.Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<HttpMethodMetadata>() is not null)
            .SelectMany(e => e.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods, (e, method) => (Method: method, Path: "/" + e.RoutePattern.RawText!.TrimStart('/')))
            .OrderBy(e => e.Path, StringComparer.Ordinal).ThenBy(e => e.Method, StringComparer.Ordinal).ToList();
        var paths = new JsonObject();
        foreach (var (method, path) in mapped)
        {
            paths.TryAdd(path, new JsonObject());
            paths[path]!.AsObject()[method.ToLowerInvariant()] = Operation(method, path);
        }
        var unmapped = operations.Where(o => !mapped.Contains((o.Method, o.Path))).Select(o => (JsonNode?)$"{o.Method} {o.Path}").ToArray();
        Reference(ProblemJson.Default.ProblemView);
        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = "Dure", ["version"] = DureVersion.Text },
            ["security"] = new JsonArray(new JsonObject { ["bearer"] = new JsonArray() }),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject { ["bearer"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" } },
                ["schemas"] = _schemas,
            },
            ["x-unmapped"] = new JsonArray(unmapped),
        }.ToJsonString();
    }

    private JsonObject Operation(string method, string path)
    {
        var known = operations.FirstOrDefault(o => o.Method == method && o.Path == path);
        if (known is null)
            return new JsonObject { ["x-undocumented"] = true, ["responses"] = new JsonObject() };
        var success = new JsonObject { ["description"] = known.Summary };
        if (known.Response is not null)
            success["content"] = Content("application/json", Reference(known.Response));
        else if (known.ResponseType is { } type)
            success["content"] = Content(type, []);
        var operation = new JsonObject
        {
            ["summary"] = known.Summary,
            ["parameters"] = new JsonArray([.. Parameters(known)]),
            ["responses"] = new JsonObject
            {
                [known.Status.ToString(CultureInfo.InvariantCulture)] = success,
                ["default"] = new JsonObject { ["description"] = "A problem (RFC 9457).", ["content"] = Content("application/problem+json", Reference(ProblemJson.Default.ProblemView)) },
            },
        };
        if (known.Request is not null)
            operation["requestBody"] = new JsonObject { ["content"] = Content("application/json", Reference(known.Request)) };
        else if (known.RequestType is { } sent)
            operation["requestBody"] = new JsonObject { ["content"] = Content(sent, []) };
        return operation;
    }

    private static IEnumerable<JsonNode?> Parameters(ApiOperation operation)
    {
        foreach (Match match in Segment().Matches(operation.Path))
            yield return Parameter(match.Groups["name"].Value, "path", "", required: true);
        foreach (var (name, meaning) in operation.Parameters)
            yield return Parameter(name, char.IsUpper(name[0]) ? "header" : "query", meaning, required: false);
    }

    private static JsonObject Parameter(string name, string place, string meaning, bool required) => new()
    {
        ["name"] = name,
        ["in"] = place,
        ["required"] = required,
        ["description"] = meaning,
        ["schema"] = new JsonObject { ["type"] = "string" },
    };

    private static JsonObject Content(string type, JsonObject schema) => new() { [type] = new JsonObject { ["schema"] = schema } };

    private JsonObject Reference(JsonTypeInfo type)
    {
        var name = NameOf(type.Type);
        if (!_schemas.ContainsKey(name))
        {
            // References inside an exported schema begin at its own root.
            var schema = JsonNode.Parse(type.GetJsonSchemaAsNode(Exact).ToJsonString().Replace("\"$ref\":\"#", $"\"$ref\":\"#/components/schemas/{name}", StringComparison.Ordinal))!;
            _schemas[name] = schema;
        }
        return new JsonObject { ["$ref"] = "#/components/schemas/" + name };
    }

    private static string NameOf(Type type) => type.IsGenericType
        ? string.Concat(type.GetGenericArguments().Select(NameOf)) + type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)] : type.Name;

    [GeneratedRegex(@"\{(?<name>[a-z]+)\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Segment();
}
