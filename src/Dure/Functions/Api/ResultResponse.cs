using System.Text.Json;
using Dure.Host;
using Dure.Host.Web;

namespace Dure.Functions.Api;

/// <summary>Answers with the result of an ended invocation.</summary>
internal static class ResultResponse
{
    /// <summary>Writes the result, or the problem that stands for its failure.</summary>
    /// <param name="version">What ran it; null when it is not known here any more.</param>
    public static async Task WriteAsync(HttpContext http, FunctionsContext context, long id, FunctionVersion? version, Finished finished)
    {
        http.Response.Headers["Dure-Attempt"] = finished.Attempt.ToString(System.Globalization.CultureInfo.InvariantCulture);
        WriteHeaders(http, id, version);
        if (finished is { State: InvocationState.Success, Result: { } result })
            await WriteBytesAsync(http, context, result);
        else if (finished.State == InvocationState.Success)
            await ProblemResponse.WriteAsync(http, FunctionErrors.NoResult.With("It succeeded; its result was removed by retention."));
        else
            await WriteFailureAsync(http, id, finished);
    }

    /// <summary>Says which invocation this is, what ran it and how much was promised: part of every answer about a result.</summary>
    /// <param name="version">Null when it is not known here any more.</param>
    public static void WriteHeaders(HttpContext http, long id, FunctionVersion? version)
    {
        var headers = http.Response.Headers;
        headers["Dure-Invocation"] = InvocationId.Format(id);
        if (version is null)
            return;
        headers["Dure-Durability"] = version.Spec.Durability == Durability.Durable ? "durable" : "relaxed";
        headers["Dure-Version"] = version.Digest;
    }

    /// <summary>Writes stored bytes with the content type that fits them.</summary>
    public static async Task WriteBytesAsync(HttpContext http, FunctionsContext context, Payload result)
    {
        if (result.Blob is null)
        {
            http.Response.ContentType = !result.Inline.IsEmpty && JsonText.Fault(result.Inline.Span) is null ? "application/json" : "application/octet-stream";
            http.Response.ContentLength = result.Inline.Length;
            await http.Response.Body.WriteAsync(result.Inline, http.RequestAborted);
            return;
        }
        await using var blob = await context.Blobs.OpenAsync(result.Blob, http.RequestAborted);
        if (blob is null)
        {
            await ProblemResponse.WriteAsync(http, FunctionErrors.NoResult.With("The stored result is gone."));
            return;
        }
        http.Response.ContentType = await LooksLikeJsonAsync(blob, http.RequestAborted) ? "application/json" : "application/octet-stream";
        http.Response.ContentLength = result.Length;
        await blob.CopyToAsync(http.Response.Body, http.RequestAborted);
    }

    // A large result is not parsed a second time for its label: its first byte tells enough.
    private static async ValueTask<bool> LooksLikeJsonAsync(Stream blob, CancellationToken cancel)
    {
        var first = new byte[1];
        var count = await blob.ReadAsync(first, cancel);
        blob.Position = 0;
        return count == 1 && first[0] is (byte)'{' or (byte)'[' or (byte)'"';
    }

    private static Task WriteFailureAsync(HttpContext http, long id, Finished finished)
    {
        var kind = finished.State switch
        {
            InvocationState.Cancelled => FunctionErrors.FunctionCancelled,
            InvocationState.Unknown => FunctionErrors.OutcomeUnknown,
            _ => FunctionErrors.FunctionFailed,
        };
        var problem = ProblemView.Of(kind.With(finished.Reason ?? "It failed."));
        http.Response.StatusCode = kind.Status;
        http.Response.ContentType = "application/problem+json";
        var body = new FailureView(problem.Type, problem.Id, problem.Title, problem.Status, problem.Detail, problem.Remedy, InvocationId.Format(id), ApiJson.ReadError(finished.Error));
        return JsonSerializer.SerializeAsync(http.Response.Body, body, FailureJson.Default.FailureView, http.RequestAborted);
    }
}

/// <summary>A problem that stands for a failed invocation.</summary>
public sealed record FailureView(string Type, string Id, string Title, int Status, string Detail, string Remedy, string Invocation, ErrorView? Error);

[System.Text.Json.Serialization.JsonSourceGenerationOptions(PropertyNamingPolicy = System.Text.Json.Serialization.JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
[System.Text.Json.Serialization.JsonSerializable(typeof(FailureView))]
internal sealed partial class FailureJson : System.Text.Json.Serialization.JsonSerializerContext;
