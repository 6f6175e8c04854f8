using System.Security.Cryptography;

namespace Dure.Storage.Replication;

/// <summary>
/// Reads bytes whose digest is known; the last read throws when they are others, so that a sender never completes with wrong bytes. Going
/// back to the start begins anew; other jumps are not supported.
/// </summary>
/// <param name="length">Bytes.</param>
internal sealed class VerifiedStream(Stream inner, string digest, long length) : Stream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _position;
    private bool _ended;

    /// <summary>They were others.</summary>
    public bool Damaged { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => inner.CanSeek;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => Seek(value, SeekOrigin.Begin);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
            return 0;
        int read;
        try
        {
            read = await inner.ReadAsync(buffer, cancellationToken);
        }
        catch (InvalidDataException)
        {
            // The store looked itself.
            Damaged = true;
            throw;
        }
        return Pass(buffer.Span[..read]);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer) => buffer.IsEmpty ? 0 : Pass(buffer[..inner.Read(buffer)]);

    public override long Seek(long offset, SeekOrigin origin)
    {
        var target = origin switch { SeekOrigin.Begin => offset, SeekOrigin.Current => _position + offset, _ => length + offset };
        if (target == _position)
            return target;
        if (target != 0)
            throw new NotSupportedException("Bytes that are verified are read from start to end.");
        inner.Position = 0;
        _hash.GetHashAndReset();
        (_position, _ended) = (0, false);
        return 0;
    }

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        await base.DisposeAsync();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            _hash.Dispose();
        }
        base.Dispose(disposing);
    }

    // Decided with the last byte, not at the end: who reads as many bytes as announced never asks for the end.
    private int Pass(ReadOnlySpan<byte> piece)
    {
        _hash.AppendData(piece);
        _position += piece.Length;
        if (_position > length || piece.IsEmpty && _position < length)
            Fail();
        if (_position == length && !_ended)
        {
            _ended = true;
            if (Convert.ToHexStringLower(_hash.GetHashAndReset()) != digest)
                Fail();
        }
        return piece.Length;
    }

    private void Fail()
    {
        Damaged = true;
        throw new InvalidDataException($"The bytes are not those of {digest}.");
    }
}
