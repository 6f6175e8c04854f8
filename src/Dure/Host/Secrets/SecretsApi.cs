using System.Text.Json.Serialization;
using Dure.Host.Commands;
using Dure.Host.Identity;
using Dure.Host.Web;

namespace Dure.Host.Secrets;

/// <summary>The API of secrets: <c>/api/secrets</c>. Values go in and never come out.</summary>
public static class SecretsApi
{
    private const int LimitMax = 1000;

    /// <summary>Maps the endpoints.</summary>
    public static void Map(Gate gate, SecretStore secrets)
    {
        gate.Map("GET", "/api/secrets", Scopes.Read, http => ListAsync(http, secrets));
        gate.Map("PUT", "/api/secrets/{name}", Scopes.Deploy, http => SetAsync(http, secrets));
        gate.Map("DELETE", "/api/secrets/{name}", Scopes.Deploy, http => RemoveAsync(http, secrets));
    }

    private static async Task ListAsync(HttpContext http, SecretStore secrets)
    {
        var query = http.Request.Query;
        var limit = 50;
        if (query.TryGetValue("limit", out var asked) && (!int.TryParse(asked, out limit) || limit is < 1 or > LimitMax))
        {
            await ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The list cannot be made.", [new Fault("limit", $"A number from 1 to {LimitMax}.")]));
            return;
        }
        var found = await secrets.ListAsync(query["cursor"].ToString(), limit + 1, http.RequestAborted);
        var page = new PageView<SecretView>([.. found.Take(limit)], found.Count > limit ? found[limit - 1].Name : null);
        await JsonBody.WriteAsync(http, page, SecretJson.Default.PageViewSecretView);
    }

    private static async Task SetAsync(HttpContext http, SecretStore secrets)
    {
        var body = await JsonBody.ReadAsync(http, SecretJson.Default.SetSecret);
        if (!body.Ok)
        {
            await ProblemResponse.WriteAsync(http, body.Problem);
            return;
        }
        var set = await secrets.SetAsync((string)http.Request.RouteValues["name"]!, body.Value.Value, http.Caller().Name, http.RequestAborted);
        if (!set.Ok)
        {
            await ProblemResponse.WriteAsync(http, set.Problem);
            return;
        }
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static async Task RemoveAsync(HttpContext http, SecretStore secrets)
    {
        var name = (string)http.Request.RouteValues["name"]!;
        if (!await secrets.RemoveAsync(name, http.RequestAborted))
        {
            await ProblemResponse.WriteAsync(http, SecretErrors.NoSuchSecret.With($"There is no secret '{name}'."));
            return;
        }
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    }
}

/// <summary>Body of PUT /api/secrets/{name}. Not a record, whose text would show the value.</summary>
internal sealed class SetSecret
{
    public string? Value { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(PageView<SecretView>))]
[JsonSerializable(typeof(SetSecret))]
internal sealed partial class SecretJson : JsonSerializerContext;
