namespace Dure.Test.Contracts;

/// <summary>A stream that gives some bytes and then fails.</summary>
internal sealed class BrokenStream(int bytesBefore, Func<Exception> failure) : Stream
{
    private int _left = bytesBefore;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = Math.Min(count, _left);
        _left -= read;
        return read > 0 ? read : throw failure();
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
