using System.Text.Json;
using System.Text.Json.Serialization;
using Dure.Host.Configuration;
using Dure.Host.Identity;
using Dure.Host.Web;
using Dure.Host.Web.OpenApi;

namespace Dure.Storage.Providers;

/// <summary>The API of providers: <c>/api/storage/providers</c>.</summary>
public static class ProvidersApi
{
    /// <summary>The part of the API's document.</summary>
    internal static readonly IReadOnlyList<ApiOperation> Operations =
    [
        new("GET", "/api/storage/providers", "Providers of object storage as configured, without credentials.", 200, ProvidersJson.Default.ProviderListView),
        new("POST", "/api/storage/providers/{name}/test", "Prove a provider; one line of JSON for each step as it ends.", 200) { ResponseType = JsonBody.Lines },
    ];

    /// <summary>Maps the endpoints.</summary>
    public static void Map(Gate gate, ProviderSet providers, TimeProvider time)
    {
        gate.Map("GET", "/api/storage/providers", Scopes.Read, http =>
            JsonBody.WriteAsync(http, new ProviderListView([.. providers.All.Select(View)]), ProvidersJson.Default.ProviderListView));
        gate.Map("POST", "/api/storage/providers/{name}/test", Scopes.Admin, http => TestAsync(http, providers, time));
    }

    private static async Task TestAsync(HttpContext http, ProviderSet providers, TimeProvider time)
    {
        var opened = await providers.OpenAsync((string)http.Request.RouteValues["name"]!, http.RequestAborted);
        if (!opened.Ok)
        {
            await ProblemResponse.WriteAsync(http, opened.Problem);
            return;
        }

        http.Response.ContentType = "application/x-ndjson";
        await foreach (var step in new ProviderTest(opened.Value, time).RunAsync(http.RequestAborted))
            await JsonBody.WriteLineAsync(http, step, ProvidersJson.Default.ProviderTestStep);
    }

    private static ProviderView View(ProviderOptions options) => new(options.Name, options.Type, options.Endpoint?.AbsoluteUri, options.Region,
        options.Bucket, options.Path, options.Prefix, options.Both ? "both" : "async", options.Functions);
}

/// <summary>A provider as the API shows it.</summary>
/// <param name="Endpoint">Null for the type's own.</param>
/// <param name="Bucket">Bucket or container.</param>
/// <param name="Path">Of a folder.</param>
/// <param name="Mode">async or both.</param>
/// <param name="Functions">Functions' sources and results go there.</param>
public sealed record ProviderView(string Name, string Type, string? Endpoint, string? Region, string? Bucket, string? Path, string Prefix, string Mode, bool Functions);

/// <summary>All providers.</summary>
public sealed record ProviderListView(IReadOnlyList<ProviderView> Items);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ProviderListView))]
[JsonSerializable(typeof(ProviderTestStep))]
[JsonSerializable(typeof(IReadOnlyList<ProviderTestStep>))]
internal sealed partial class ProvidersJson : JsonSerializerContext;
