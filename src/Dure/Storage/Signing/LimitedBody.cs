using Dure.Host.Files;
using Dure.Storage.Store;

namespace Dure.Storage.Signing;

/// <summary>A body of unknown length that may not grow beyond a limit.</summary>
internal sealed class LimitedBody(Stream body, long limit) : ForwardStream
{
    private long _read;

    /// <inheritdoc/>
    /// <exception cref="BrokenBodyException">There is more than the limit.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await body.ReadAsync(buffer, cancellationToken);
        _read += count;
        return _read <= limit ? count : throw new BrokenBodyException(StoreFault.TooLarge, $"The body is larger than {limit} bytes.");
    }
}
