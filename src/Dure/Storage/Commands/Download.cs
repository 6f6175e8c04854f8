using System.Buffers;
using System.Net;
using Amazon.Runtime;
using Amazon.S3.Model;
using Dure.Host;
using Dure.Host.Files;
using Microsoft.Win32.SafeHandles;

namespace Dure.Storage.Commands;

/// <summary>Fetches an object into a file, in ranges side by side, which goes on where an earlier try stopped; or into a stream.</summary>
internal sealed class Download(TransferRun run)
{
    private const int BufferBytes = 128 * 1024;
    private const int TriesMax = 5;

    /// <summary>Fetches into a file, which is there whole and compared or not at all.</summary>
    /// <exception cref="Exception">What <see cref="S3Faults"/> explains.</exception>
    public async Task<Outcome<TransferItem>> ToFileAsync(S3Address source, string? versionId, string path, CancellationToken cancel)
    {
        if (run.NoClobber && File.Exists(path))
        {
            return new TransferItem(source.ToString(), path, "skipped", null);
        }

        if (await ObjectProof.FindAsync(run, source, versionId, cancel) is not { } head)
        {
            return TransferErrors.NoSuchObject.With(source.ToString());
        }

        var full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        var state = new TransferState($"{run.Store.Name} {source} {versionId}", full, head.ContentLength, head.ETag, run.PieceBytes);
        var fetched = await FetchFileAsync(source, versionId, head, state, cancel);
        if (!fetched.Ok && fetched.Problem.Kind == TransferErrors.Differs)
        {
            // Bytes that an earlier try left may be the wrong ones: everything anew, once.
            fetched = await FetchFileAsync(source, versionId, head, state, cancel);
        }

        return fetched;
    }

    /// <summary>Fetches in order, for a pipe. A checksum that differs is told at the end.</summary>
    public async Task<Outcome<TransferItem>> ToStreamAsync(S3Address source, string? versionId, Stream target, CancellationToken cancel)
    {
        if (await ObjectProof.FindAsync(run, source, versionId, cancel) is not { } head)
        {
            return TransferErrors.NoSuchObject.With(source.ToString());
        }

        var proof = await ObjectProof.OfAsync(run, source, versionId, head, cancel);
        using var digest = new LocalDigest(proof?.Kind);
        await FetchAsync(source, versionId, head.ETag, new Piece(1, 0, head.ContentLength), async (bytes, _) =>
        {
            digest.Append(bytes.Span);
            await target.WriteAsync(bytes, cancel);
        }, cancel);
        await target.FlushAsync(cancel);
        return proof is { PartBytes: 0 } && proof.Differs(Convert.ToBase64String(digest.Take()))
            ? TransferErrors.Differs.With($"{source}: the store has {proof}.")
            : new TransferItem(source.ToString(), "-", "copied", head.ContentLength, proof is { PartBytes: 0 } ? proof.ToString() : null);
    }

    private async Task<Outcome<TransferItem>> FetchFileAsync(S3Address source, string? versionId, GetObjectMetadataResponse head, TransferState state, CancellationToken cancel)
    {
        var temporary = Path.Combine(Path.GetDirectoryName(state.Target)!, $".{Path.GetFileName(state.Target)}.dure-part");
        var remembered = run.Memory.Find(state.Source, state.Target);
        var goesOn = TransferPlan.Continues(remembered, state) && new FileInfo(temporary) is { Exists: true } left && left.Length == state.Size;
        state = goesOn ? remembered! : state with { Done = [] };
        var pieces = TransferPlan.Cut(state.Size, state.PieceBytes);
        var done = state.Done!.ToHashSet();
        var kept = pieces.Where(piece => done.Contains(piece.Number)).Sum(piece => piece.Length);
        run.Moved(kept);
        using var file = File.OpenHandle(temporary, goesOn ? FileMode.Open : FileMode.Create, FileAccess.ReadWrite, FileShare.None, FileOptions.Asynchronous, goesOn ? 0 : state.Size);
        RandomAccess.SetLength(file, state.Size);
        await run.EachAsync(pieces.Where(piece => !done.Contains(piece.Number)), async (piece, stop) =>
        {
            await FetchAsync(source, versionId, head.ETag, piece, (bytes, offset) => RandomAccess.WriteAsync(file, bytes, offset, stop), stop);
            if (pieces.Count > 1)
            {
                lock (done)
                {
                    done.Add(piece.Number);
                    run.Memory.Keep(state with { Done = [.. done.Order()] });
                }
            }
        }, cancel);
        var proof = await ObjectProof.OfAsync(run, source, versionId, head, cancel);
        if (proof is not null && !await proof.HoldsAsync((offset, length) => new PieceStream(file, offset, length, null), state.Size, cancel))
        {
            run.Memory.Forget(state);
            File.Delete(temporary);
            run.Moved(-state.Size);
            return TransferErrors.Differs.With($"{source}: the store has {proof}, what came is something else.");
        }

        RandomAccess.FlushToDisk(file);
        var placed = Place(temporary, state.Target);
        run.Memory.Forget(state);
        return new TransferItem(source.ToString(), state.Target, placed ? "copied" : "skipped", state.Size, proof?.ToString(), kept);
    }

    private bool Place(string temporary, string path)
    {
        // A link fails where a name is, so that nothing that came meanwhile is replaced.
        var error = run.NoClobber ? DurableFile.Link(temporary, path) : DurableFile.Rename(temporary, path);
        if (run.NoClobber)
        {
            File.Delete(temporary);
        }

        if (error != 0 && !(run.NoClobber && error == DurableFile.Exists))
        {
            throw DurableFile.Failure("rename", path, error);
        }

        DurableFile.FlushFolder(Path.GetDirectoryName(path)!);
        return error == 0;
    }

    /// <summary>Fetches a range; a connection that breaks is made anew and goes on at the byte it had come to.</summary>
    private Task FetchAsync(S3Address source, string? versionId, string etag, Piece piece, Func<ReadOnlyMemory<byte>, long, ValueTask> sink, CancellationToken cancel) => run.InSlotAsync(async watch =>
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var (at, tries) = (0L, 0);
            while (at < piece.Length)
            {
                try
                {
                    using var answer = await run.Store.S3.GetObjectAsync(new GetObjectRequest
                    {
                        BucketName = source.Bucket,
                        Key = source.Key,
                        VersionId = versionId,
                        EtagToMatch = etag,
                        ByteRange = new ByteRange(piece.Offset + at, piece.Offset + piece.Length - 1),
                    }, watch.Token);
                    await using var body = answer.ResponseStream;
                    while (await body.ReadAsync(buffer.AsMemory(0, (int)Math.Min(BufferBytes, piece.Length - at)), watch.Token) is var count and > 0)
                    {
                        await sink(buffer.AsMemory(0, count), piece.Offset + at);
                        at += count;
                        watch.Moved(count);
                        if (at == piece.Length)
                        {
                            break;
                        }
                    }

                    if (at < piece.Length)
                    {
                        throw new HttpIOException(HttpRequestError.ResponseEnded, "The answer ended early.");
                    }
                }
                catch (Exception failure) when (IsPassing(failure) && ++tries < TriesMax)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(200 << tries), watch.Token);
                }
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }, cancel);

    private static bool IsPassing(Exception failure) => failure switch
    {
        HttpIOException or HttpRequestException => true,
        AmazonServiceException { StatusCode: >= HttpStatusCode.InternalServerError } => true,
        IOException { InnerException: System.Net.Sockets.SocketException } => true,
        _ => false,
    };
}
