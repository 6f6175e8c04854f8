using Dure.Host.Files;

namespace Dure.Functions.Deploy;

/// <summary>Reads an entry of a .zip and compares length and checksum (CRC-32) at its end; the library's reader does not.</summary>
/// <exception cref="InvalidDataException">On the read that finds the difference.</exception>
internal sealed class CheckedStream(Stream inner, long length, uint crc) : ForwardStream
{
    private static readonly uint[] s_table = [.. Enumerable.Range(0, 256).Select(static n => Entry((uint)n))];

    private uint _crc = uint.MaxValue;
    private long _length;

    public override int Read(byte[] buffer, int offset, int count)
    {
        var n = inner.Read(buffer, offset, count);
        Follow(buffer.AsSpan(offset, n), count);
        return n;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var n = await inner.ReadAsync(buffer, cancellationToken);
        Follow(buffer.Span[..n], buffer.Length);
        return n;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }

    private static uint Entry(uint n)
    {
        const uint polynomial = 0xEDB88320;
        for (var bit = 0; bit < 8; bit++)
            n = (n & 1) != 0 ? (n >> 1) ^ polynomial : n >> 1;
        return n;
    }

    private void Follow(ReadOnlySpan<byte> bytes, int asked)
    {
        foreach (var b in bytes)
            _crc = s_table[(byte)(_crc ^ b)] ^ (_crc >> 8);
        _length += bytes.Length;
        if (bytes.Length == 0 && asked > 0 && (_length != length || ~_crc != crc))
            throw new InvalidDataException("a file of the .zip is not as its checksum says");
    }
}
