namespace Dure.Functions.Dispatch;

/// <summary>
/// Gathers the pieces of a streamed result: in memory while small, then in a file. Readers follow at their own pace, so a slow
/// caller costs no memory, and read to the end also when the invocation has ended meanwhile and its file was taken over.
/// </summary>
/// <param name="memoryLimit">Bytes above which there is a file.</param>
/// <param name="limit">Bytes above which nothing more is kept.</param>
public sealed class ResultSpool(string path, int memoryLimit, long limit) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly MemoryStream _memory = new();
    private FileStream? _file;
    private TaskCompletionSource _grown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _length;
    private bool _ended;
    private bool _released;
    private int _readers;

    /// <summary>Why the result is not whole; null while it is.</summary>
    public string? Fault { get; private set; }

    /// <summary>Bytes gathered.</summary>
    public long Length => Volatile.Read(ref _length);

    /// <summary>The file that holds everything; null while it is in memory.</summary>
    public string? FilePath => _file is null ? null : path;

    /// <summary>The bytes, while there is no file.</summary>
    public ReadOnlyMemory<byte> Memory => _memory.ToArray();

    /// <summary>Adds a piece. One that cannot be kept (limit, full disk) is left out with all that follow, and <see cref="Fault"/> says so.</summary>
    public void Append(ReadOnlySpan<byte> piece)
    {
        TaskCompletionSource grown;
        lock (_gate)
        {
            if (Fault is not null || _ended)
                return;
            if (_length + piece.Length > limit)
                Fault = $"result: it is larger than the limit of {limit} bytes (functions.payload_limit)";
            else
                Keep(piece);
            (grown, _grown) = (_grown, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        grown.SetResult();
    }

    /// <summary>Keeps the bytes readable until <see cref="Leave"/>.</summary>
    /// <returns>False when they are gone already.</returns>
    public bool Join()
    {
        lock (_gate)
        {
            if (_released && _file is not null && _readers == 0)
                return false;
            _readers++;
            return true;
        }
    }

    /// <summary>A reader has read what it wanted.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            _readers--;
            CloseWhenUnused();
        }
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
        {
            _released = true;
            CloseWhenUnused();
        }
    }

    private void CloseWhenUnused()
    {
        if (_released && _readers == 0)
            _file?.Dispose();
    }

    private void Keep(ReadOnlySpan<byte> piece)
    {
        try
        {
            if (_file is null && _length + piece.Length > memoryLimit)
                MoveToFile();
            if (_file is null)
                _memory.Write(piece);
            else
                RandomAccess.Write(_file.SafeFileHandle, piece, _length);
            _length += piece.Length;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Fault = "the result could not be kept: " + error.Message;
        }
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
        var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, bufferSize: 0);
        try
        {
            RandomAccess.Write(file.SafeFileHandle, _memory.GetBuffer().AsSpan(0, (int)_memory.Length), 0);
        }
        catch
        {
            file.Dispose();
            throw;
        }
        _file = file;
        _memory.SetLength(0);
    }
}
