using System.IO.Compression;
using System.Security.Cryptography;

namespace Dure.Portal.Pages;

/// <summary>
/// One file of the portal, in memory in the forms in which the build left it. What compresses is kept compressed only: the rare caller that takes
/// neither form gets it unpacked on the way.
/// </summary>
/// <param name="Length">Bytes of the file itself.</param>
/// <param name="Plain">Empty where the file is kept compressed.</param>
internal sealed record SiteFile(string ContentType, string Digest, long Length, ReadOnlyMemory<byte> Plain, ReadOnlyMemory<byte>? Gzip, ReadOnlyMemory<byte>? Brotli)
{
    private static readonly Dictionary<string, string> Types = new(StringComparer.OrdinalIgnoreCase)
    {
        [".html"] = "text/html; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".json"] = "application/json",
        [".webmanifest"] = "application/manifest+json",
        [".svg"] = "image/svg+xml",
        [".png"] = "image/png",
        [".ico"] = "image/x-icon",
        [".woff2"] = "font/woff2",
        [".wasm"] = "application/wasm",
        [".txt"] = "text/plain; charset=utf-8",
    };

    /// <summary>Reads a file and the compressed forms beside it.</summary>
    public static SiteFile Read(string path)
    {
        var plain = File.ReadAllBytes(path);
        var (gzip, brotli) = (Beside(path, ".gz"), Beside(path, ".br"));
        return new(Types.GetValueOrDefault(Path.GetExtension(path), "application/octet-stream"), Convert.ToHexStringLower(SHA256.HashData(plain).AsSpan(0, 12)), plain.Length,
            gzip is null ? plain : default, gzip, brotli);
    }

    /// <summary>Bytes that it takes in memory.</summary>
    public long Held => Plain.Length + (Gzip?.Length ?? 0) + (Brotli?.Length ?? 0);

    /// <summary>Writes the file itself.</summary>
    public async Task WritePlainAsync(Stream target, CancellationToken cancel)
    {
        if (Gzip is not { } packed)
        {
            await target.WriteAsync(Plain, cancel);
            return;
        }
        await using var unpacked = new GZipStream(new MemoryStream(packed.ToArray(), writable: false), CompressionMode.Decompress);
        await unpacked.CopyToAsync(target, cancel);
    }

    // Not `... : null`, which becomes a null array, and that becomes memory that is there, and empty.
    private static ReadOnlyMemory<byte>? Beside(string path, string ending) => File.Exists(path + ending) ? File.ReadAllBytes(path + ending) : default(ReadOnlyMemory<byte>?);
}
