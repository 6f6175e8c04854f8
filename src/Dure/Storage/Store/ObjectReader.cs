namespace Dure.Storage.Store;

/// <summary>Bytes of an object on their way out.</summary>
public abstract class ObjectReader : IAsyncDisposable
{
    /// <summary>Writes all of them. Bytes that do not match their checksum are never written.</summary>
    /// <returns>False when a block did not match: the answer must be cut off.</returns>
    public abstract ValueTask<bool> CopyToAsync(System.IO.Pipelines.PipeWriter writer, CancellationToken cancel);

    /// <summary>Looks at the first block; false when it does not match, so that an error can still be answered.</summary>
    public abstract ValueTask<bool> CheckFirstAsync(CancellationToken cancel);

    public abstract ValueTask DisposeAsync();
}
