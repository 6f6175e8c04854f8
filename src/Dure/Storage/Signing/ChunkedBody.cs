using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Text;
using Dure.Host.Files;
using Dure.Storage.Store;

namespace Dure.Storage.Signing;

/// <summary>
/// The bytes within an aws-chunked body. Each chunk's signature is checked at its end and the trailers with the last byte: what was read
/// counts only when the stream ended without <see cref="BrokenBodyException"/>.
/// </summary>
/// <param name="length">Bytes that the client announced.</param>
/// <param name="signatures">Null when chunks are not signed; disposed with this.</param>
/// <param name="trailers">Names that may come after the bytes, lower case; null when the form has none.</param>
/// <param name="trailerSigned">The trailers end in a signature of theirs.</param>
internal sealed class ChunkedBody(PipeReader reader, long length, ChunkSignatures? signatures, IReadOnlyCollection<string>? trailers, bool trailerSigned) : ForwardStream
{
    private const int LineMax = 1024;
    private const int TrailersMax = 16;
    private const string TrailerSignature = "x-amz-trailer-signature";

    private readonly byte[] _signature = new byte[ChunkSignatures.SignatureLength];
    private readonly Dictionary<string, string> _found = new(StringComparer.Ordinal);
    private readonly StringBuilder _signedTrailers = new();
    private Place _place = Place.ChunkLine;
    private long _left;
    private long _read;
    private bool _emptyLine;

    private enum Place
    {
        ChunkLine,
        Data,
        DataEnd,
        Trailers,
        End,
    }

    /// <summary>All was read, and it was well formed and signed.</summary>
    public bool Ended => _place == Place.End;

    /// <summary>A trailer; null when it did not come.</summary>
    public string? Trailer(string name) => _found.GetValueOrDefault(name);

    /// <inheritdoc/>
    /// <exception cref="BrokenBodyException">The body is cut off, malformed or not what was signed.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }
        var written = 0;
        while (_place != Place.End)
        {
            var result = await reader.ReadAsync(cancellationToken);
            var rest = result.Buffer;
            var full = false;
            try
            {
                written += Take(ref rest, buffer.Span[written..]);
                full = written == buffer.Length && _place == Place.Data;
            }
            finally
            {
                // Looked at to the end, unless there was no more room.
                reader.AdvanceTo(rest.Start, full ? rest.Start : rest.End);
            }
            if (!full && _place != Place.End && (result.IsCompleted || result.IsCanceled))
            {
                throw Cut();
            }
            // The last bytes are given only once all after them holds: who reads just as many as were announced sees it too.
            if (written > 0 && _read < length)
            {
                break;
            }
        }
        return written;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            signatures?.Dispose();
        }
        base.Dispose(disposing);
    }

    private static BrokenBodyException Cut() => new(StoreFault.IncompleteBody, "The body ended before its last chunk.");

    private static BrokenBodyException Broken(string what) => new(StoreFault.IncompleteBody, what);

    private static BrokenBodyException BadTrailer(string what) => new(StoreFault.MalformedTrailer, what);

    private static BrokenBodyException BadSignature(string what) => new(StoreFault.BadSignature, what);

    // Takes what is there; the rest begins after it.
    private int Take(ref ReadOnlySequence<byte> rest, Span<byte> to)
    {
        var written = 0;
        while (_place != Place.End)
        {
            switch (_place)
            {
                case Place.Data when written == to.Length || rest.IsEmpty:
                    return written;
                case Place.Data:
                    written += TakeData(ref rest, to[written..]);
                    break;
                default:
                    if (!TakeLine(ref rest))
                    {
                        return written;
                    }
                    break;
            }
        }
        return written;
    }

    private int TakeData(ref ReadOnlySequence<byte> rest, Span<byte> to)
    {
        var piece = rest.FirstSpan;
        var count = (int)Math.Min(Math.Min(piece.Length, to.Length), _left);
        var taken = piece[..count];
        taken.CopyTo(to);
        signatures?.Append(taken);
        rest = rest.Slice(count);
        _read += count;
        _left -= count;
        if (_left == 0)
        {
            _place = Place.DataEnd;
            EndChunk();
        }
        return count;
    }

    private void EndChunk()
    {
        if (signatures is not null && !signatures.EndChunk(_signature))
        {
            throw BadSignature("The signature of a chunk is not that of its bytes.");
        }
    }

    private bool TakeLine(ref ReadOnlySequence<byte> rest)
    {
        Span<byte> space = stackalloc byte[LineMax];
        if (rest.PositionOf((byte)'\n') is not { } end)
        {
            return rest.Length <= LineMax ? false : throw Broken("A line of the body's frame is too long.");
        }
        var whole = rest.Slice(0, end);
        if (whole.Length > LineMax)
        {
            throw Broken("A line of the body's frame is too long.");
        }
        whole.CopyTo(space);
        ReadOnlySpan<byte> line = space[..(int)whole.Length];
        rest = rest.Slice(rest.GetPosition(1, end));
        line = line.EndsWith("\r"u8) ? line[..^1] : line;
        switch (_place)
        {
            case Place.ChunkLine:
                BeginChunk(line);
                break;
            case Place.DataEnd:
                _place = line.IsEmpty ? Place.ChunkLine : throw Broken("A chunk is longer than its line says.");
                break;
            default:
                TakeTrailer(line);
                break;
        }
        return true;
    }

    private void BeginChunk(ReadOnlySpan<byte> line)
    {
        var semicolon = line.IndexOf((byte)';');
        var digits = semicolon < 0 ? line : line[..semicolon];
        if (digits.Length is 0 or > 15 || !Utf8Parser.TryParse(digits, out _left, out var used, 'x') || used != digits.Length)
        {
            throw Broken("The length of a chunk is no hexadecimal number.");
        }
        if (_left > length - _read)
        {
            throw Broken("The chunks hold more bytes than x-amz-decoded-content-length announced.");
        }
        if (signatures is not null)
        {
            var signature = semicolon < 0 ? default : line[(semicolon + 1)..];
            if (!signature.StartsWith("chunk-signature="u8) || signature.Length != "chunk-signature=".Length + _signature.Length)
            {
                throw BadSignature("A chunk has no signature.");
            }
            signature[^_signature.Length..].CopyTo(_signature);
        }
        if (_left > 0)
        {
            _place = Place.Data;
            return;
        }
        EndChunk();
        if (_read != length)
        {
            throw Broken("The chunks hold fewer bytes than x-amz-decoded-content-length announced.");
        }
        _place = Place.Trailers;
    }

    private void TakeTrailer(ReadOnlySpan<byte> line)
    {
        if (line.IsEmpty)
        {
            EndTrailers();
            return;
        }
        var text = Encoding.UTF8.GetString(line);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0 || trailers is null || _found.Count >= TrailersMax)
        {
            throw BadTrailer("A line after the last chunk is no trailer.");
        }
        var (name, value) = (text[..colon].Trim().ToLowerInvariant(), text[(colon + 1)..].Trim());
        var isSignature = trailerSigned && name == TrailerSignature;
        if ((!isSignature && !trailers.Contains(name, StringComparer.Ordinal)) || !_found.TryAdd(name, value))
        {
            throw BadTrailer("A trailer was not announced, or came twice.");
        }
        if (!isSignature)
        {
            _signedTrailers.Append(name).Append(':').Append(value).Append('\n');
        }
    }

    private void EndTrailers()
    {
        // Before the signature of the trailers there may be an empty line.
        if (trailerSigned && !_found.ContainsKey(TrailerSignature) && _found.Count > 0 && !_emptyLine)
        {
            _emptyLine = true;
            return;
        }
        foreach (var name in trailers ?? [])
        {
            if (!_found.ContainsKey(name))
            {
                throw BadTrailer("A trailer that was announced did not come.");
            }
        }
        if (trailerSigned && (trailers!.Count > 0 || _found.Count > 0))
        {
            var signature = Encoding.UTF8.GetBytes(_found.GetValueOrDefault(TrailerSignature, ""));
            if (!signatures!.EndTrailers(_signedTrailers.ToString(), signature))
            {
                throw BadSignature("The signature of the trailers is not theirs.");
            }
        }
        _place = Place.End;
    }
}
