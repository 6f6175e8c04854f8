using Dure.Storage.Checksums;
using Dure.Storage.S3;

namespace Dure.Storage.Signing;

/// <summary>What the headers of an upload claim of its bytes, besides signatures.</summary>
/// <param name="Md5">16 bytes; null for none.</param>
/// <param name="Kind">The checksum that is claimed; null for none.</param>
/// <param name="Value">Base 64; null when it comes as a trailer.</param>
/// <param name="Trailers">Names announced to come after the bytes, lower case.</param>
internal sealed record BodyClaims(byte[]? Md5, ChecksumKind? Kind, string? Value, IReadOnlyList<string> Trailers)
{
    private const string SdkAlgorithm = "x-amz-sdk-checksum-algorithm";

    /// <summary>Reads the headers.</summary>
    /// <returns>The claims, or S3's answer to what is wrong with them.</returns>
    public static (BodyClaims? Claims, S3Error? Error) Read(HttpRequest request)
    {
        byte[]? md5 = null;
        if (request.Headers.ContentMD5.Count > 0)
        {
            md5 = new byte[16];
            if (request.Headers.ContentMD5.ToString() is not { Length: 24 } text || !Convert.TryFromBase64String(text, md5, out var length) || length != md5.Length)
            {
                return (null, SigningErrors.BadMd5);
            }
        }
        var (kind, value, error) = ReadValue(request);
        if (error is not null)
        {
            return (null, error);
        }
        var trailers = request.Headers["x-amz-trailer"].ToString().ToLowerInvariant().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        foreach (var trailer in trailers)
        {
            if (!ChecksumNames.TryParseHeader(trailer, out var announced))
            {
                return (null, SigningErrors.Invalid("The value specified in the x-amz-trailer header is not supported"));
            }
            if (kind is not null)
            {
                return (null, SigningErrors.Invalid("Expecting a single x-amz-checksum- header"));
            }
            kind = announced;
        }
        return CheckAlgorithm(request.Headers[SdkAlgorithm].ToString(), kind) is { } wrong ? (null, wrong) : (new BodyClaims(md5, kind, value, trailers), null);
    }

    private static (ChecksumKind? Kind, string? Value, S3Error? Error) ReadValue(HttpRequest request)
    {
        ChecksumKind? kind = null;
        string? value = null;
        foreach (var known in ChecksumNames.All)
        {
            var header = request.Headers[ChecksumNames.Header(known)];
            if (header.Count == 0)
            {
                continue;
            }
            if (kind is not null || header.Count > 1)
            {
                return (null, null, SigningErrors.Invalid("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."));
            }
            (kind, value) = (known, header.ToString());
            if (ChecksumNames.Decode(known, value) is null)
            {
                return (null, null, SigningErrors.Invalid($"Value for {ChecksumNames.Header(known)} header is invalid."));
            }
        }
        return (kind, value, null);
    }

    private static S3Error? CheckAlgorithm(string word, ChecksumKind? claimed) => word.Length == 0 ? null
        : !ChecksumNames.TryParseWord(word, out var kind) ? SigningErrors.Invalid("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
        : claimed is null ? SigningErrors.Invalid($"{SdkAlgorithm} specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.")
        : kind != claimed ? SigningErrors.Invalid($"Value for {SdkAlgorithm} header is invalid.")
        : null;
}
