using System.Text;

namespace Dure.Functions.Logs;

/// <summary>Reads a log file in large pieces, from an offset to an offset.</summary>
internal sealed class LogPieces : IAsyncDisposable
{
    private const int PieceBytes = 256 << 10;
    private readonly FileStream? _file;
    private readonly long _end;
    private byte[] _buffer = new byte[PieceBytes];
    private int _used;
    private int _at;
    private long _offset;

    public LogPieces(string path, long from, long end)
    {
        (_offset, _end) = (from, end);
        try
        {
            _file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, useAsync: true);
            _file.Seek(from, SeekOrigin.Begin);
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            // Retention was faster.
        }
    }

    /// <summary>Where the next line begins.</summary>
    public long Offset => _offset;

    /// <summary>The next line; null at the end.</summary>
    /// <param name="skip">Its text is not wanted.</param>
    public async ValueTask<(long Offset, string Text, bool Cut)?> NextLineAsync(bool skip, CancellationToken cancel)
    {
        var begin = _offset;
        var end = _buffer.AsSpan(_at, _used - _at).IndexOf((byte)'\n');
        string? head = null;
        while (end < 0)
        {
            // A line of any length is read through, but only so much of it is kept.
            if (_used - _at >= LogIndex.LineBytesMost)
            {
                head ??= skip ? "" : Text(_at, LogIndex.LineBytesMost);
                _offset += _used - _at;
                _at = _used;
            }
            if (!await FillAsync(cancel))
            {
                if (_used == _at && head is null)
                    return null;
                end = _used - _at;
                break;
            }
            end = _buffer.AsSpan(_at, _used - _at).IndexOf((byte)'\n');
        }
        var cut = head is not null || end > LogIndex.LineBytesMost;
        var text = head ?? (skip ? "" : Text(_at, Math.Min(end, LogIndex.LineBytesMost)));
        var past = Math.Min(_at + end + 1, _used);
        _offset += past - _at;
        _at = past;
        return (begin, text, cut);
    }

    /// <summary>As many whole lines as a piece has, or one that is longer; empty at the end.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> NextLinesAsync(CancellationToken cancel)
    {
        while (true)
        {
            var last = _buffer.AsSpan(_at, _used - _at).LastIndexOf((byte)'\n');
            if (last >= 0)
                return Take(last + 1);
            if (!await FillAsync(cancel))
                return Take(_used - _at);
        }
    }

    public ValueTask DisposeAsync() => _file?.DisposeAsync() ?? default;

    private ReadOnlyMemory<byte> Take(int count)
    {
        var taken = _buffer.AsMemory(_at, count);
        _at += count;
        _offset += count;
        return taken;
    }

    private string Text(int at, int count)
    {
        var bytes = _buffer.AsSpan(at, count);
        return Encoding.UTF8.GetString(bytes is [.. var line, (byte)'\r'] ? line : bytes);
    }

    // What is left goes to the front; a line that fills the whole buffer makes it larger.
    private async ValueTask<bool> FillAsync(CancellationToken cancel)
    {
        if (_file is null)
            return false;
        var left = _used - _at;
        if (left == _buffer.Length)
            Array.Resize(ref _buffer, _buffer.Length * 2);
        else if (_at > 0)
            Buffer.BlockCopy(_buffer, _at, _buffer, 0, left);
        (_at, _used) = (0, left);
        var want = (int)Math.Min(_buffer.Length - _used, _end - _file.Position);
        if (want <= 0)
            return false;
        var read = await _file.ReadAsync(_buffer.AsMemory(_used, want), cancel);
        _used += read;
        return read > 0;
    }
}
