using System.Globalization;
using System.Text;

namespace Dure.Functions.Dispatch;

/// <summary>Which descriptor a line was written to; <see cref="System"/> lines are Dure's own.</summary>
public enum LogStream : byte
{
    System = 0,
    Out = 1,
    Error = 2,
}

/// <summary>
/// The log of one invocation, all attempts: text lines <c>2026-11-21T09:35:01.123Z 1 out text</c>. Appended in memory, written
/// out within <see cref="LogBook.FlushEvery"/> and before the invocation ends.
/// </summary>
public sealed class LogFile
{
    private readonly Lock _gate = new();
    private readonly LogBook _book;
    private readonly long _limit;
    private StringBuilder _waiting = new();
    private int _limitedAttempt = -1;
    private long _attemptBytes;
    private int _attempt;
    private long _dropped;
    private long _length;

    internal LogFile(LogBook book, long invocation, string function, string path, long limit)
    {
        (_book, Invocation, Function, Path, _limit) = (book, invocation, function, path, limit);
        _length = File.Exists(path) ? new FileInfo(path).Length : 0;
    }

    /// <summary>Whose log it is.</summary>
    public long Invocation { get; }

    /// <summary>Name of the invocation's function.</summary>
    public string Function { get; }

    /// <summary>Where it is kept.</summary>
    public string Path { get; }

    /// <summary>Bytes written out so far.</summary>
    public long Length => Volatile.Read(ref _length);

    /// <summary>Adds lines.</summary>
    /// <param name="time">When they were written, Unix ms.</param>
    /// <param name="text">One or more lines, without the last line end.</param>
    public void Append(int attempt, LogStream stream, long time, string text)
    {
        bool first;
        lock (_gate)
        {
            if (attempt != _attempt)
                (_attempt, _attemptBytes) = (attempt, 0);
            if (_attemptBytes > _limit && stream != LogStream.System)
            {
                Limited(attempt, time, text);
                return;
            }
            first = _waiting.Length == 0;
            foreach (var line in text.AsSpan().EnumerateLines())
                AppendLine(attempt, stream, time, line);
        }
        if (first)
            _book.MarkDirty(this);
    }

    /// <summary>Writes out what waits.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            if (_waiting.Length == 0)
                return;
            var bytes = Encoding.UTF8.GetBytes(_waiting.ToString());
            _waiting = _waiting.Capacity > 1 << 20 ? new StringBuilder() : _waiting.Clear();
            try
            {
                Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
                using var handle = File.OpenHandle(Path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
                RandomAccess.Write(handle, bytes, _length);
                Volatile.Write(ref _length, _length + bytes.Length);
            }
            catch (IOException)
            {
                // Disk full: results matter more than logs; the gap is counted and said.
                _dropped += bytes.Length;
            }
        }
        _book.Written(this);
    }

    /// <summary>Says what was left out of this attempt's log, at its end.</summary>
    public void CloseAttempt(long time)
    {
        long dropped;
        lock (_gate)
            (dropped, _dropped) = (_dropped, 0);
        if (dropped > 0)
            Append(_attempt, LogStream.System, time, string.Create(CultureInfo.InvariantCulture, $"{dropped} bytes of output are not in this log"));
        Flush();
    }

    private void Limited(int attempt, long time, string text)
    {
        _dropped += text.Length;
        if (_limitedAttempt == attempt)
            return;
        _limitedAttempt = attempt;
        AppendLine(attempt, LogStream.System, time, string.Create(CultureInfo.InvariantCulture, $"the log limit of {_limit} bytes an attempt is reached; what follows is dropped"));
        _book.MarkDirty(this);
    }

    private void AppendLine(int attempt, LogStream stream, long time, ReadOnlySpan<char> line)
    {
        var before = _waiting.Length;
        var name = stream switch { LogStream.Out => "out", LogStream.Error => "err", _ => "sys" };
        _waiting.Append(CultureInfo.InvariantCulture, $"{DateTimeOffset.FromUnixTimeMilliseconds(time).UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ} {attempt} {name} ")
            .Append(line).Append('\n');
        _attemptBytes += _waiting.Length - before;
    }
}
