using System.Buffers;
using System.Security.Cryptography;
using System.Threading.Channels;
using Microsoft.Win32.SafeHandles;

namespace Dure.Storage.Store;

/// <summary>
/// One body on its way into a file. A large one runs in three lanes: this one reads the body, a second computes MD5, the slowest of
/// the hashes, and a third the rest and writes. The buffers between them are few, so the slowest sets the pace.
/// </summary>
internal sealed class FileIntake : IDisposable
{
    private const int PieceBytes = 2 * Content.BlockBytes;
    private const int PiecesMost = 6;
    private const long LanesFrom = 2 << 20;
    private const long WriteBackBytes = 8 << 20;

    private readonly DataFiles _files;
    private readonly long _id;
    private readonly PieceBudget _budget;
    private readonly IncomingBody _body;
    private readonly SafeFileHandle _file;
    private readonly IncrementalHash _md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly ChecksumSet _checksums;
    private readonly BlockSums _blocks = new();
    private readonly Channel<Piece> _free = Channel.CreateUnbounded<Piece>(new UnboundedChannelOptions { SingleReader = true });
    private readonly List<Piece> _pieces = [];
    private long _length;
    private long _written;
    private long _begun;
    private volatile Exception? _failure;

    public FileIntake(DataFiles files, long id, PieceBudget budget, IncomingBody body)
    {
        (_files, _id, _budget, _body) = (files, id, budget, body);
        _checksums = new ChecksumSet(body.Compute);
        _file = files.Create(id);
    }

    /// <summary>Takes the body to its end and flushes the file.</summary>
    /// <param name="first">What was read of it already.</param>
    /// <exception cref="IOException">The disk is full or failed.</exception>
    public async ValueTask<(Content? Content, StoreFault? Fault)> TakeAsync(ReadOnlyMemory<byte> first, CancellationToken cancel)
    {
        var fault = _body.Length is null or >= LanesFrom ? await RunLanesAsync(first, cancel) : await RunAsync(first, cancel);
        if (fault is not null)
            return (null, fault);
        var sha256 = _sha256.GetHashAndReset();
        return (new Content(_id, default, _length, _md5.GetHashAndReset(), Convert.ToHexStringLower(sha256), _blocks.ToArray(), _checksums.Values(sha256)), null);
    }

    public void Dispose()
    {
        foreach (var piece in _pieces)
            ArrayPool<byte>.Shared.Return(piece.Buffer);
        _budget.Return(Math.Max(0, _pieces.Count - 1));
        _file.Dispose();
        _md5.Dispose();
        _sha256.Dispose();
        _checksums.Dispose();
    }

    private async ValueTask<StoreFault?> RunAsync(ReadOnlyMemory<byte> first, CancellationToken cancel)
    {
        var piece = NewPiece();
        while (true)
        {
            var fault = await FillAsync(piece, first, cancel);
            if (fault is not null)
                return fault;
            first = default;
            _md5.AppendData(piece.Span);
            Keep(piece);
            if (piece.Length < PieceBytes)
                break;
        }
        await Task.Run(Flush, CancellationToken.None);
        return null;
    }

    private async ValueTask<StoreFault?> RunLanesAsync(ReadOnlyMemory<byte> first, CancellationToken cancel)
    {
        var (toMd5, toFile) = (Lane(), Lane());
        var md5 = Task.Run(() => WorkAsync(toMd5.Reader, piece => _md5.AppendData(piece.Span), static () => { }), CancellationToken.None);
        var file = Task.Run(() => WorkAsync(toFile.Reader, Keep, Flush), CancellationToken.None);
        StoreFault? fault = null;
        var ended = false;
        try
        {
            while (!ended && fault is null && _failure is null)
            {
                var piece = await NextPieceAsync();
                fault = await FillAsync(piece, first, cancel);
                first = default;
                if (fault is not null)
                    break;
                ended = piece.Length < PieceBytes;
                piece.Pending = 2;
                toMd5.Writer.TryWrite(piece);
                toFile.Writer.TryWrite(piece);
            }
        }
        finally
        {
            // The lanes hold the buffers: they end before anything is given back, whatever happened. A body that broke off needs no flush.
            if (!ended)
                _failure ??= new OperationCanceledException();
            toMd5.Writer.Complete();
            toFile.Writer.Complete();
            await Task.WhenAll(md5, file);
        }
        if (fault is null && _failure is { } failure)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        return fault;
    }

    private async Task WorkAsync(ChannelReader<Piece> lane, Action<Piece> work, Action end)
    {
        try
        {
            await foreach (var piece in lane.ReadAllAsync())
            {
                if (_failure is null)
                    Try(work, piece);
                if (Interlocked.Decrement(ref piece.Pending) == 0)
                    _free.Writer.TryWrite(piece);
            }
            if (_failure is null)
                end();
        }
        catch (Exception failure)
        {
            _failure ??= failure;
        }
    }

    // Pieces go round also after a failure, so that the reader is not left waiting for one.
    private void Try(Action<Piece> work, Piece piece)
    {
        try
        {
            work(piece);
        }
        catch (Exception failure)
        {
            _failure = failure;
        }
    }

    private async ValueTask<StoreFault?> FillAsync(Piece piece, ReadOnlyMemory<byte> first, CancellationToken cancel)
    {
        first.CopyTo(piece.Buffer);
        var (count, fault) = await BodyIntake.FillAsync(_body.Body, piece.Buffer.AsMemory(first.Length, PieceBytes - first.Length), cancel);
        piece.Length = first.Length + count;
        _length += piece.Length;
        return fault ?? (_length > _body.Length || (piece.Length < PieceBytes && _length < _body.Length) ? StoreFault.IncompleteBody : null);
    }

    private void Keep(Piece piece)
    {
        _sha256.AppendData(piece.Span);
        _blocks.Append(piece.Span);
        _checksums.Append(piece.Span);
        RandomAccess.Write(_file, piece.Span, _written);
        _written += piece.Length;
        if (_written - _begun < WriteBackBytes)
            return;
        DataFiles.BeginWriting(_file, _begun, _written - _begun);
        _begun = _written;
    }

    private void Flush() => _files.Flush(_file, _id);

    private ValueTask<Piece> NextPieceAsync()
    {
        if (_free.Reader.TryRead(out var piece))
            return new(piece);
        return _pieces.Count == 0 || (_pieces.Count < PiecesMost && _budget.TryTake()) ? new(NewPiece()) : _free.Reader.ReadAsync(CancellationToken.None);
    }

    private Piece NewPiece()
    {
        var piece = new Piece(ArrayPool<byte>.Shared.Rent(PieceBytes));
        _pieces.Add(piece);
        return piece;
    }

    private static Channel<Piece> Lane() => Channel.CreateUnbounded<Piece>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private sealed class Piece(byte[] buffer)
    {
        public int Pending;

        public byte[] Buffer { get; } = buffer;

        public int Length { get; set; }

        public ReadOnlySpan<byte> Span => Buffer.AsSpan(0, Length);
    }
}
