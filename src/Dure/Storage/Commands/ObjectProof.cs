using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;
using Dure.Host;
using Dure.Storage.Checksums;

namespace Dure.Storage.Commands;

/// <summary>What a store tells of an object's bytes, by which local bytes can be known to be the same.</summary>
/// <param name="Kind">Null for MD5.</param>
/// <param name="Value">Base 64; hex of an ETag.</param>
/// <param name="PartBytes">Of an ETag of parts: how large they are; 0 for a checksum of the whole.</param>
internal sealed record ObjectProof(ChecksumKind? Kind, string Value, long PartBytes = 0)
{
    private const int Md5HexLength = 32;

    public override string ToString() => Kind is { } kind ? $"{kind.ToString().ToLowerInvariant()}:{Value}" : $"etag:{Value}";

    public bool Differs(string local) => !string.Equals(Value, Own(local), StringComparison.Ordinal);

    /// <summary>The problem when local bytes, base 64 or the ETag of parts, are not the object's.</summary>
    public Problem? Compare(S3Address address, string local) =>
        Differs(local) ? TransferErrors.Differs.With($"{address}: the store has {this}, here it is {this with { Value = Own(local) }}.") : null;

    public static ObjectProof? Crc64(string? told) => string.IsNullOrEmpty(told) ? null : new(ChecksumKind.Crc64Nvme, told);

    /// <summary>An ETag that is an MD5; null when the store made it otherwise.</summary>
    public static ObjectProof? OfETag(string? etag, ServerSideEncryptionMethod? encryption) =>
        etag?.Trim('"') is { Length: Md5HexLength } md5 && !IsKms(encryption) ? new(null, md5) : null;

    public static ObjectProof? OfPartsETag(string? etag, ServerSideEncryptionMethod? encryption) =>
        etag?.Trim('"') is { Length: > Md5HexLength } md5 && md5[Md5HexLength] == '-' && !IsKms(encryption) ? new(null, md5) : null;

    /// <summary>What is known of an object; null when there is none.</summary>
    public static async Task<GetObjectMetadataResponse?> FindAsync(TransferRun run, S3Address address, string? versionId, CancellationToken cancel)
    {
        try
        {
            return await run.Store.S3.GetObjectMetadataAsync(
                new GetObjectMetadataRequest { BucketName = address.Bucket, Key = address.Key, VersionId = versionId, ChecksumMode = ChecksumMode.ENABLED }, cancel);
        }
        catch (AmazonS3Exception failure) when (failure.StatusCode == HttpStatusCode.NotFound && failure.ErrorCode is not "NoSuchBucket")
        {
            return null;
        }
    }

    /// <summary>The best proof that the store's answer has; null when it has none.</summary>
    public static async Task<ObjectProof?> OfAsync(TransferRun run, S3Address address, string? versionId, GetObjectMetadataResponse head, CancellationToken cancel)
    {
        (ChecksumKind Kind, string? Value)[] told =
        [
            (ChecksumKind.Crc64Nvme, head.ChecksumCRC64NVME), (ChecksumKind.Sha256, head.ChecksumSHA256), (ChecksumKind.Crc32C, head.ChecksumCRC32C),
            (ChecksumKind.Crc32, head.ChecksumCRC32), (ChecksumKind.Sha1, head.ChecksumSHA1),
        ];
        var whole = Array.Find(told, checksum => checksum.Value is { Length: > 0 } value && !value.Contains('-', StringComparison.Ordinal));
        if (whole.Value is not null)
        {
            return new(whole.Kind, whole.Value);
        }

        if (OfETag(head.ETag, head.ServerSideEncryptionMethod) is { } md5)
        {
            return md5;
        }

        if (OfPartsETag(head.ETag, head.ServerSideEncryptionMethod) is not { } parts)
        {
            return null;
        }

        var first = await run.Store.S3.GetObjectMetadataAsync(
            new GetObjectMetadataRequest { BucketName = address.Bucket, Key = address.Key, VersionId = versionId, PartNumber = 1 }, cancel);
        var (count, bytes) = (long.Parse(parts.Value[(Md5HexLength + 1)..], CultureInfo.InvariantCulture), first.ContentLength);
        return bytes > 0 && (head.ContentLength + bytes - 1) / bytes == count ? parts with { PartBytes = bytes } : null;
    }

    /// <summary>Reads local bytes and says whether they are the object's.</summary>
    public async Task<bool> HoldsAsync(Func<long, long, Stream> open, long size, CancellationToken cancel)
    {
        using var digest = new LocalDigest(Kind);
        if (PartBytes == 0)
        {
            await using var whole = open(0, size);
            return !Differs(Convert.ToBase64String(await digest.OfAsync(whole, cancel)));
        }

        var pieces = TransferPlan.Cut(size, PartBytes);
        var all = new byte[pieces.Count * 16];
        foreach (var piece in pieces)
        {
            await using var part = open(piece.Offset, piece.Length);
            (await digest.OfAsync(part, cancel)).CopyTo(all, (piece.Number - 1) * 16);
        }

        return Value == string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(Md5(all))}-{pieces.Count}");
    }

    public static string Base64(ulong crc)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, crc);
        return Convert.ToBase64String(bytes);
    }

    /// <summary>MD5, which is what an ETag is.</summary>
    public static byte[] Md5(ReadOnlySpan<byte> bytes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        hash.AppendData(bytes);
        return hash.GetHashAndReset();
    }

    private string Own(string local) => Kind is null && !Value.Contains('-', StringComparison.Ordinal) ? Hex(local) : local;

    private static string Hex(string base64) => Convert.ToHexStringLower(Convert.FromBase64String(base64));

    private static bool IsKms(ServerSideEncryptionMethod? encryption) => encryption?.Value.StartsWith("aws:kms", StringComparison.Ordinal) == true;
}
