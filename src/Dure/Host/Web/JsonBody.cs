using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.Features;

namespace Dure.Host.Web;

/// <summary>JSON in requests and responses.</summary>
public static class JsonBody
{
    /// <summary>Bytes of a request body that is read as a whole.</summary>
    public const int LengthMax = 1 << 20;

    /// <summary>The media type of one JSON object a line.</summary>
    public const string Lines = "application/x-ndjson";

    /// <summary>Whether the request has a body, of a known length or in chunks.</summary>
    public static bool HasBody(this HttpContext http) =>
        http.Request.ContentLength is not 0 && http.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true };

    /// <summary>Writes a value as the response.</summary>
    public static Task WriteAsync<T>(HttpContext http, T value, JsonTypeInfo<T> type)
    {
        http.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(http.Response.Body, value, type, http.RequestAborted);
    }

    /// <summary>Writes a value as one line of a response that keeps coming (<see cref="Lines"/>), at once.</summary>
    public static async ValueTask WriteLineAsync<T>(HttpContext http, T value, JsonTypeInfo<T> type)
    {
        await http.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(value, type), http.RequestAborted);
        await http.Response.Body.WriteAsync("\n"u8.ToArray(), http.RequestAborted);
        await http.Response.Body.FlushAsync(http.RequestAborted);
    }

    /// <summary>Reads the request's body.</summary>
    /// <returns>The value, or what is wrong with the body.</returns>
    public static async ValueTask<Outcome<T>> ReadAsync<T>(HttpContext http, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            var body = new byte[4 * 1024];
            var length = 0;
            int read;
            while ((read = await http.Request.Body.ReadAsync(body.AsMemory(length), http.RequestAborted)) > 0)
            {
                length += read;
                if (length > LengthMax)
                {
                    return HostErrors.BadRequest.With($"The body is larger than {LengthMax} bytes.");
                }
                if (length == body.Length)
                {
                    Array.Resize(ref body, 2 * length);
                }
            }
            return JsonSerializer.Deserialize(body.AsSpan(0, length), type) is { } value
                ? value
                : HostErrors.BadRequest.With("The body is null.");
        }
        catch (JsonException error)
        {
            // Only where it is wrong: the text of the error may quote the value, and values may be secret.
            var place = error.LineNumber is { } line ? $"line {line + 1}, byte {error.BytePositionInLine + 1}" : "the body";
            return HostErrors.BadRequest.With("The body is not the JSON that is expected here.", [new Fault(error.Path ?? "$", $"Not understood at {place}.")]);
        }
    }
}
