using System.Net.Sockets;
using System.Threading.Channels;
using Dure.Functions.Dispatch;

namespace Dure.Functions.Worker.RuntimeApi;

/// <summary>The function's end of one <c>fn.sock</c> connection.</summary>
internal sealed class FrameConnection : IDisposable
{
    private const int QueuedMost = 64;
    private readonly Socket _socket;
    private readonly Channel<byte[]> _out = Channel.CreateBounded<byte[]>(QueuedMost);

    public FrameConnection(Socket socket)
    {
        _socket = socket;
        _ = SendAllAsync();
    }

    /// <summary>Queues a frame that is kept elsewhere too. When the queue is full the connection is given up: the next one says it again.</summary>
    public void Post(byte[] frame)
    {
        if (!_out.Writer.TryWrite(frame)) Dispose();
    }

    /// <summary>Queues a frame; waits while the server does not keep up. A connection that is gone swallows it.</summary>
    public async Task SendAsync(byte[] frame, CancellationToken cancel)
    {
        try
        {
            await _out.Writer.WriteAsync(frame, cancel);
        }
        catch (ChannelClosedException)
        {
        }
    }

    /// <summary>Reads frames until the end of the stream.</summary>
    /// <exception cref="SocketException">The connection broke.</exception>
    /// <exception cref="InvalidDataException">The peer does not speak this protocol.</exception>
    public async Task ReceiveAsync(Action<FrameType, ReadOnlyMemory<byte>> take, CancellationToken cancel)
    {
        var buffer = new byte[64 << 10];
        var filled = 0;
        while (true)
        {
            if (filled == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
            var count = await _socket.ReceiveAsync(buffer.AsMemory(filled), cancel);
            if (count == 0) return;
            filled += count;
            ReadOnlyMemory<byte> rest = buffer.AsMemory(0, filled);
            while (Frame.TryRead(ref rest, out var type, out var body)) take(type, body);
            rest.CopyTo(buffer);
            filled = rest.Length;
        }
    }

    public void Dispose()
    {
        _out.Writer.TryComplete();
        _socket.Dispose();
    }

    private async Task SendAllAsync()
    {
        try
        {
            await foreach (var frame in _out.Reader.ReadAllAsync())
                for (var sent = 0; sent < frame.Length;) sent += await _socket.SendAsync(frame.AsMemory(sent));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            _out.Writer.TryComplete();
        }
    }
}
