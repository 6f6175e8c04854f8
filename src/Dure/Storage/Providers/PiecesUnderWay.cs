using System.Collections.Concurrent;
using Dure.Host;

namespace Dure.Storage.Providers;

/// <summary>Sends the pieces of a large object, a few at a time; the first that fails ends the others.</summary>
internal static class PiecesUnderWay
{
    private const int AtOnceMax = 4;

    // Large pieces, which only large objects need, are sent one by one, so that memory stays bounded.
    private const long BytesMax = 64L << 20;

    /// <summary>Sends all pieces.</summary>
    /// <param name="first">Read already; disposed here like all others.</param>
    /// <param name="send">Sends one piece; the answer is what went wrong.</param>
    /// <returns>Bytes of the whole.</returns>
    public static async Task<Outcome<long>> SendAsync(PieceReader pieces, Piece first, int pieceBytes, Func<Piece, CancellationToken, Task<Problem?>> send, CancellationToken cancel)
    {
        using var failing = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var room = new SemaphoreSlim((int)Math.Clamp(BytesMax / pieceBytes, 1, AtOnceMax));
        var problems = new ConcurrentQueue<Problem>();
        var underWay = new List<Task>();
        var (piece, length) = ((Piece?)first, 0L);
        try
        {
            while (piece is not null)
            {
                length += piece.Count;
                await EnterAsync(room, piece, failing.Token);
                underWay.RemoveAll(task => task.IsCompletedSuccessfully);
                underWay.Add(SendOneAsync(piece, send, problems, room, failing));
                piece = pieces.Ended ? null : await NextAsync();
            }
        }
        catch (OperationCanceledException) when (!problems.IsEmpty)
        {
        }
        catch
        {
            await failing.CancelAsync();
            throw;
        }
        finally
        {
            await Task.WhenAll(underWay).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        cancel.ThrowIfCancellationRequested();
        return problems.TryPeek(out var problem) ? problem : length;

        async Task<Piece?> NextAsync()
        {
            var next = await pieces.NextAsync(failing.Token);
            if (!next.Ok)
            {
                problems.Enqueue(next.Problem);
                await failing.CancelAsync();
            }
            else if (next.Value.Count > 0)
            {
                return next.Value;
            }
            else
            {
                next.Value.Dispose();
            }

            return null;
        }
    }

    private static async Task SendOneAsync(
        Piece piece, Func<Piece, CancellationToken, Task<Problem?>> send, ConcurrentQueue<Problem> problems, SemaphoreSlim room, CancellationTokenSource failing)
    {
        using (piece)
        {
            try
            {
                if (await send(piece, failing.Token) is { } failed)
                {
                    problems.Enqueue(failed);
                    await failing.CancelAsync();
                }
            }
            finally
            {
                room.Release();
            }
        }
    }

    private static async Task EnterAsync(SemaphoreSlim room, Piece piece, CancellationToken cancel)
    {
        try
        {
            await room.WaitAsync(cancel);
        }
        catch
        {
            piece.Dispose();
            throw;
        }
    }
}
