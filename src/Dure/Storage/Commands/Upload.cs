using Amazon.S3;
using Amazon.S3.Model;
using Dure.Host;
using Dure.Storage.Checksums;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Win32.SafeHandles;

namespace Dure.Storage.Commands;

/// <summary>Sends a file or a stream. A large file goes in parts, and goes on where an earlier try stopped.</summary>
internal sealed class Upload(TransferRun run)
{
    private static readonly FileExtensionContentTypeProvider ContentTypes = new();

    private IAmazonS3 S3 => run.Store.S3;

    /// <summary>Sends a file.</summary>
    /// <exception cref="Exception">What <see cref="S3Faults"/> explains.</exception>
    public async Task<Outcome<TransferItem>> SendFileAsync(string path, S3Address target, CancellationToken cancel)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
        var (size, stamp) = FactsOf(file);
        var pieceBytes = TransferPlan.PieceBytes(size, run.PieceBytes);
        if (!pieceBytes.Ok)
        {
            return pieceBytes.Problem;
        }

        if (run.NoClobber && await ObjectProof.FindAsync(run, target, null, cancel) is not null)
        {
            return new TransferItem(path, target.ToString(), "skipped", size);
        }

        var state = new TransferState(Path.GetFullPath(path), $"{run.Store.Name} {target}", size, stamp, pieceBytes.Value);
        var sent = size > pieceBytes.Value
            ? await SendPiecesAsync(file, state, target, cancel)
            : await SendWholeAsync(watch => new PieceStream(file, 0, size, watch is null ? null : watch.Moved), target, cancel);
        return !sent.Ok ? sent.Problem
            : FactsOf(file) != (size, stamp) ? TransferErrors.Changed.With($"{path}: what is now at {target} may be a mixture.")
            : sent.Value with { Source = path, Bytes = size };
    }

    /// <summary>Sends what comes, in parts when it is more than one.</summary>
    public async Task<Outcome<TransferItem>> SendStreamAsync(Stream source, S3Address target, CancellationToken cancel)
    {
        var first = new byte[run.PieceBytes];
        var length = await source.ReadAtLeastAsync(first, first.Length, throwOnEndOfStream: false, cancel);
        if (length < first.Length)
        {
            var whole = await SendWholeAsync(watch => Buffer(first, length, watch), target, cancel);
            return whole.Ok ? whole.Value with { Source = "-", Bytes = length } : whole.Problem;
        }

        var parts = await PartsUpload.BeginAsync(run, target, TypeOf(target.Key), cancel);
        var finished = false;
        try
        {
            var total = await SendPartsAsync(source, first, parts, cancel);
            if (!total.Ok)
            {
                return total.Problem;
            }

            var completed = await parts.CompleteAsync(cancel);
            finished = completed.Ok;
            return completed.Ok ? new TransferItem("-", target.ToString(), "copied", total.Value, completed.Value) : completed.Problem;
        }
        finally
        {
            if (!finished)
            {
                await parts.AbortAsync();
            }
        }
    }

    private static MemoryStream Buffer(byte[] bytes, int length, StallWatch? watch)
    {
        watch?.Moved(length);
        return new(bytes, 0, length, writable: false);
    }

    private async Task<Outcome<long>> SendPartsAsync(Stream source, byte[] first, PartsUpload parts, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var buffers = new Stack<byte[]>([first]);
        var under = new List<Task<byte[]>>();
        var (buffer, length, total) = (buffers.Pop(), first.Length, 0L);
        try
        {
            for (var number = 1; length > 0; number++)
            {
                if (number > TransferPlan.PiecesMax)
                {
                    return TransferErrors.TooLarge.With($"More than {TransferPlan.PiecesMax} parts of {run.PieceBytes} bytes came.");
                }

                total += length;
                under.Add(SendBufferAsync(parts, number, buffer, length, stop.Token));
                if (length < buffer.Length)
                {
                    break;
                }

                if (under.Count >= run.Parallel)
                {
                    var done = await Task.WhenAny(under);
                    under.Remove(done);
                    buffers.Push(await done);
                }

                buffer = buffers.TryPop(out var free) ? free : new byte[run.PieceBytes];
                length = await source.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancel);
            }

            await Task.WhenAll(under);
            return total;
        }
        catch
        {
            await stop.CancelAsync();
            await Task.WhenAll(under).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            throw;
        }
    }

    private static async Task<byte[]> SendBufferAsync(PartsUpload parts, int number, byte[] buffer, int length, CancellationToken cancel)
    {
        await parts.SendAsync(number, length, watch => Buffer(buffer, length, watch), cancel);
        return buffer;
    }

    private async Task<Outcome<TransferItem>> SendWholeAsync(Func<StallWatch?, Stream> open, S3Address target, CancellationToken cancel)
    {
        return await run.InSlotAsync<Outcome<TransferItem>>(async watch =>
        {
            using var digest = new LocalDigest(run.Store.IsOwn ? ChecksumKind.Crc64Nvme : null);
            await using var read = open(null);
            var value = Convert.ToBase64String(await digest.OfAsync(read, watch.Token));
            await using var content = open(watch);
            var request = new PutObjectRequest
            {
                BucketName = target.Bucket,
                Key = target.Key,
                InputStream = content,
                AutoCloseStream = false,
                UseChunkEncoding = false,
                ContentType = TypeOf(target.Key),
                IfNoneMatch = run.NoClobber ? "*" : null,
                DisablePayloadSigning = run.LeaveBodyUnsigned,
                ChecksumCRC64NVME = run.Store.IsOwn ? value : null,
                MD5Digest = run.Store.IsOwn ? null : value,
            };
            try
            {
                var answer = await S3.PutObjectAsync(request, watch.Token);
                var proof = run.Store.IsOwn ? ObjectProof.Crc64(answer.ChecksumCRC64NVME) : ObjectProof.OfETag(answer.ETag, answer.ServerSideEncryptionMethod);
                return proof?.Compare(target, value) is { } problem ? problem
                    : new TransferItem("", target.ToString(), "copied", null, proof?.ToString());
            }
            catch (AmazonS3Exception failure) when (run.NoClobber && S3Faults.IsExisting(failure))
            {
                return new TransferItem("", target.ToString(), "skipped", null);
            }
        }, cancel);
    }

    private async Task<Outcome<TransferItem>> SendPiecesAsync(SafeFileHandle file, TransferState state, S3Address target, CancellationToken cancel)
    {
        var pieces = TransferPlan.Cut(state.Size, state.PieceBytes);
        var parts = await ContinueAsync(file, state, pieces, target, cancel);
        if (parts is null)
        {
            parts = await PartsUpload.BeginAsync(run, target, TypeOf(target.Key), cancel);
            run.Memory.Keep(state with { UploadId = parts.Id });
        }

        var kept = parts.KeptBytes;
        run.Moved(kept);
        await run.EachAsync(pieces.Where(piece => !parts.Has(piece.Number)), (piece, stop) =>
            parts.SendAsync(piece.Number, piece.Length, watch => new PieceStream(file, piece.Offset, piece.Length, watch is null ? null : watch.Moved), stop), cancel);
        Outcome<string?> completed;
        try
        {
            completed = await parts.CompleteAsync(cancel);
        }
        catch (AmazonS3Exception failure) when (run.NoClobber && S3Faults.IsExisting(failure))
        {
            await parts.AbortAsync();
            run.Memory.Forget(state);
            return new TransferItem("", target.ToString(), "skipped", null);
        }

        run.Memory.Forget(state);
        return completed.Ok ? new TransferItem("", target.ToString(), "copied", null, completed.Value, kept) : completed.Problem;
    }

    /// <summary>The upload that an earlier try began, with the parts whose bytes are still those of the file; null when there is none.</summary>
    private async Task<PartsUpload?> ContinueAsync(SafeFileHandle file, TransferState state, IReadOnlyList<Piece> pieces, S3Address target, CancellationToken cancel)
    {
        if (run.Memory.Find(state.Source, state.Target) is not { UploadId: { } id } remembered)
        {
            return null;
        }

        var parts = new PartsUpload(run, target, id);
        if (!TransferPlan.Continues(remembered, state) || remembered.PieceBytes != state.PieceBytes)
        {
            await parts.AbortAsync();
            return null;
        }

        if (await parts.ListAsync(cancel) is not { } stored)
        {
            return null;
        }

        var md5 = new System.Collections.Concurrent.ConcurrentDictionary<int, string>();
        await run.EachAsync(TransferPlan.Candidates(pieces, stored), async (piece, stop) =>
        {
            using var digest = new LocalDigest(null);
            await using var bytes = new PieceStream(file, piece.Offset, piece.Length, null);
            md5[piece.Number] = Convert.ToHexStringLower(await digest.OfAsync(bytes, stop));
        }, cancel);
        var kept = TransferPlan.Kept(pieces, stored, md5);
        await run.EachAsync(pieces.Where(piece => kept.Contains(piece.Number)), async (piece, stop) =>
        {
            await using var bytes = new PieceStream(file, piece.Offset, piece.Length, null);
            await parts.KeepAsync(piece, md5[piece.Number], bytes, stop);
        }, cancel);
        return parts;
    }

    private static (long Size, string Stamp) FactsOf(SafeFileHandle file) =>
        (RandomAccess.GetLength(file), File.GetLastWriteTimeUtc(file).Ticks.ToString(System.Globalization.CultureInfo.InvariantCulture));

    private static string TypeOf(string key) => ContentTypes.TryGetContentType(key, out var type) ? type : "application/octet-stream";
}
