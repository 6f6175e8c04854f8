using System.Text;
using Dure.Functions.Worker.Native;

namespace Dure.Functions.Worker;

/// <summary>Reads one raw output of a sandbox, a line at a time. Belongs to the reactor's thread.</summary>
internal sealed unsafe class OutputPipe
{
    /// <summary>Longer lines are cut here, bytes; also the most that goes into one message.</summary>
    public const int LineMost = 64 << 10;

    private const int PipeSize = 256 << 10;
    private const int ReadsMost = 8;
    private const int TailMost = 2048;
    private readonly Reactor _reactor;
    private readonly Outbox _outbox;
    private readonly Func<string> _slot;
    private readonly string _stream;
    private readonly byte[] _buffer = new byte[LineMost];
    private int _used;
    private int _fd = -1;
    private int _writeFd = -1;
    private bool _listening;
    private bool _quiet;

    public OutputPipe(Reactor reactor, Outbox outbox, Func<string> slot, string stream) =>
        (_reactor, _outbox, _slot, _stream) = (reactor, outbox, slot, stream);

    /// <summary>The last words, at most 2 KiB, for messages about failed starts.</summary>
    public string Tail { get; private set; } = "";

    /// <summary>Opens the named pipe, which stays open for writing too: its end is the end of the sandbox, not of a writer.</summary>
    public void Open(string path)
    {
        _fd = Libc.open(path, Libc.ReadWrite | Libc.NonBlocking | Libc.CloseOnExec | Libc.NoFollow, 0);
        if (_fd < 0) throw new IOException(Libc.Fault(path));
        _ = Libc.fcntl(_fd, Libc.SetPipeSize, PipeSize);
    }

    /// <summary>Opens the end that the sandbox's first process gets. It is one that waits, unlike ours.</summary>
    public void OpenWriteEnd(string path)
    {
        _writeFd = Libc.open(path, Libc.WriteOnly | Libc.CloseOnExec | Libc.NoFollow, 0);
        if (_writeFd < 0) throw new IOException(Libc.Fault(path));
    }

    /// <summary>The descriptor for the sandbox's first process.</summary>
    public int WriteEnd => _writeFd;

    /// <summary>The sandbox's first process has it.</summary>
    public void CloseWriteEnd() => _reactor.Close(ref _writeFd);

    /// <summary>Reads from now on, as fast as the server takes it.</summary>
    /// <param name="discard">Nothing is sent; only <see cref="Tail"/> is kept.</param>
    public void Listen(bool discard = false)
    {
        if (_listening || _fd < 0) return;
        (_listening, _quiet) = (true, discard);
        _reactor.Watch(_fd, Libc.EpollIn, _ => Drain(ReadsMost));
    }

    /// <summary>The server takes output again.</summary>
    public void Resume()
    {
        if (_listening && _fd >= 0) _reactor.Rearm(_fd, Libc.EpollIn);
    }

    /// <summary>Reads what is there now.</summary>
    /// <returns>False when the server has to take some first.</returns>
    public bool Drain(int reads = int.MaxValue)
    {
        if (_fd < 0) return true;
        for (; reads > 0; reads--)
        {
            if (_outbox.Full && !_quiet)
            {
                if (_listening) _reactor.Rearm(_fd, 0);
                return false;
            }

            nint got;
            fixed (byte* buffer = _buffer) got = Libc.read(_fd, buffer + _used, _buffer.Length - _used);
            if (got <= 0) return true;
            Take((int)got);
        }

        return true;
    }

    /// <summary>Reads what is there now, for <see cref="Tail"/> only.</summary>
    public bool DrainQuietly()
    {
        _quiet = true;
        return Drain();
    }

    /// <summary>Closes; a last line without an end is sent before.</summary>
    public void Finish(bool say)
    {
        if (_used > 0 && say) Send(_buffer.AsSpan(0, _used));
        _used = 0;
        CloseWriteEnd();
        _reactor.Close(ref _fd);
    }

    private void Take(int count)
    {
        var end = _buffer.AsSpan(_used, count).LastIndexOf((byte)'\n');
        var held = _used + count;
        if (end >= 0)
        {
            end += _used;
            Send(_buffer.AsSpan(0, end));
            held -= end + 1;
            _buffer.AsSpan(end + 1, held).CopyTo(_buffer);
        }
        else if (held == _buffer.Length)
        {
            Send(_buffer);
            held = 0;
        }

        _used = held;
    }

    private void Send(ReadOnlySpan<byte> lines)
    {
        var text = Encoding.UTF8.GetString(lines);
        Tail = text.Length <= TailMost ? text : text[^TailMost..];
        if (!_quiet) _outbox.AddLog(new SandboxLog(_slot(), _stream, _reactor.Now, text), lines.Count((byte)'\n') + 1, lines.Length);
    }
}
