using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dure.Functions.Worker.RuntimeApi;

/// <summary>The AWS Lambda Runtime API, version 2018-06-01.</summary>
internal static class RuntimeApiEndpoints
{
    private const string Root = "/2018-06-01/runtime/";
    private const string Invocation = Root + "invocation/";
    private const int ErrorMost = 512 << 10;
    private const int PieceSize = 64 << 10;

    /// <summary>Answers one request of the program in <paramref name="bridge"/>'s sandbox.</summary>
    public static async Task HandleAsync(HttpContext http, RuntimeApiBridge bridge)
    {
        var path = http.Request.Path.Value ?? "";
        try
        {
            if (HttpMethods.IsGet(http.Request.Method) && path == Invocation + "next") await NextAsync(http, bridge);
            else if (!HttpMethods.IsPost(http.Request.Method)) await RefuseAsync(http, 404, "NotFound", "404 page not found");
            else if (path == Root + "init/error") await InitErrorAsync(http, bridge);
            else if (path.StartsWith(Invocation, StringComparison.Ordinal) && path.EndsWith("/response", StringComparison.Ordinal)) await ResponseAsync(http, bridge, path);
            else if (path.StartsWith(Invocation, StringComparison.Ordinal) && path.EndsWith("/error", StringComparison.Ordinal)) await ErrorAsync(http, bridge, path);
            else await RefuseAsync(http, 404, "NotFound", "404 page not found");
        }
        catch (Exception e) when (e is OperationCanceledException or BadHttpRequestException)
        {
            http.Abort();
        }
    }

    private static async Task NextAsync(HttpContext http, RuntimeApiBridge bridge)
    {
        var invocation = await bridge.NextAsync(http.RequestAborted);
        var headers = http.Response.Headers;
        // Without a time limit a year is as good as for ever, and fits every client's arithmetic.
        var deadline = invocation.Deadline > 0 ? invocation.Deadline : bridge.Time.GetUtcNow().AddDays(365).ToUnixTimeMilliseconds();
        headers["Lambda-Runtime-Aws-Request-Id"] = invocation.RequestId;
        headers["Lambda-Runtime-Deadline-Ms"] = deadline.ToString(CultureInfo.InvariantCulture);
        headers["Lambda-Runtime-Invoked-Function-Arn"] = invocation.Function.Arn;
        headers["Lambda-Runtime-Trace-Id"] = invocation.Trace;
        headers["Dure-Attempt"] = invocation.Key.Attempt.ToString(CultureInfo.InvariantCulture);
        headers["Dure-May-Have-Run"] = invocation.MayHaveRun ? "true" : "false";
        headers["Dure-Checkpoint-Dir"] = $"/dure/io/ck/{(ulong)invocation.Key.Invocation}";
        http.Response.ContentType = "application/json";
        if (invocation.Path is null)
        {
            http.Response.ContentLength = invocation.Payload.Length;
            await http.Response.Body.WriteAsync(invocation.Payload, http.RequestAborted);
            return;
        }

        await using var file = File.OpenRead(invocation.Path);
        http.Response.ContentLength = file.Length;
        await file.CopyToAsync(http.Response.Body, http.RequestAborted);
    }

    private static async Task ResponseAsync(HttpContext http, RuntimeApiBridge bridge, string path)
    {
        if (bridge.Find(RequestId(path, "/response")) is not { } invocation)
        {
            await RefuseAsync(http, 400, "InvalidRequestID", "Invalid request ID");
            return;
        }

        var streaming = string.Equals(http.Request.Headers["Lambda-Runtime-Function-Response-Mode"], "streaming", StringComparison.OrdinalIgnoreCase);
        using var body = new ResultBody(bridge.Folder, $"{(ulong)invocation.Key.Invocation}-{invocation.Key.Attempt}");
        var buffer = new byte[PieceSize];
        for (int count; (count = await http.Request.Body.ReadAsync(buffer, http.RequestAborted)) > 0;)
        {
            body.Append(buffer.AsSpan(0, count));
            if (streaming) await bridge.ChunkAsync(invocation, buffer.AsMemory(0, count), http.RequestAborted);
        }

        var failed = http.Request.CheckTrailersAvailable() && http.Request.SupportsTrailers()
            ? http.Request.GetTrailer("Lambda-Runtime-Function-Error-Type").ToString() : "";
        var answered = failed.Length > 0
            ? bridge.Fail(invocation, TrailerError(failed, http.Request.GetTrailer("Lambda-Runtime-Function-Error-Body").ToString()))
            : bridge.Finish(invocation, streaming, body.Path, body.Memory);
        if (answered) await AcceptAsync(http);
        else await RefuseAsync(http, 400, "InvalidRequestID", "Invalid request ID");
    }

    private static async Task ErrorAsync(HttpContext http, RuntimeApiBridge bridge, string path)
    {
        var invocation = bridge.Find(RequestId(path, "/error"));
        var error = await ErrorJsonAsync(http);
        if (invocation is not null && bridge.Fail(invocation, error)) await AcceptAsync(http);
        else await RefuseAsync(http, 400, "InvalidRequestID", "Invalid request ID");
    }

    private static async Task InitErrorAsync(HttpContext http, RuntimeApiBridge bridge)
    {
        bridge.FailInit(await ErrorJsonAsync(http));
        await AcceptAsync(http);
    }

    /// <summary>The error in the shape that the server expects, whatever the program sent.</summary>
    private static async Task<byte[]> ErrorJsonAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        var buffer = new byte[PieceSize];
        for (int count; (count = await http.Request.Body.ReadAsync(buffer, http.RequestAborted)) > 0;)
            if (body.Length + count <= ErrorMost) body.Write(buffer.AsSpan(0, count));
        JsonObject error;
        try
        {
            error = JsonNode.Parse(body.ToArray()) as JsonObject ?? [];
        }
        catch (JsonException)
        {
            error = new JsonObject { ["errorMessage"] = Encoding.UTF8.GetString(body.ToArray()) };
        }

        var type = http.Request.Headers["Lambda-Runtime-Function-Error-Type"].ToString();
        if (error["errorType"] is null) error["errorType"] = type.Length > 0 ? type : "Runtime.UnknownReason";
        error["errorMessage"] ??= "";
        return Encoding.UTF8.GetBytes(error.ToJsonString());
    }

    private static byte[] TrailerError(string type, string bodyBase64)
    {
        var error = new JsonObject { ["errorType"] = type, ["errorMessage"] = "" };
        try
        {
            if (JsonNode.Parse(Convert.FromBase64String(bodyBase64)) is JsonObject given)
            {
                error = given;
                error["errorType"] ??= type;
            }
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            error["errorMessage"] = bodyBase64;
        }

        return Encoding.UTF8.GetBytes(error.ToJsonString());
    }

    private static string RequestId(string path, string ending) => path[Invocation.Length..^ending.Length];

    private static Task AcceptAsync(HttpContext http)
    {
        http.Response.StatusCode = 202;
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync("""{"status":"OK"}""" + "\n", http.RequestAborted);
    }

    private static Task RefuseAsync(HttpContext http, int status, string type, string message)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync($$"""{"errorMessage":"{{message}}","errorType":"{{type}}"}""" + "\n", http.RequestAborted);
    }
}
