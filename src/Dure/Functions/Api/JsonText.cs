using System.Text.Json;

namespace Dure.Functions.Api;

/// <summary>Whether bytes are JSON, without building anything of them.</summary>
internal static class JsonText
{
    /// <summary>What is wrong with the bytes; null when they are one JSON value.</summary>
    public static string? Fault(ReadOnlySpan<byte> bytes)
    {
        var reader = new Utf8JsonReader(bytes);
        try
        {
            while (reader.Read())
            {
            }
            return null;
        }
        catch (JsonException error)
        {
            return error.Message;
        }
    }
}
