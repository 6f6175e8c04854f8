using Dure.Functions.Worker.Native;
using Microsoft.Win32.SafeHandles;

namespace Dure.Functions.Worker.RuntimeApi;

/// <summary>Gathers a result: in memory while small, then in a file below <c>io/out</c>, which the sandboxed code owns and may have filled with links.</summary>
internal sealed class ResultBody(string folder, string name) : IDisposable
{
    /// <summary>Longer results become files, bytes.</summary>
    public const int MemoryMost = 256 << 10;

    private readonly MemoryStream _memory = new();
    private SafeFileHandle? _file;
    private long _length;

    /// <summary>The result's path as the sandbox sees it; null while it is in memory.</summary>
    public string? Path => _file is null ? null : "/dure/io/out/" + name;

    /// <summary>The bytes, while there is no file.</summary>
    public ReadOnlyMemory<byte> Memory => _memory.GetBuffer().AsMemory(0, (int)_memory.Length);

    /// <summary>Bytes gathered.</summary>
    public long Length => _length;

    /// <summary>Adds a piece.</summary>
    /// <exception cref="IOException">The file cannot be made or written.</exception>
    public void Append(ReadOnlySpan<byte> piece)
    {
        if (_file is null && _length + piece.Length > MemoryMost)
        {
            _file = Create(folder + "/io/out", name);
            RandomAccess.Write(_file, _memory.GetBuffer().AsSpan(0, (int)_memory.Length), 0);
        }

        if (_file is null) _memory.Write(piece);
        else RandomAccess.Write(_file, piece, _length);
        _length += piece.Length;
    }

    public void Dispose() => _file?.Dispose();

    private static SafeFileHandle Create(string parent, string name)
    {
        const int OpenFolder = 0x10000, Make = 0x40, Exclusive = 0x80, Mode = 0x1A4;
        var into = Libc.open(parent, OpenFolder | Libc.NoFollow | Libc.CloseOnExec, 0);
        if (into < 0) throw new IOException(Libc.Fault(parent));
        var fd = Libc.openat(into, name, Libc.WriteOnly | Make | Exclusive | Libc.NoFollow | Libc.CloseOnExec, Mode);
        var fault = Libc.Fault(name);
        _ = Libc.close(into);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw new IOException(fault);
    }
}
