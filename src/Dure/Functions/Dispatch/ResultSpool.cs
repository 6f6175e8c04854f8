namespace Dure.Functions.Dispatch;

/// <summary>
/// Gathers the pieces of a streamed result: in memory while small, then in a file. Readers follow at their own pace, so a slow
/// caller costs no memory.
/// </summary>
public sealed class ResultSpool(string path, int memoryLimit) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly MemoryStream _memory = new();
    private FileStream? _file;
    private TaskCompletionSource _grown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _length;
    private bool _ended;

    /// <summary>Bytes gathered.</summary>
    public long Length => Volatile.Read(ref _length);

    /// <summary>The file that holds everything; null while it is in memory.</summary>
    public string? FilePath => _file is null ? null : path;

    /// <summary>The bytes, while there is no file.</summary>
    public ReadOnlyMemory<byte> Memory => _memory.ToArray();

    /// <summary>Adds a piece.</summary>
    public void Append(ReadOnlySpan<byte> piece)
    {
        TaskCompletionSource grown;
        lock (_gate)
        {
            if (_file is null && _length + piece.Length > memoryLimit)
                MoveToFile();
            if (_file is null)
                _memory.Write(piece);
            else
                RandomAccess.Write(_file.SafeFileHandle, piece, _length);
            _length += piece.Length;
            (grown, _grown) = (_grown, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        grown.SetResult();
    }

    /// <summary>No more will come.</summary>
    public void End()
    {
        lock (_gate)
        {
            _ended = true;
            _grown.TrySetResult();
        }
    }

    /// <summary>Reads from an offset; waits for more.</summary>
    /// <returns>0 when it has ended and everything was read.</returns>
    public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancel)
    {
        while (true)
        {
            Task grown;
            lock (_gate)
            {
                if (offset < _length)
                    return Copy(offset, buffer.Span);
                if (_ended)
                    return 0;
                grown = _grown.Task;
            }
            await grown.WaitAsync(cancel);
        }
    }

    /// <summary>Closes the file; it stays where it is for whoever takes it over.</summary>
    public void Dispose()
    {
        End();
        lock (_gate)
            _file?.Dispose();
    }

    private int Copy(long offset, Span<byte> buffer)
    {
        if (_file is not null)
            return RandomAccess.Read(_file.SafeFileHandle, buffer, offset);
        var from = _memory.GetBuffer().AsSpan((int)offset, (int)(_length - offset));
        var count = Math.Min(from.Length, buffer.Length);
        from[..count].CopyTo(buffer);
        return count;
    }

    private void MoveToFile()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        _file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, bufferSize: 0);
        _file.Write(_memory.GetBuffer().AsSpan(0, (int)_memory.Length));
        _file.Flush();
        _memory.SetLength(0);
    }
}
