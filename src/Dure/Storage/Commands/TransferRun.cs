namespace Dure.Storage.Commands;

/// <summary>What all transfers of one command share.</summary>
/// <param name="Slots">As many requests as may be under way together.</param>
/// <param name="Parallel">How many those are.</param>
/// <param name="PieceBytes">Size of a piece, as wanted.</param>
/// <param name="NoClobber">What is there already stays.</param>
/// <param name="Moved">Is told of bytes that moved; of a negative number when some are sent again.</param>
internal sealed record TransferRun(StoreConnection Store, TransferMemory Memory, SemaphoreSlim Slots, int Parallel, long PieceBytes, bool NoClobber, Action<long> Moved)
{
    /// <summary>Over TLS the body needs no signature of its own: the checksum guards it, and the client saves a hash.</summary>
    public bool? LeaveBodyUnsigned => Store.Endpoint.Scheme == "https" ? true : null;

    /// <summary>Runs a request when its turn has come; one that does not get on is given up.</summary>
    public async Task<T> InSlotAsync<T>(Func<StallWatch, Task<T>> request, CancellationToken cancel)
    {
        await Slots.WaitAsync(cancel);
        try
        {
            using var watch = new StallWatch(Moved, cancel);
            return await request(watch);
        }
        finally
        {
            Slots.Release();
        }
    }

    /// <summary>Works on pieces side by side. The first failure ends it.</summary>
    public Task EachAsync(IEnumerable<Piece> pieces, Func<Piece, CancellationToken, Task> work, CancellationToken cancel) => System.Threading.Tasks.Parallel.ForEachAsync(
        pieces, new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancel }, async (piece, stop) => await work(piece, stop));
}

/// <summary>Cancels what has not moved a byte for <see cref="StoreConnection.StalledAfter"/>.</summary>
internal sealed class StallWatch : IDisposable
{
    private readonly CancellationTokenSource _limit;
    private readonly Action<long> _moved;

    public StallWatch(Action<long> moved, CancellationToken cancel)
    {
        _moved = moved;
        _limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        _limit.CancelAfter(StoreConnection.StalledAfter);
    }

    public CancellationToken Token => _limit.Token;

    public void Dispose() => _limit.Dispose();

    /// <summary>Bytes moved.</summary>
    public void Moved(long bytes)
    {
        _limit.CancelAfter(StoreConnection.StalledAfter);
        _moved(bytes);
    }
}
