using Microsoft.Win32.SafeHandles;

namespace Dure.Storage.Commands;

/// <summary>A piece of a file as a stream of its own, which may be read anew when a request is tried again; tells how much was read.</summary>
/// <param name="read">Gets the bytes read, less those that are read again.</param>
internal sealed class PieceStream(SafeFileHandle file, long offset, long length, Action<long>? read) : Stream
{
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set
        {
            read?.Invoke(value - _position);
            _position = value;
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var wanted = (int)Math.Min(buffer.Length, length - _position);
        return wanted == 0 ? 0 : Took(await RandomAccess.ReadAsync(file, buffer[..wanted], offset + _position, cancellationToken));
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(Span<byte> buffer)
    {
        var wanted = (int)Math.Min(buffer.Length, length - _position);
        return wanted == 0 ? 0 : Took(RandomAccess.Read(file, buffer[..wanted], offset + _position));
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => length + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Took(int count)
    {
        if (count == 0)
        {
            throw new EndOfStreamException("the file became shorter while it was read");
        }

        read?.Invoke(count);
        _position += count;
        return count;
    }
}
