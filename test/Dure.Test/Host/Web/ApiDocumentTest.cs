using System.Net;
using System.Text.Json.Nodes;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Host.Web;

public sealed class ApiDocumentTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task The_document_describes_every_endpoint_and_the_answers_are_as_it_says()
    {
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch["data"], Cancel);
        var document = await dure.GetAsync("/openapi.json", Cancel);
        Assert.Empty(document["x-unmapped"]!.AsArray());
        var operations = document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(o => (Name: o.Key + " " + path.Key, o.Value!))).ToList();
        Assert.True(operations.Count > 25);
        Assert.Empty(operations.Where(o => o.Item2["x-undocumented"] is not null).Select(o => o.Name));
        await dure.DeployAsync("echo", Cancel, ("handler.py", "def handler(event, context):\n    return event\n"));
        var id = await dure.SubmitAsync("echo", "{}", Cancel);
        await dure.EndAsync(id, Cancel);
        foreach (var (path, address) in new[]
        {
            ("/api/status", "/api/status"), ("/api/health", "/api/health"), ("/api/functions", "/api/functions"), ("/api/functions/{name}", "/api/functions/echo"),
            ("/api/functions/{name}/versions", "/api/functions/echo/versions"), ("/api/functions/{name}/history", "/api/functions/echo/history"), ("/api/templates", "/api/templates"),
            ("/api/functions/{name}/versions/{version}/files", "/api/functions/echo/versions/1/files"), ("/api/functions/{name}/test-events", "/api/functions/echo/test-events"), ("/api/invocations", "/api/invocations"), ("/api/invocations/{id}", "/api/invocations/" + id),
            ("/api/tokens", "/api/tokens"), ("/api/backups", "/api/backups"), ("/api/retention", "/api/retention"),
        })
        {
            var schema = document["paths"]![path]!["get"]!["responses"]!["200"]!["content"]!["application/json"]!["schema"]!;
            Check(document, schema, await dure.GetAsync(address, Cancel), path);
        }
        var (status, problem) = await dure.SendAsync(HttpMethod.Get, "/api/functions/none", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, status);
        Check(document, document["components"]!["schemas"]!["ProblemView"]!, problem, "problem");
        Assert.StartsWith($"# {problem!["id"]}: ", await dure.Http.GetStringAsync(new Uri((string)problem["type"]!, UriKind.Relative), Cancel), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Bad_bodies_are_problems_and_never_a_bare_500()
    {
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch["data"], Cancel);
        foreach (var (method, path, body) in new[]
        {
            (HttpMethod.Post, "/api/tokens", "{"), (HttpMethod.Post, "/api/tokens", "null"), (HttpMethod.Post, "/api/tokens", "[1]"), (HttpMethod.Put, "/api/secrets/A", "7"),
            (HttpMethod.Post, "/api/stop", "{\"drain_ms\":\"x\"}"), (HttpMethod.Get, "/api/invocations?limit=x", null), (HttpMethod.Get, "/api/tokens?limit=x", null),
        })
        {
            var (status, problem) = await dure.SendAsync(method, path, Cancel, body);
            Assert.True((int)status is >= 400 and < 500, $"{path}: {status}");
            Assert.StartsWith("DURE", (string?)problem?["id"], StringComparison.Ordinal);
        }
    }

    // The parts of JSON Schema that the document uses.
    private static void Check(JsonNode document, JsonNode schema, JsonNode? value, string at)
    {
        if ((string?)schema["$ref"] is { } reference)
        {
            var target = document;
            foreach (var step in reference.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries))
                target = target is JsonArray list ? list[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture)]! : target[step]!;
            Check(document, target, value, at);
            return;
        }
        if (schema is JsonValue)
            return;
        var types = schema["type"] switch { JsonArray many => many.Select(t => (string)t!).ToList(), JsonValue one => [(string)one!], _ => null };
        var kind = value?.GetValueKind() switch
        {
            System.Text.Json.JsonValueKind.Object => "object",
            System.Text.Json.JsonValueKind.Array => "array",
            System.Text.Json.JsonValueKind.String => "string",
            System.Text.Json.JsonValueKind.Number => "number",
            System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False => "boolean",
            _ => "null",
        };
        Assert.True(types is null || types.Contains(kind) || (kind == "number" && types.Contains("integer")), $"{at} is {kind}, the document says {schema["type"]}");
        if (value is JsonObject members)
        {
            foreach (var (name, inner) in members)
            {
                if (schema["properties"] is JsonObject properties)
                    Assert.True(properties.ContainsKey(name), $"{at}.{name} is not in the document");
                if ((schema["properties"]?[name] ?? schema["additionalProperties"]) is JsonNode known)
                    Check(document, known, inner, $"{at}.{name}");
            }
        }
        else if (value is JsonArray items && schema["items"] is { } item)
        {
            foreach (var one in items)
                Check(document, item, one, at + "[]");
        }
    }
}
