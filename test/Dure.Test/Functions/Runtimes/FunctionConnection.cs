using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Dure.Test.Functions.Runtimes;

/// <summary>The server's end of the function protocol, by hand: one connection to <c>fn.sock</c>.</summary>
internal sealed class FunctionConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly BufferedStream _stream;

    private FunctionConnection(Socket socket)
    {
        _socket = socket;
        _stream = new BufferedStream(new NetworkStream(socket), 1 << 16);
    }

    /// <summary>Connects without a word.</summary>
    public static async Task<FunctionConnection> OpenAsync(string path, CancellationToken cancel)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel);
        return new FunctionConnection(socket);
    }

    public Task SendAsync(byte[] bytes, CancellationToken cancel) => _socket.SendAsync(bytes, SocketFlags.None, cancel).AsTask();

    public Task SendAsync(Kind kind, string json, CancellationToken cancel) => SendAsync(Frame.Bytes(kind, Encoding.UTF8.GetBytes(json)), cancel);

    public Task AckAsync(ulong id, uint attempt, CancellationToken cancel) => SendAsync(Frame.Bytes(Kind.Ack, Frame.Key(id, attempt)), cancel);

    public Task StepOkAsync(Frame step, CancellationToken cancel) => SendAsync(Frame.Bytes(Kind.StepOk, step.StepKey), cancel);

    /// <summary>Sends an INVOKE whose event is the JSON of <paramref name="request"/>.</summary>
    public Task InvokeAsync(ulong id, object request, CancellationToken cancel, uint attempt = 1, string meta = "", long deadline = 0) =>
        SendAsync(Frame.Invoke(id, attempt, JsonSerializer.SerializeToUtf8Bytes(request), Encoding.UTF8.GetBytes(meta), 0, deadline), cancel);

    /// <summary>Says HELLO and waits for the answer.</summary>
    public async Task<Frame> HelloAsync(CancellationToken cancel)
    {
        await SendAsync(Kind.Hello, """{"protocol":1}""", cancel);
        return await ReceiveAsync(cancel);
    }

    /// <summary>The next frame.</summary>
    public async Task<Frame> ReceiveAsync(CancellationToken cancel) =>
        await ReceiveOrEndAsync(cancel) ?? throw new EndOfStreamException("the function ended the connection");

    /// <summary>The next frame; null once the function has ended the connection.</summary>
    public async Task<Frame?> ReceiveOrEndAsync(CancellationToken cancel)
    {
        var head = new byte[5];
        try
        {
            if (await _stream.ReadAtLeastAsync(head, 5, throwOnEndOfStream: false, cancel) < 5)
                return null;
            var length = BinaryPrimitives.ReadUInt32LittleEndian(head);
            Assert.InRange(length, 1u, 1u << 20);
            var body = new byte[length - 1];
            await _stream.ReadExactlyAsync(body, cancel);
            return new Frame((Kind)head[4], body);
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Everything up to the RESULT or ERROR of an invocation, that included. Steps are answered at once.</summary>
    public async Task<List<Frame>> AnswerAsync(ulong id, CancellationToken cancel)
    {
        var frames = new List<Frame>();
        while (true)
        {
            var frame = await ReceiveAsync(cancel);
            frames.Add(frame);
            if (frame.Kind == Kind.Step)
                await StepOkAsync(frame, cancel);
            if (frame.Kind is Kind.Result or Kind.Error && frame.Id == id)
                return frames;
        }
    }

    /// <summary>Invokes and gives the RESULT or ERROR.</summary>
    public async Task<Frame> CallAsync(ulong id, object request, CancellationToken cancel, uint attempt = 1, string meta = "")
    {
        await InvokeAsync(id, request, cancel, attempt, meta);
        return (await AnswerAsync(id, cancel))[^1];
    }

    /// <summary>Waits for a line of an invocation's log.</summary>
    public async Task WaitForLineAsync(ulong id, string line, CancellationToken cancel)
    {
        while (await ReceiveAsync(cancel) is var frame && !(frame.Kind == Kind.Log && frame.Id == id && frame.LogLines.Contains(line, StringComparer.Ordinal)))
            Assert.NotEqual(Kind.Error, frame.Kind);
    }

    public void Dispose()
    {
        _stream.Dispose();
        _socket.Dispose();
    }
}
