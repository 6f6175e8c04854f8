using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Dure.Host;
using Dure.Storage.Checksums;

namespace Dure.Storage.Commands;

/// <summary>An upload in parts. Each part goes with its checksum; at the end that of the whole is compared.</summary>
internal sealed class PartsUpload(TransferRun run, S3Address target, string id)
{
    private readonly ConcurrentDictionary<int, Sent> _sent = new();

    public string Id => id;

    /// <summary>Bytes of parts that an earlier try sent.</summary>
    public long KeptBytes => _sent.Values.Where(part => part.IsKept).Sum(part => part.Length);

    private IAmazonS3 S3 => run.Store.S3;

    public static async Task<PartsUpload> BeginAsync(TransferRun run, S3Address target, string contentType, CancellationToken cancel)
    {
        var request = new InitiateMultipartUploadRequest { BucketName = target.Bucket, Key = target.Key, ContentType = contentType };
        if (run.Store.IsOwn)
        {
            request.ChecksumAlgorithm = ChecksumAlgorithm.CRC64NVME;
            request.ChecksumType = Amazon.S3.ChecksumType.FULL_OBJECT;
        }

        return new(run, target, (await run.Store.S3.InitiateMultipartUploadAsync(request, cancel)).UploadId);
    }

    public bool Has(int number) => _sent.ContainsKey(number);

    /// <summary>Sends a part.</summary>
    /// <param name="open">Gives its bytes, twice: with null to be read for the checksum, then to be sent.</param>
    public Task SendAsync(int number, long length, Func<StallWatch?, Stream> open, CancellationToken cancel) => run.InSlotAsync(async watch =>
    {
        await using var read = open(null);
        var digest = await DigestAsync(read, watch.Token);
        await using var content = open(watch);
        var value = Convert.ToBase64String(digest);
        var request = new UploadPartRequest
        {
            BucketName = target.Bucket,
            Key = target.Key,
            UploadId = id,
            PartNumber = number,
            PartSize = length,
            InputStream = content,
            UseChunkEncoding = false,
            DisablePayloadSigning = run.LeaveBodyUnsigned,
            ChecksumCRC64NVME = run.Store.IsOwn ? value : null,
            MD5Digest = run.Store.IsOwn ? null : value,
        };
        var answer = await S3.UploadPartAsync(request, watch.Token);
        _sent[number] = new(length, answer.ETag, digest, IsKept: false);
        return true;
    }, cancel);

    /// <summary>Takes over a part that the store has already.</summary>
    public async Task KeepAsync(Piece piece, string md5, Stream bytes, CancellationToken cancel)
    {
        var digest = run.Store.IsOwn ? await DigestAsync(bytes, cancel) : Convert.FromHexString(md5);
        _sent[piece.Number] = new(piece.Length, $"\"{md5}\"", digest, IsKept: true);
    }

    /// <summary>The parts that the store has; null when the upload is not there any more.</summary>
    public async Task<IReadOnlyList<StoredPiece>?> ListAsync(CancellationToken cancel)
    {
        var stored = new List<StoredPiece>();
        var request = new ListPartsRequest { BucketName = target.Bucket, Key = target.Key, UploadId = id };
        try
        {
            while (true)
            {
                var page = await S3.ListPartsAsync(request, cancel);
                stored.AddRange((page.Parts ?? []).Select(part => new StoredPiece(part.PartNumber ?? 0, part.Size ?? 0, part.ETag.Trim('"'))));
                if (page.IsTruncated != true)
                {
                    return stored;
                }

                request.PartNumberMarker = page.NextPartNumberMarker?.ToString(CultureInfo.InvariantCulture);
            }
        }
        catch (AmazonS3Exception failure) when (failure.ErrorCode is "NoSuchUpload" or "NoSuchKey")
        {
            return null;
        }
    }

    /// <summary>Makes the object of the parts and compares its checksum with that of the bytes sent.</summary>
    /// <returns>What was compared; null when the store tells nothing that can be.</returns>
    public async Task<Outcome<string?>> CompleteAsync(CancellationToken cancel)
    {
        var parts = _sent.OrderBy(part => part.Key).ToList();
        var request = new CompleteMultipartUploadRequest
        {
            BucketName = target.Bucket,
            Key = target.Key,
            UploadId = id,
            PartETags = [.. parts.Select(part => new PartETag(part.Key, part.Value.ETag) { ChecksumCRC64NVME = run.Store.IsOwn ? Convert.ToBase64String(part.Value.Digest) : null })],
            IfNoneMatch = run.NoClobber ? "*" : null,
        };
        var value = run.Store.IsOwn ? WholeCrc64(parts.Select(part => part.Value)) : WholeETag(parts.Select(part => part.Value));
        if (run.Store.IsOwn)
        {
            (request.ChecksumType, request.ChecksumCRC64NVME) = (Amazon.S3.ChecksumType.FULL_OBJECT, value);
        }

        var answer = await S3.CompleteMultipartUploadAsync(request, cancel);
        var proof = run.Store.IsOwn ? ObjectProof.Crc64(answer.ChecksumCRC64NVME) : ObjectProof.OfPartsETag(answer.ETag, answer.ServerSideEncryptionMethod);
        return proof?.Compare(target, value) is { } problem ? problem : new Outcome<string?>(proof?.ToString());
    }

    /// <summary>Gives the upload up; what the store has of it is removed, then or by the store's own clean-up.</summary>
    public async Task AbortAsync()
    {
        try
        {
            await S3.AbortMultipartUploadAsync(new AbortMultipartUploadRequest { BucketName = target.Bucket, Key = target.Key, UploadId = id }, CancellationToken.None);
        }
        catch (Exception failure) when (failure is AmazonServiceException or AmazonClientException or HttpRequestException)
        {
            // The store removes abandoned uploads by itself after a while.
        }
    }

    private static string WholeCrc64(IEnumerable<Sent> parts) =>
        ObjectProof.Base64(parts.Aggregate(0UL, (crc, part) => Crc64Nvme.Combine(crc, BinaryPrimitives.ReadUInt64BigEndian(part.Digest), part.Length)));

    private static string WholeETag(IEnumerable<Sent> parts)
    {
        var all = parts.Select(part => part.Digest).ToList();
        return string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(ObjectProof.Md5([.. all.SelectMany(md5 => md5)]))}-{all.Count}");
    }

    private async Task<byte[]> DigestAsync(Stream bytes, CancellationToken cancel)
    {
        using var digest = new LocalDigest(run.Store.IsOwn ? ChecksumKind.Crc64Nvme : null);
        return await digest.OfAsync(bytes, cancel);
    }

    /// <param name="Digest">CRC-64/NVME for Dure's own store, MD5 for others.</param>
    private sealed record Sent(long Length, string ETag, byte[] Digest, bool IsKept);
}
