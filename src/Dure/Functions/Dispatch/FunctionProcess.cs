using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Dure.Functions.Dispatch;

/// <summary>
/// The server's end of one sandboxed process: sends it invocations, hears its results. Changed only under its pool's lock,
/// but for the receive loop, which hands each frame to the pool.
/// </summary>
internal sealed class FunctionProcess(Pool pool, string slot, string ioFolder, bool generic) : IDisposable
{
    private const int BufferBytes = 64 << 10;

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private FrameSender? _sender;

    /// <summary>The sandbox.</summary>
    public string Slot => slot;

    /// <summary>Host folder of the sandbox's /dure/io.</summary>
    public string IoFolder => ioFolder;

    /// <summary>What it is working on, by invocation id.</summary>
    public Dictionary<long, ActiveInvocation> Running { get; } = [];

    /// <summary>What it finished last: late output belongs to it.</summary>
    public ActiveInvocation? Last { get; set; }

    /// <summary>Output from before its first invocation.</summary>
    public StringBuilder Unclaimed { get; } = new();

    /// <summary>It has said READY for its version.</summary>
    public bool Ready { get; set; }

    /// <summary>It has answered HELLO.</summary>
    public bool Greeted { get; private set; }

    /// <summary>Since when the sandbox is known, by <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long AttachedAt { get; init; }

    /// <summary>A pre-started one: it answers at once, because no code has to be loaded for that.</summary>
    public bool Generic => generic;

    /// <summary>It gets no more work.</summary>
    public bool Closing { get; set; }

    /// <summary>Why it is ended for the sake of one of its invocations: the others in it are <see cref="AttemptOutcome.Displaced"/>; null when it is not.</summary>
    public string? EndedFor { get; set; }

    /// <summary>It was here before this server: its unacknowledged work is adopted.</summary>
    public bool Adopted { get; init; }

    /// <summary>Since when it has had nothing to do, by <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long IdleSince { get; set; }

    /// <summary>Invocations it has finished.</summary>
    public long Served { get; set; }

    /// <summary>Memory it used at last sight, bytes.</summary>
    public long MemoryBytes { get; set; }

    /// <summary>Completes when the connection has ended: with a lost worker, when the process is dead.</summary>
    public Task Closed { get; set; } = Task.CompletedTask;

    /// <summary>Connects, greets and receives until the connection ends.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        try
        {
            await ConnectAsync(cancel);
            _sender = new FrameSender(_socket);
            Send(FrameType.Hello, """{"protocol":1}"""u8);
            if (generic)
                Send(FrameType.Assign, pool.AssignBody());
            await ReceiveAsync(cancel);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The connection is gone; why is the worker's to say.
        }
        catch (Exception error) when (error is InvalidDataException or JsonException or DecoderFallbackException)
        {
            pool.OnGarbage(this, error.Message);
        }
        finally
        {
            _socket.Dispose();
            if (!cancel.IsCancellationRequested)
                pool.OnDisconnected(this);
        }
    }

    /// <summary>Sends INVOKE, and with it the acknowledgements that waited.</summary>
    /// <param name="meta">JSON, or with <paramref name="metaIsPath"/> the path of a file that holds it, as the sandbox sees it.</param>
    public void Invoke(ActiveInvocation invocation, long deadline, ReadOnlyMemory<byte> meta, string? path, bool metaIsPath = false)
    {
        var key = new FrameKey(invocation.Id, invocation.Attempt);
        var inline = path is null ? invocation.Payload.Inline : default;
        _sender!.Queue((key, deadline, meta, metaIsPath, path, inline), static (output, x) => Frame.WriteInvoke(output, x.key, x.deadline, x.meta.Span, x.metaIsPath, x.path, x.inline.Span));
        _sender.Flush();
    }

    /// <summary>Queues the word that a result is durable; it goes with the next frame or <see cref="Flush"/>.</summary>
    public void Acknowledge(FrameKey key) => _sender?.Queue(key, static (output, k) => Frame.WriteAck(output, k));

    /// <summary>Says that a step is durable.</summary>
    public void AcknowledgeStep(FrameKey key, uint sequence)
    {
        _sender?.Queue((key, sequence), static (output, x) => Frame.WriteStepOk(output, x.key, x.sequence));
        _sender?.Flush();
    }

    /// <summary>Sends what waits.</summary>
    public void Flush() => _sender?.Flush();

    /// <summary>Drops the connection; the process carries on by itself.</summary>
    public void Dispose() => _socket.Dispose();

    private void Send(FrameType type, ReadOnlyMemory<byte> body)
    {
        _sender!.Queue((type, body), static (output, x) => Frame.Write(output, x.type, x.body.Span));
        _sender.Flush();
    }

    private void Send(FrameType type, ReadOnlySpan<byte> body) => Send(type, body.ToArray().AsMemory());

    private async Task ConnectAsync(CancellationToken cancel) =>
        await _socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(ioFolder, "fn.sock")), cancel);

    private async Task ReceiveAsync(CancellationToken cancel)
    {
        var buffer = new byte[BufferBytes];
        var filled = 0;
        while (true)
        {
            if (filled == buffer.Length)
                Array.Resize(ref buffer, buffer.Length * 2);
            var count = await _socket.ReceiveAsync(buffer.AsMemory(filled), cancel);
            if (count == 0)
                return;
            filled += count;
            ReadOnlyMemory<byte> rest = buffer.AsMemory(0, filled);
            while (Frame.TryRead(ref rest, out var type, out var body))
                Handle(type, body);
            if (rest.Length > 0)
                rest.CopyTo(buffer);
            filled = rest.Length;
            if (filled == 0 && buffer.Length > 16 * BufferBytes)
                buffer = new byte[BufferBytes];
        }
    }

    private void Handle(FrameType type, ReadOnlyMemory<byte> body)
    {
        switch (type)
        {
            case FrameType.Ready:
                HandleReady(body);
                break;
            case FrameType.InitError:
                pool.OnInitError(this, Encoding.UTF8.GetString(body.Span));
                break;
            case FrameType.Result:
                Require(body, FrameKey.Size + 1);
                pool.OnResult(this, FrameKey.Read(body.Span), (ResultFlags)body.Span[12], body[13..].ToArray());
                break;
            case FrameType.Error:
                Require(body, FrameKey.Size + 1);
                pool.OnError(this, FrameKey.Read(body.Span), (ResultFlags)body.Span[12], Encoding.UTF8.GetString(body.Span[13..]));
                break;
            case FrameType.Chunk:
                Require(body, FrameKey.Size);
                pool.OnChunk(this, FrameKey.Read(body.Span), body.Span[FrameKey.Size..]);
                break;
            case FrameType.Log:
                Require(body, FrameKey.Size + 9);
                pool.OnLog(this, FrameKey.Read(body.Span), (LogStream)body.Span[12], BinaryPrimitives.ReadInt64LittleEndian(body.Span[13..]), Encoding.UTF8.GetString(body.Span[21..]));
                break;
            case FrameType.Step:
                HandleStep(body);
                break;
            default:
                throw new InvalidDataException($"Frame type 0x{(byte)type:x2} is unknown.");
        }
    }

    private void HandleReady(ReadOnlyMemory<byte> body)
    {
        Greeted = true;
        using var json = JsonDocument.Parse(body);
        if (json.RootElement.GetProperty("state").GetString() == "generic")
        {
            // One that a former server never assigned holds nothing, and its secrets are not at hand here.
            if (!generic)
                pool.OnUnassigned(this);
            return;
        }
        pool.OnReady(this, ReadKeys(json.RootElement, "running"), ReadKeys(json.RootElement, "finished"));
    }

    private static List<FrameKey> ReadKeys(JsonElement ready, string name)
    {
        var keys = new List<FrameKey>();
        if (!ready.TryGetProperty(name, out var list))
            return keys;
        foreach (var pair in list.EnumerateArray())
            keys.Add(new FrameKey(long.Parse(pair[0].GetString()!, System.Globalization.CultureInfo.InvariantCulture), pair[1].GetInt32()));
        return keys;
    }

    private void HandleStep(ReadOnlyMemory<byte> body)
    {
        Require(body, FrameKey.Size + 6);
        var length = BinaryPrimitives.ReadUInt16LittleEndian(body.Span[16..]);
        Require(body, FrameKey.Size + 6 + length);
        pool.OnStep(this, FrameKey.Read(body.Span), BinaryPrimitives.ReadUInt32LittleEndian(body.Span[12..]),
            Encoding.UTF8.GetString(body.Span.Slice(18, length)), Encoding.UTF8.GetString(body.Span[(18 + length)..]));
    }

    private static void Require(ReadOnlyMemory<byte> body, int length)
    {
        if (body.Length < length)
            throw new InvalidDataException("A frame is shorter than its type requires.");
    }
}
