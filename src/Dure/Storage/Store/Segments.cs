using System.Buffers;
using Dure.Host.Data;
using Dure.Host.Files;
using Microsoft.Win32.SafeHandles;

namespace Dure.Storage.Store;

/// <summary>A piece of an object's bytes.</summary>
internal sealed record Segment(long ContentId, long Size);

/// <summary>A piece as its row has it.</summary>
/// <param name="Bytes">Null when they are in a file.</param>
internal sealed record SegmentBytes(byte[] Crcs, byte[]? Bytes);

/// <summary>
/// Reads a range of an object in chunks whose blocks were all checked. The group of contents stays where it is until this is disposed,
/// also when the object is replaced or deleted meanwhile.
/// </summary>
internal sealed class Segments : IDisposable
{
    /// <summary>Bytes that a chunk may need.</summary>
    public const int ChunkBytes = 4 * Content.BlockBytes;

    private readonly Contents _contents;
    private readonly IReadOnlyList<Segment> _list;
    private IReadOnlyList<long> _pinned;
    private readonly bool _quiet;
    private SegmentBytes? _bytes;
    private SafeFileHandle? _file;
    private int _index;
    private long _at;
    private long _left;

    /// <param name="bytes">Of the first segment, when they are known already.</param>
    /// <param name="pinned">Groups to let go of at the end.</param>
    /// <param name="quiet">Damage is the caller's to report.</param>
    public Segments(Contents contents, IReadOnlyList<Segment> list, long offset, long length, SegmentBytes? bytes, IReadOnlyList<long> pinned, bool quiet = false)
    {
        (_contents, _list, _at, _left, _bytes, _pinned, _quiet) = (contents, list, offset, length, bytes, pinned, quiet);
        while (_index < list.Count && _at >= list[_index].Size)
            _at -= list[_index++].Size;
        if (_index > 0)
            _bytes = null;
    }

    /// <summary>Bytes that are still to come.</summary>
    public long Left => _left;

    /// <summary>Bytes that memory for the next chunk must have; 0 at the end.</summary>
    public int Room
    {
        get
        {
            if (_left == 0 || _index >= _list.Count)
                return 0;
            var start = _at - _at % Content.BlockBytes;
            return (int)Math.Min(ChunkBytes, Math.Min(_list[_index].Size, RoundUp(_at + _left)) - start);
        }
    }

    /// <summary>Puts the next chunk at the start of the memory.</summary>
    /// <param name="memory">At least <see cref="Room"/>.</param>
    /// <returns>Bytes; 0 at the end; -1 when they are not what was written.</returns>
    public async ValueTask<int> ReadAsync(Memory<byte> memory, CancellationToken cancel)
    {
        var room = Room;
        if (room == 0)
            return _left == 0 ? 0 : -1;
        var segment = _list[_index];
        var skip = (int)(_at % Content.BlockBytes);
        var start = _at - skip;
        memory = memory[..room];
        if (!await LoadAsync(segment, start, memory, cancel))
        {
            if (!_quiet)
                await _contents.ReportAsync(segment.ContentId);
            return -1;
        }
        var count = (int)Math.Min(room - skip, _left);
        if (skip > 0)
            memory.Span.Slice(skip, count).CopyTo(memory.Span);
        Advance(segment, count);
        return count;
    }

    public void Dispose()
    {
        _file?.Dispose();
        foreach (var id in Interlocked.Exchange(ref _pinned, []))
            _contents.Unpin(id);
    }

    private static long RoundUp(long at) => (at + Content.BlockBytes - 1) / Content.BlockBytes * Content.BlockBytes;

    private void Advance(Segment segment, int count)
    {
        (_at, _left) = (_at + count, _left - count);
        if (_at < segment.Size)
            return;
        (_at, _index, _bytes) = (0, _index + 1, null);
        _file?.Dispose();
        _file = null;
    }

    private async ValueTask<bool> LoadAsync(Segment segment, long start, Memory<byte> memory, CancellationToken cancel)
    {
        _bytes ??= await _contents.BytesAsync(segment.ContentId, cancel);
        if (_bytes is null)
            return false;
        if (_bytes.Bytes is { } inline)
        {
            if (inline.Length != segment.Size || !BlockSums.Hold(_bytes.Crcs, 0, inline))
                return false;
            inline.AsMemory((int)start, memory.Length).CopyTo(memory);
            return true;
        }
        try
        {
            _file ??= _contents.Files.Open(segment.ContentId);
            // Once more before it is called damaged: a disk may have had a bad moment.
            return await TryReadAsync(start, memory, cancel) || await TryReadAsync(start, memory, cancel);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private async ValueTask<bool> TryReadAsync(long start, Memory<byte> memory, CancellationToken cancel)
    {
        var count = 0;
        while (count < memory.Length && await RandomAccess.ReadAsync(_file!, memory[count..], start + count, cancel) is var read and > 0)
            count += read;
        return count == memory.Length && BlockSums.Hold(_bytes!.Crcs, start / Content.BlockBytes, memory.Span);
    }
}

/// <summary>The same as a stream. Damaged bytes are an <see cref="InvalidDataException"/>.</summary>
internal sealed class SegmentStream(Segments segments, long length) : ForwardStream
{
    private byte[]? _buffer = ArrayPool<byte>.Shared.Rent(Segments.ChunkBytes);
    private int _from;
    private int _to;

    public override long Length => length;

    public override long Position
    {
        get => length - segments.Left - (_to - _from);
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_buffer is null, this);
        if (_from == _to)
        {
            _from = 0;
            _to = await segments.ReadAsync(_buffer, cancellationToken);
            if (_to < 0)
            {
                _to = 0;
                throw new InvalidDataException("A block does not match its checksum.");
            }
        }
        var count = Math.Min(buffer.Length, _to - _from);
        _buffer.AsMemory(_from, count).CopyTo(buffer);
        _from += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _buffer, null) is { } buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            segments.Dispose();
        }
        base.Dispose(disposing);
    }
}

/// <inheritdoc/>
internal sealed class StoredReader(Segments segments) : ObjectReader
{
    // A pipe gets as much at a time as it can hold on to while the one before is sent.
    private byte[]? _ahead;
    private int _aheadCount;

    public override async ValueTask<bool> CheckFirstAsync(CancellationToken cancel)
    {
        if (_ahead is not null || segments.Room == 0)
            return segments.Left == 0 || _aheadCount > 0;
        _ahead = ArrayPool<byte>.Shared.Rent(segments.Room);
        _aheadCount = await segments.ReadAsync(_ahead, cancel);
        return _aheadCount >= 0;
    }

    public override async ValueTask<bool> CopyToAsync(System.IO.Pipelines.PipeWriter writer, CancellationToken cancel)
    {
        if (_ahead is not null)
        {
            if (_aheadCount < 0)
                return false;
            await writer.WriteAsync(_ahead.AsMemory(0, _aheadCount), cancel);
        }
        while (segments.Room is var room and > 0)
        {
            var count = await segments.ReadAsync(writer.GetMemory(room), cancel);
            if (count < 0)
                return false;
            writer.Advance(count);
            if ((await writer.FlushAsync(cancel)).IsCompleted)
                return true;
        }
        return segments.Left == 0;
    }

    public override ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _ahead, null) is { } ahead)
            ArrayPool<byte>.Shared.Return(ahead);
        segments.Dispose();
        return default;
    }
}
