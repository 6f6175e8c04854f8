using System.Collections.Concurrent;
using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;
using Dure.Host;

namespace Dure.Storage.Providers;

/// <summary>Puts one object: small ones with one request, larger ones in parts, of which a few are under way at a time. What fails leaves nothing behind.</summary>
internal sealed class S3Upload(S3Connection s3, PutObject what)
{
    private static readonly TimeSpan AbortPatience = TimeSpan.FromSeconds(5);

    /// <summary>Puts it.</summary>
    /// <returns>The ETag.</returns>
    public async Task<Outcome<(long Length, string? ETag, string? Sha256)>> RunAsync(CancellationToken cancel)
    {
        if (what.OnlyIfAbsent && !s3.CanPutIfAbsent && await IsThereAsync(cancel) is { } there)
        {
            return there;
        }

        var pieceBytes = PieceReader.PieceBytes(s3.Options.PartSize, what.Length);
        if (what.Length is { } known && known < pieceBytes)
        {
            pieceBytes = (int)Math.Max(known, 1);
        }

        var sha256 = await Sha256AheadAsync(pieceBytes, cancel);
        using var pieces = new PieceReader(s3.Name, what, pieceBytes);
        var first = await pieces.NextAsync(cancel);
        if (!first.Ok)
        {
            return first.Problem;
        }

        if (!pieces.Ended)
        {
            return await InPartsAsync(pieces, first.Value, pieceBytes, sha256, cancel);
        }

        using var only = first.Value;
        var put = await PutAsync(only, pieces.Sha256!, cancel);
        return put.Ok ? (only.Count, put.Value, pieces.Sha256) : put.Problem;
    }

    private async Task<Problem?> IsThereAsync(CancellationToken cancel)
    {
        var head = await s3.CallAsync("look at " + what.Key, silence => s3.Client.GetObjectMetadataAsync(s3.Bucket, s3.Key(what.Key), silence.Token), cancel);
        return head.Ok ? ProviderErrors.Exists.With($"{s3.Name}: {what.Key}")
            : head.Problem.Kind == ProviderErrors.NoSuchObject ? null
            : head.Problem;
    }

    // The metadata of an object in parts is sent before its bytes, so its digest has to be known first.
    private async Task<string?> Sha256AheadAsync(int pieceBytes, CancellationToken cancel)
    {
        if (what.Sha256 is not null || !what.Content.CanSeek || what.Content.Length - what.Content.Position <= pieceBytes)
        {
            return what.Sha256;
        }

        var start = what.Content.Position;
        var digest = Convert.ToHexStringLower(await SHA256.HashDataAsync(what.Content, cancel));
        what.Content.Position = start;
        return digest;
    }

    private async Task<Outcome<string?>> PutAsync(Piece piece, string sha256, CancellationToken cancel)
    {
        var md5 = Convert.ToBase64String(piece.Md5());
        var asked = what.OnlyIfAbsent && s3.CanPutIfAbsent;
        var put = await s3.CallAsync<string?>("put " + what.Key, async silence =>
        {
            try
            {
                return (await s3.Client.PutObjectAsync(Request(asked), silence.Token)).ETag;
            }
            catch (AmazonS3Exception failure) when (asked && S3Failures.IsUnknown(failure))
            {
                s3.CanPutIfAbsent = false;
                return null;
            }

            PutObjectRequest Request(bool conditional)
            {
                var request = new PutObjectRequest
                {
                    BucketName = s3.Bucket,
                    Key = s3.Key(what.Key),
                    InputStream = new PacedContent(piece.Buffer, piece.Count, silence),
                    AutoCloseStream = false,
                    MD5Digest = md5,
                    ContentType = what.ContentType,
                    IfNoneMatch = conditional ? "*" : null,
                    DisablePayloadSigning = s3.IsTls,
                    UseChunkEncoding = false,
                };
                request.Headers.ContentLength = piece.Count;
                AddMetadata(request.Metadata, sha256);
                return request;
            }
        }, cancel);
        if (put.Ok && asked && !s3.CanPutIfAbsent)
        {
            return await IsThereAsync(cancel) is { } there ? there : await PutAsync(piece, sha256, cancel);
        }

        return put;
    }

    private async Task<Outcome<(long Length, string? ETag, string? Sha256)>> InPartsAsync(PieceReader pieces, Piece first, int pieceBytes, string? sha256, CancellationToken cancel)
    {
        var begun = await BeginAsync(sha256, cancel);
        if (!begun.Ok)
        {
            first.Dispose();
            return begun.Problem;
        }

        var isDone = false;
        try
        {
            var parts = new ConcurrentBag<PartETag>();
            var sent = await PiecesUnderWay.SendAsync(pieces, first, pieceBytes, async (piece, token) =>
            {
                var put = await PutPartAsync(piece, begun.Value, token);
                if (put.Ok)
                {
                    parts.Add(new PartETag(piece.Number, put.Value));
                }

                return put.Problem;
            }, cancel);
            if (!sent.Ok)
            {
                return sent.Problem;
            }

            var completed = await CompleteAsync(begun.Value, parts, cancel);
            isDone = completed.Ok;
            return completed.Ok ? (sent.Value, completed.Value, sha256) : completed.Problem;
        }
        finally
        {
            if (!isDone)
            {
                await AbortAsync(begun.Value);
            }
        }
    }

    /// <summary>Begins an upload in parts.</summary>
    public Task<Outcome<string>> BeginAsync(string? sha256, CancellationToken cancel) =>
        s3.CallAsync("begin " + what.Key, async silence =>
        {
            var request = new InitiateMultipartUploadRequest { BucketName = s3.Bucket, Key = s3.Key(what.Key), ContentType = what.ContentType };
            AddMetadata(request.Metadata, sha256);
            return (await s3.Client.InitiateMultipartUploadAsync(request, silence.Token)).UploadId;
        }, cancel);

    /// <summary>Makes the object of its parts.</summary>
    public async Task<Outcome<string?>> CompleteAsync(string upload, IEnumerable<PartETag> parts, CancellationToken cancel)
    {
        if (what.OnlyIfAbsent && !s3.CanPutIfAbsent && await IsThereAsync(cancel) is { } there)
        {
            return there;
        }

        return await s3.CallAsync<string?>("complete " + what.Key, async silence => (await s3.Client.CompleteMultipartUploadAsync(
            new CompleteMultipartUploadRequest
            {
                BucketName = s3.Bucket,
                Key = s3.Key(what.Key),
                UploadId = upload,
                PartETags = [.. parts.OrderBy(part => part.PartNumber)],
                IfNoneMatch = what.OnlyIfAbsent && s3.CanPutIfAbsent ? "*" : null,
            },
            silence.Token)).ETag, cancel);
    }

    /// <summary>Drops the parts, also after a cancelled call; a store that cannot be reached keeps them until its own clean-up.</summary>
    public async Task AbortAsync(string upload)
    {
        using var patience = new CancellationTokenSource(AbortPatience, s3.Time);
        try
        {
            await s3.CallAsync("abort " + what.Key, silence => s3.Client.AbortMultipartUploadAsync(s3.Bucket, s3.Key(what.Key), upload, silence.Token), patience.Token);
        }
        catch (OperationCanceledException)
        {
        }
    }

    private Task<Outcome<string>> PutPartAsync(Piece piece, string upload, CancellationToken cancel)
    {
        var md5 = Convert.ToBase64String(piece.Md5());
        return s3.CallAsync($"put part {piece.Number} of {what.Key}", async silence => (await s3.Client.UploadPartAsync(
            new UploadPartRequest
            {
                BucketName = s3.Bucket,
                Key = s3.Key(what.Key),
                UploadId = upload,
                PartNumber = piece.Number,
                PartSize = piece.Count,
                InputStream = new PacedContent(piece.Buffer, piece.Count, silence),
                MD5Digest = md5,
                DisablePayloadSigning = s3.IsTls,
                UseChunkEncoding = false,
            },
            silence.Token)).ETag, cancel);
    }

    private void AddMetadata(MetadataCollection to, string? sha256)
    {
        foreach (var (name, value) in MetadataText.Of(what, sha256))
        {
            to[name] = MetadataText.Write(value);
        }
    }
}
