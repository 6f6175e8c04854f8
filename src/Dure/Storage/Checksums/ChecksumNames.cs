using System.Diagnostics.CodeAnalysis;

namespace Dure.Storage.Checksums;

/// <summary>How S3 writes checksums: <c>x-amz-checksum-crc32c</c> in headers, <c>CRC32C</c> where an algorithm is named, the value in base 64.</summary>
public static class ChecksumNames
{
    /// <summary>What all headers of values begin with. <c>-algorithm</c>, <c>-mode</c> and <c>-type</c> begin so too and hold no value.</summary>
    public const string HeaderStart = "x-amz-checksum-";

    private static readonly string[] Words = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"];
    private static readonly string[] Headers = [.. Words.Select(word => HeaderStart + word.ToLowerInvariant())];
    private static readonly int[] Lengths = [4, 4, 8, 20, 32];

    /// <summary>Every kind.</summary>
    public static IReadOnlyList<ChecksumKind> All { get; } = Enum.GetValues<ChecksumKind>();

    /// <summary>The header of a kind, in lower case.</summary>
    public static string Header(ChecksumKind kind) => Headers[(int)kind];

    /// <summary>The word of a kind, as in <c>x-amz-checksum-algorithm</c>; also the start of its XML element, <c>ChecksumCRC32C</c>.</summary>
    public static string Word(ChecksumKind kind) => Words[(int)kind];

    /// <summary>Bytes of a value.</summary>
    public static int Length(ChecksumKind kind) => Lengths[(int)kind];

    /// <summary>Whether a value can be of the whole object; if not, a multipart object's is composite.</summary>
    public static bool CanBeFullObject(ChecksumKind kind) => kind is ChecksumKind.Crc32 or ChecksumKind.Crc32C or ChecksumKind.Crc64Nvme;

    /// <summary>The kind of a word, in any case.</summary>
    /// <returns>False when it is none that S3 knows.</returns>
    public static bool TryParseWord([NotNullWhen(true)] string? word, out ChecksumKind kind) => TryFind(Words, word, out kind);

    /// <summary>The kind of a header or trailer that holds a value.</summary>
    /// <returns>False when it is none.</returns>
    public static bool TryParseHeader([NotNullWhen(true)] string? name, out ChecksumKind kind) => TryFind(Headers, name, out kind);

    /// <summary>The bytes of a value in base 64; null when it is malformed or of another length.</summary>
    public static byte[]? Decode(ChecksumKind kind, string? value)
    {
        var bytes = new byte[Length(kind)];
        return value is not null
            && value.Length == (bytes.Length + 2) / 3 * 4
            && !value.AsSpan().ContainsAny(" \n\r\t")
            && Convert.TryFromBase64String(value, bytes, out var length)
            && length == bytes.Length
            ? bytes
            : null;
    }

    private static bool TryFind(string[] names, string? name, out ChecksumKind kind)
    {
        var at = Array.FindIndex(names, known => known.Equals(name, StringComparison.OrdinalIgnoreCase));
        kind = (ChecksumKind)Math.Max(at, 0);
        return at >= 0;
    }
}
