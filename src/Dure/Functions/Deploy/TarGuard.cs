using System.Text.RegularExpressions;
using Dure.Host.Texts;

namespace Dure.Functions.Deploy;

/// <summary>
/// Follows a tar stream beside its reader and refuses what would cost the reader memory: headers about headers (long names,
/// extended attributes) are read whole, so a small package could ask for gigabytes. Also knows whether the end mark was seen.
/// </summary>
internal sealed partial class TarGuard(Stream inner) : Stream
{
    private const int Block = 512;
    private const long MetadataBytesMax = 1L << 20;

    private readonly byte[] _header = new byte[Block];
    private int _headerFilled;
    private long _skip;
    private MemoryStream? _metadata;

    /// <summary>False at the end of the stream means that the package was cut off.</summary>
    public bool EndSeen { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        var n = inner.Read(buffer);
        Follow(buffer[..n]);
        return n;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var n = await inner.ReadAsync(buffer, cancellationToken);
        Follow(buffer.Span[..n]);
        return n;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private void Follow(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0 && !EndSeen)
        {
            if (_skip > 0)
            {
                var n = (int)Math.Min(_skip, bytes.Length);
                _metadata?.Write(bytes[..n]);
                _skip -= n;
                bytes = bytes[n..];
                if (_skip == 0 && _metadata is not null)
                    CheckMetadata();
                continue;
            }

            var part = Math.Min(Block - _headerFilled, bytes.Length);
            bytes[..part].CopyTo(_header.AsSpan(_headerFilled));
            _headerFilled += part;
            bytes = bytes[part..];
            if (_headerFilled == Block)
                Header();
        }
    }

    private void Header()
    {
        _headerFilled = 0;
        if (!_header.AsSpan().ContainsAnyExcept((byte)0))
        {
            EndSeen = true;
            return;
        }

        var size = Size(_header.AsSpan(124, 12));
        var type = (char)_header[156];
        if (type is 'x' or 'g' or 'L' or 'K')
        {
            if (size > MetadataBytesMax)
                throw new InvalidDataException($"an entry's name or attributes take {Quantities.Bytes(size)}");
            _metadata = type is 'x' or 'g' ? new MemoryStream() : null;
        }

        _skip = (size + Block - 1) / Block * Block;
    }

    private void CheckMetadata()
    {
        // A size in the attributes overrides the header's and is needed only above 8 GiB; with it this class would lose its place.
        if (SizeRecord().IsMatch(System.Text.Encoding.Latin1.GetString(_metadata!.GetBuffer(), 0, (int)_metadata.Length)))
            throw new InvalidDataException("an entry is larger than 8 GiB");
        _metadata = null;
    }

    private static long Size(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) != 0)
            throw new InvalidDataException("an entry is larger than 8 GiB");
        long size = 0;
        foreach (var b in field)
        {
            if (b is >= (byte)'0' and <= (byte)'7')
                size = (size * 8) + (b - '0');
            else if (b is not ((byte)' ' or 0))
                throw new InvalidDataException("not a tar header");
        }

        return size;
    }

    [GeneratedRegex(@"(^|\n)\d+ (GNU\.sparse\.\w+|size)=", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex SizeRecord();
}
