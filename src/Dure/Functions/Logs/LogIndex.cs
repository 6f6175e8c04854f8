namespace Dure.Functions.Logs;

/// <summary>A line: where it begins and what it says, without its end.</summary>
/// <param name="Cut">It is longer than <paramref name="Text"/>.</param>
public sealed record LogLine(long Number, long Offset, string Text, bool Cut);

/// <summary>What is known of a log.</summary>
/// <param name="Lines">Lines so far; a last one without its end counts.</param>
/// <param name="Stride">Every so many lines there is an offset: the first is that of line 0.</param>
public sealed record LogExtent(long Lines, long Bytes, int Stride, IReadOnlyList<long> Offsets);

/// <summary>
/// Knows where the lines of a growing file begin. Reads what is new each time it is asked, and keeps the offset of each so-manieth line,
/// fewer of them the longer the log is: a file of any length costs some 64 KiB of memory. Lines end with \n alone.
/// </summary>
public sealed class LogIndex : IDisposable
{
    private const int OffsetsMost = 8192;
    private const int PieceBytes = 1 << 20;

    /// <summary>Bytes shown of one line.</summary>
    public const int LineBytesMost = 32 << 10;

    private readonly SemaphoreSlim _one = new(1);
    private readonly string _path;
    private readonly List<long> _offsets = [0];
    private int _stride = 64;
    private long _whole;
    private long _lineEnd;
    private long _bytes;

    public LogIndex(string path) => _path = path;

    /// <summary>Looks at what is new.</summary>
    /// <param name="length">Bytes that count, when the writer has said; null for all there are.</param>
    public async ValueTask<LogExtent> ExtentAsync(long? length, CancellationToken cancel)
    {
        await _one.WaitAsync(cancel);
        try
        {
            await GrowAsync(length, cancel);
            return new LogExtent(_whole + (_bytes > _lineEnd ? 1 : 0), _bytes, _stride, [.. _offsets]);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Lines from a number on.</summary>
    /// <param name="bytesMost">Whole lines until there are so many bytes; one at least.</param>
    public async ValueTask<List<LogLine>> LinesAsync(long from, int count, int bytesMost, long? length, CancellationToken cancel)
    {
        var extent = await ExtentAsync(length, cancel);
        List<LogLine> lines = [];
        if (from < 0 || from >= extent.Lines || count <= 0)
            return lines;
        var place = (int)Math.Min(from / extent.Stride, extent.Offsets.Count - 1);
        var number = (long)place * extent.Stride;
        await using var pieces = new LogPieces(_path, extent.Offsets[place], extent.Bytes);
        var taken = 0;
        while (lines.Count < count && taken < bytesMost && await pieces.NextLineAsync(number < from, cancel) is { } line)
        {
            if (number++ < from)
                continue;
            lines.Add(new LogLine(number - 1, line.Offset, line.Text, line.Cut));
            taken += line.Text.Length;
        }
        return lines;
    }

    public void Dispose() => _one.Dispose();

    private async ValueTask GrowAsync(long? most, CancellationToken cancel)
    {
        if (!File.Exists(_path))
        {
            Begin();
            return;
        }
        using var file = File.OpenHandle(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
        var length = Math.Min(RandomAccess.GetLength(file), most ?? long.MaxValue);
        // Shorter than it was: another file, or what a full disk had left of a write.
        if (length < _bytes)
            Begin();
        var buffer = new byte[(int)Math.Clamp(length - _bytes, 0, PieceBytes)];
        while (_bytes < length)
        {
            var read = await RandomAccess.ReadAsync(file, buffer.AsMemory(0, (int)Math.Min(buffer.Length, length - _bytes)), _bytes, cancel);
            if (read == 0)
                return;
            Take(buffer.AsSpan(0, read));
        }
    }

    private void Take(ReadOnlySpan<byte> bytes)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var end = bytes[at..].IndexOf((byte)'\n');
            if (end < 0)
                break;
            at += end + 1;
            _lineEnd = _bytes + at;
            if (++_whole % _stride == 0)
                _offsets.Add(_lineEnd);
            if (_offsets.Count > OffsetsMost)
                Thin();
        }
        _bytes += bytes.Length;
    }

    private void Thin()
    {
        for (var i = 0; 2 * i < _offsets.Count; i++)
            _offsets[i] = _offsets[2 * i];
        _offsets.RemoveRange((_offsets.Count + 1) / 2, _offsets.Count / 2);
        _stride *= 2;
    }

    private void Begin()
    {
        (_whole, _lineEnd, _bytes, _stride) = (0, 0, 0, 64);
        _offsets.Clear();
        _offsets.Add(0);
    }
}
