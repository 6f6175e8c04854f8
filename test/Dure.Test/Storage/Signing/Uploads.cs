using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dure.Storage.Checksums;
using Dure.Storage.S3;
using Dure.Storage.Signing;
using Dure.Storage.Store;
using Microsoft.AspNetCore.Http;

namespace Dure.Test.Storage.Signing;

/// <summary>Does with a body what the store does.</summary>
internal static class Uploads
{
    /// <summary>What came of an upload.</summary>
    public sealed record Read(byte[] Bytes, StoreFault? Fault, S3Error? Error, ComputedChecksums? Computed);

    /// <summary>Reads a body that stands in a request to the end.</summary>
    public static Task<Read> ReadAsync(HttpRequest request, string body, VerifiedRequest verified, ChecksumKind? also = null)
    {
        request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));
        return ReadAsync(request, verified, also);
    }

    /// <summary>Reads the body of a request to the end.</summary>
    public static async Task<Read> ReadAsync(HttpRequest request, VerifiedRequest verified, ChecksumKind? also = null)
    {
        var (incoming, error) = RequestBody.Open(request, verified, also, long.MaxValue);
        if (incoming is null)
        {
            return new Read([], null, error, null);
        }
        var bytes = new MemoryStream();
        try
        {
            var buffer = new byte[1 << 16];
            while (await incoming.Body.ReadAsync(buffer) is > 0 and var count)
            {
                await bytes.WriteAsync(buffer.AsMemory(0, count));
            }
        }
        catch (BrokenBodyException broken)
        {
            return new Read(bytes.ToArray(), broken.Fault, null, null);
        }
        var whole = bytes.ToArray();
        if (incoming.Length is { } length && length != whole.Length)
        {
            return new Read(whole, StoreFault.IncompleteBody, null, null);
        }
        var values = new Dictionary<ChecksumKind, string>();
        foreach (var kind in incoming.Compute)
        {
            using var running = new RunningChecksum(kind);
            running.Append(whole);
            values[kind] = running.Finish();
        }
        var computed = new ComputedChecksums(whole.Length, MD5.HashData(whole), SHA256.HashData(whole), values);
        var fault = incoming.Verify(computed) ?? (incoming.Md5 is { } md5 && !md5.AsSpan().SequenceEqual(computed.Md5) ? StoreFault.BadDigest : null);
        return new Read(whole, fault, null, computed);
    }

    /// <summary>Frames bytes as an SDK does; written apart from what reads it.</summary>
    public static byte[] Frame(byte[] bytes, IEnumerable<int> chunkLengths, ChunkSeed? seed, string? trailer)
    {
        var made = new MemoryStream();
        var before = seed?.Signature ?? "";
        void Line(string text) => made.Write(Encoding.UTF8.GetBytes(text + "\r\n"));
        void Chunk(ReadOnlySpan<byte> piece)
        {
            var length = piece.Length.ToString("x", CultureInfo.InvariantCulture);
            if (seed is null)
            {
                Line(length);
            }
            else
            {
                before = Sign(seed, $"AWS4-HMAC-SHA256-PAYLOAD\n{seed.Timestamp}\n{seed.Scope}\n{before}\n{Published.Empty}\n{Convert.ToHexStringLower(SHA256.HashData(piece))}");
                Line($"{length};chunk-signature={before}");
            }
            if (piece.Length > 0)
            {
                made.Write(piece);
                Line("");
            }
        }

        var at = 0;
        foreach (var asked in chunkLengths.Append(int.MaxValue))
        {
            var length = Math.Min(asked, bytes.Length - at);
            if (length > 0)
            {
                Chunk(bytes.AsSpan(at, length));
                at += length;
            }
        }
        Chunk([]);
        if (trailer is not null)
        {
            Line(trailer);
            if (seed is not null)
            {
                var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(trailer + "\n")));
                Line("x-amz-trailer-signature:" + Sign(seed, $"AWS4-HMAC-SHA256-TRAILER\n{seed.Timestamp}\n{seed.Scope}\n{before}\n{hash}"));
            }
        }
        Line("");
        return made.ToArray();
    }

    private static string Sign(ChunkSeed seed, string text) => Convert.ToHexStringLower(HMACSHA256.HashData(seed.SigningKey, Encoding.UTF8.GetBytes(text)));
}
