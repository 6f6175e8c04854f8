using System.Text.Json;
using Dure.Functions.Api;

namespace Dure.Functions.Callbacks;

/// <summary>What a callback sends: the invocation as the API shows it and, when it is small, its result.</summary>
internal sealed class CallbackBody(InvocationReader reader)
{
    /// <summary>Longer results are left to be fetched.</summary>
    public const int InlineMax = 64 << 10;

    /// <summary>The body; null when the invocation is no longer kept.</summary>
    public async ValueTask<byte[]?> MakeAsync(long invocation, CancellationToken cancel)
    {
        if (await reader.FindAsync(invocation, cancel) is not { } view)
            return null;
        var stored = view.State == "SUCCESS" ? await reader.PayloadAsync(invocation, result: true, cancel) : null;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            using var known = JsonDocument.Parse(JsonSerializer.SerializeToUtf8Bytes(view, ApiJson.Default.InvocationView));
            foreach (var member in known.RootElement.EnumerateObject())
                member.WriteTo(json);
            if (stored is { Inline: { Length: <= InlineMax } result, Blob: null })
                WriteResult(json, result);
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    private static void WriteResult(Utf8JsonWriter json, byte[] result)
    {
        try
        {
            using var parsed = JsonDocument.Parse(result);
            json.WritePropertyName("result");
            parsed.RootElement.WriteTo(json);
        }
        catch (JsonException)
        {
            json.WriteBase64String("result_base64", result);
        }
    }
}
