using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Win32.SafeHandles;

namespace Dure.Storage.Providers;

/// <summary>
/// An object's file: the content, then what is known of it as JSON, then the JSON's length and a mark. At the end because length and digest are known only
/// there; in the same file because two files cannot be put in place at once.
/// </summary>
internal sealed record FolderFile
{
    private const int TailBytes = 12;
    private const int JsonBytesMax = 1 << 20;

    public required string Key { get; init; }

    public required long Length { get; init; }

    public required string Sha256 { get; init; }

    public required long ModifiedMs { get; init; }

    public string? ContentType { get; init; }

    public Dictionary<string, string> Metadata { get; init; } = new(StringComparer.Ordinal);

    private static ReadOnlySpan<byte> Mark => "DureObj1"u8;

    /// <summary>What stands at the end of a file; null when it is no object's or is damaged.</summary>
    public static FolderFile? Read(SafeFileHandle file)
    {
        var length = RandomAccess.GetLength(file);
        Span<byte> tail = stackalloc byte[TailBytes];
        if (length < TailBytes || RandomAccess.Read(file, tail, length - TailBytes) != TailBytes || !tail[4..].SequenceEqual(Mark))
        {
            return null;
        }

        var jsonBytes = BinaryPrimitives.ReadInt32LittleEndian(tail);
        if (jsonBytes is <= 0 or > JsonBytesMax || jsonBytes + TailBytes > length)
        {
            return null;
        }

        var json = new byte[jsonBytes];
        try
        {
            return RandomAccess.Read(file, json, length - TailBytes - jsonBytes) == jsonBytes
                && JsonSerializer.Deserialize(json, FolderJson.Default.FolderFile) is { } found && found.Length == length - TailBytes - jsonBytes
                ? found
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What comes after the content.</summary>
    public byte[] Ending()
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(this, FolderJson.Default.FolderFile);
        var ending = new byte[json.Length + TailBytes];
        json.CopyTo(ending, 0);
        BinaryPrimitives.WriteInt32LittleEndian(ending.AsSpan(json.Length), json.Length);
        Mark.CopyTo(ending.AsSpan(json.Length + 4));
        return ending;
    }

    /// <summary>As the seam tells it.</summary>
    public ObjectFacts Facts(string key) => new(key, Length, Sha256, DateTimeOffset.FromUnixTimeMilliseconds(ModifiedMs), ContentType, Metadata);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FolderFile))]
internal sealed partial class FolderJson : JsonSerializerContext;
