using System.Buffers;
using System.Net.Sockets;
using System.Text;
using Dure.Functions.Dispatch;

namespace Dure.Test.Functions.Worker;

/// <summary>The server's end of a function's socket.</summary>
internal sealed class FunctionClient : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly byte[] _buffer = new byte[4 << 20];
    private int _used;

    /// <summary>Connects and says HELLO.</summary>
    public static async Task<FunctionClient> ConnectAsync(string data, string slot)
    {
        var client = new FunctionClient();
        await client._socket.ConnectAsync(new UnixDomainSocketEndPoint($"{data}/run/s/{slot}/io/fn.sock"));
        await client.SendAsync(output => Frame.Write(output, FrameType.Hello, """{"protocol":1}"""u8));
        return client;
    }

    public async Task SendAsync(Action<ArrayBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        await _socket.SendAsync(output.WrittenMemory);
    }

    /// <summary>Waits for READY.</summary>
    public async Task<string> ReadyAsync() => Encoding.UTF8.GetString((await NextAsync(FrameType.Ready)).Body);

    public Task AssignAsync(string handler) =>
        SendAsync(output => Frame.Write(output, FrameType.Assign, Encoding.UTF8.GetBytes($$"""{"handler":"{{handler}}","env":{"GREETING":"hi"},"function":"f","version":"v"}""")));

    /// <summary>ASSIGN as plain programs take it: the number of words, the words, the environment.</summary>
    public Task AssignTextAsync(params string[] parts) =>
        SendAsync(output => Frame.Write(output, FrameType.Assign, Encoding.UTF8.GetBytes(string.Concat(parts.Select(part => part + "\0")))));

    public Task InvokeAsync(long id, string payload, string meta = "") =>
        SendAsync(output => Frame.WriteInvoke(output, new FrameKey(id, 1), 0, Encoding.UTF8.GetBytes(meta), false, null, Encoding.UTF8.GetBytes(payload)));

    /// <summary>Invokes and waits for the answer; what follows the key and the flags is returned.</summary>
    public async Task<(FrameType Type, byte Flags, string Text)> CallAsync(long id, string payload, string meta = "")
    {
        await InvokeAsync(id, payload, meta);
        return await AnswerAsync();
    }

    public async Task<(FrameType Type, byte Flags, string Text)> AnswerAsync()
    {
        var (type, body) = await NextAsync(FrameType.Result, FrameType.Error);
        return (type, body[FrameKey.Size], Encoding.UTF8.GetString(body.AsSpan(FrameKey.Size + 1)));
    }

    /// <summary>The next frame of one of these types; others are dropped.</summary>
    public async Task<(FrameType Type, byte[] Body)> NextAsync(params FrameType[] types)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            ReadOnlyMemory<byte> rest = _buffer.AsMemory(0, _used);
            if (Frame.TryRead(ref rest, out var type, out var body))
            {
                var copy = body.ToArray();
                rest.CopyTo(_buffer);
                _used = rest.Length;
                if (types.Contains(type)) return (type, copy);
                continue;
            }

            var count = await _socket.ReceiveAsync(_buffer.AsMemory(_used), patience.Token);
            if (count == 0) throw new EndOfStreamException("The function closed the connection.");
            _used += count;
        }
    }

    public void Dispose() => _socket.Dispose();
}
