using System.Buffers;
using System.Net.Sockets;

namespace Dure.Functions.Dispatch;

/// <summary>
/// Sends frames on one socket in the order in which they were queued, as many in one system call as have gathered.
/// Nothing waits: what the peer does not take stays in memory, bounded by what is in flight to one function process.
/// </summary>
internal sealed class FrameSender(Socket socket)
{
    private readonly Lock _gate = new();
    private ArrayBufferWriter<byte> _filling = new(4096);
    private ArrayBufferWriter<byte> _sending = new(4096);
    private bool _busy;

    /// <summary>Queues a frame; it leaves with the next <see cref="Flush"/>.</summary>
    public void Queue<T>(T state, Action<ArrayBufferWriter<byte>, T> write)
    {
        lock (_gate)
            write(_filling, state);
    }

    /// <summary>Sends what is queued. A broken connection is noticed by the receiving side.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            if (_busy || _filling.WrittenCount == 0)
                return;
            _busy = true;
        }
        _ = SendAllAsync();
    }

    private async Task SendAllAsync()
    {
        try
        {
            while (true)
            {
                lock (_gate)
                {
                    if (_filling.WrittenCount == 0)
                    {
                        _busy = false;
                        return;
                    }
                    (_filling, _sending) = (_sending, _filling);
                }
                var rest = _sending.WrittenMemory;
                while (rest.Length > 0)
                    rest = rest[await socket.SendAsync(rest)..];
                _sending.ResetWrittenCount();
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Stays busy: nothing can be sent any more, and the receive loop ends the process.
        }
    }
}
