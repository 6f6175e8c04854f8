namespace Dure.Storage.Providers;

/// <summary>A piece in memory that is sent in small steps, each of which shows that the provider still takes bytes. Can be read again for another try.</summary>
internal sealed class PacedContent : MemoryStream
{
    private const int StepBytes = 128 << 10;

    private readonly byte[] _bytes;
    private readonly Silence _silence;

    /// <param name="count">Bytes of the buffer that are the content.</param>
    public PacedContent(byte[] buffer, int count, Silence silence)
        : base(buffer, 0, count, writable: false) => (_bytes, _silence) = (buffer, silence);

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count)
    {
        _silence.Touch();
        return base.Read(buffer, offset, count);
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        _silence.Touch();
        return Task.FromResult(base.Read(buffer, offset, count));
    }

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _silence.Touch();
        var step = (int)Math.Min(buffer.Length, Length - Position);
        GetBuffered(step).CopyTo(buffer);
        Position += step;
        return new(step);
    }

    /// <inheritdoc/>
    public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
    {
        while (Position < Length)
        {
            var step = (int)Math.Min(StepBytes, Length - Position);
            await destination.WriteAsync(GetBuffered(step), cancellationToken);
            Position += step;
            _silence.Touch();
        }
    }

    private ReadOnlyMemory<byte> GetBuffered(int step) => _bytes.AsMemory((int)Position, step);
}
