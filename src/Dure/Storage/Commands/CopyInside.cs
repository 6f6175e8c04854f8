using System.Collections.Concurrent;
using Amazon.S3.Model;
using Dure.Host;

namespace Dure.Storage.Commands;

/// <summary>Copies from bucket to bucket without the bytes leaving the store.</summary>
internal sealed class CopyInside(TransferRun run)
{
    /// <summary>What one request may copy; above it is copied in parts.</summary>
    private const long OneRequestBytesMax = 5L << 30;

    private const long PieceBytes = 512 * TransferPlan.MiB;

    public async Task<Outcome<TransferItem>> CopyAsync(S3Address from, string? versionId, S3Address to, CancellationToken cancel)
    {
        if (await ObjectProof.FindAsync(run, from, versionId, cancel) is not { } head)
        {
            return TransferErrors.NoSuchObject.With(from.ToString());
        }

        if (run.NoClobber && await ObjectProof.FindAsync(run, to, null, cancel) is not null)
        {
            return new TransferItem(from.ToString(), to.ToString(), "skipped", head.ContentLength);
        }

        await (head.ContentLength > OneRequestBytesMax ? CopyPiecesAsync(from, versionId, to, head, cancel) : CopyWholeAsync(from, versionId, to, head, cancel));
        run.Moved(head.ContentLength);
        var copy = await ObjectProof.FindAsync(run, to, null, cancel);
        var (was, now) = (await ObjectProof.OfAsync(run, from, versionId, head, cancel), copy is null ? null : await ObjectProof.OfAsync(run, to, null, copy, cancel));
        var comparable = was is not null && now is not null && was.Kind == now.Kind && was.PartBytes == 0 && now.PartBytes == 0;
        return copy?.ContentLength != head.ContentLength || (comparable && was!.Value != now!.Value)
            ? TransferErrors.Differs.With($"{to}: the copy is not what {from} was, or somebody replaced it meanwhile.")
            : new TransferItem(from.ToString(), to.ToString(), "copied", head.ContentLength, comparable ? now!.ToString() : null);
    }

    // The store answers when all is copied: such a request stands still for as long as it likes.
    private async Task CopyWholeAsync(S3Address from, string? versionId, S3Address to, GetObjectMetadataResponse head, CancellationToken cancel)
    {
        await run.Slots.WaitAsync(cancel);
        try
        {
            await run.Store.S3.CopyObjectAsync(new CopyObjectRequest
            {
                SourceBucket = from.Bucket,
                SourceKey = from.Key,
                SourceVersionId = versionId,
                DestinationBucket = to.Bucket,
                DestinationKey = to.Key,
                ETagToMatch = head.ETag,
            }, cancel);
        }
        finally
        {
            run.Slots.Release();
        }
    }

    private async Task CopyPiecesAsync(S3Address from, string? versionId, S3Address to, GetObjectMetadataResponse head, CancellationToken cancel)
    {
        var begin = new InitiateMultipartUploadRequest { BucketName = to.Bucket, Key = to.Key, ContentType = head.Headers.ContentType };
        foreach (var name in head.Metadata.Keys)
        {
            begin.Metadata[name] = head.Metadata[name];
        }

        var id = (await run.Store.S3.InitiateMultipartUploadAsync(begin, cancel)).UploadId;
        var etags = new ConcurrentDictionary<int, string>();
        try
        {
            await run.EachAsync(TransferPlan.Cut(head.ContentLength, PieceBytes), async (piece, stop) =>
            {
                var answer = await run.Store.S3.CopyPartAsync(new CopyPartRequest
                {
                    SourceBucket = from.Bucket,
                    SourceKey = from.Key,
                    SourceVersionId = versionId,
                    DestinationBucket = to.Bucket,
                    DestinationKey = to.Key,
                    UploadId = id,
                    PartNumber = piece.Number,
                    FirstByte = piece.Offset,
                    LastByte = piece.Offset + piece.Length - 1,
                    ETagToMatch = [head.ETag],
                }, stop);
                etags[piece.Number] = answer.ETag;
            }, cancel);
            await run.Store.S3.CompleteMultipartUploadAsync(new CompleteMultipartUploadRequest
            {
                BucketName = to.Bucket,
                Key = to.Key,
                UploadId = id,
                PartETags = [.. etags.OrderBy(part => part.Key).Select(part => new PartETag(part.Key, part.Value))],
            }, cancel);
        }
        catch
        {
            await new PartsUpload(run, to, id).AbortAsync();
            throw;
        }
    }
}
