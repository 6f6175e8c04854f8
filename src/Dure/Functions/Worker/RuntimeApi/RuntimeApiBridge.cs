using System.Buffers;
using System.Net.Sockets;
using System.Text.Json;
using Dure.Functions.Dispatch;

namespace Dure.Functions.Worker.RuntimeApi;

/// <summary>
/// Stands between the server's frames and a program that speaks the Runtime API. Results stay until the server has acknowledged
/// them and are said again on every new connection.
/// </summary>
internal sealed class RuntimeApiBridge(string folder, RuntimeFunction function, TimeProvider time) : IDisposable
{
    private const int WaitingMost = 1000;
    private readonly Lock _gate = new();
    private readonly Queue<RuntimeInvocation> _waiting = new();
    private readonly Queue<TaskCompletionSource<RuntimeInvocation>> _pollers = new();
    private readonly Dictionary<string, RuntimeInvocation> _running = new(StringComparer.Ordinal);
    private readonly Dictionary<FrameKey, byte[]> _unacknowledged = [];
    private FrameConnection? _server;
    private byte[]? _initError;
    private bool _ready;
    private bool _greeted;

    /// <summary>The slot's folder.</summary>
    public string Folder => folder;

    public TimeProvider Time => time;

    /// <summary>Waits for the next event; the first call says that the program has initialised.</summary>
    public async Task<RuntimeInvocation> NextAsync(CancellationToken cancel)
    {
        var poller = new TaskCompletionSource<RuntimeInvocation>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (!_ready)
            {
                _ready = true;
                if (_greeted) Greet();
            }

            if (_waiting.TryDequeue(out var waiting)) return Begin(waiting);
            _pollers.Enqueue(poller);
        }

        await using var gone = cancel.Register(() => poller.TrySetCanceled(cancel));
        return await poller.Task;
    }

    /// <summary>Finds what the program has been given and has not answered.</summary>
    public RuntimeInvocation? Find(string requestId)
    {
        lock (_gate) return _running.GetValueOrDefault(requestId);
    }

    /// <summary>Passes on one piece of a streamed result.</summary>
    public Task ChunkAsync(RuntimeInvocation invocation, ReadOnlyMemory<byte> piece, CancellationToken cancel)
    {
        FrameConnection? server;
        lock (_gate) server = _server;
        return server is null ? Task.CompletedTask : server.SendAsync(Compose(FrameType.Chunk, invocation.Key, [], piece.Span), cancel);
    }

    /// <summary>The program answered.</summary>
    /// <param name="streamed">Pieces went out before.</param>
    /// <param name="path">The result's path in the sandbox; null when <paramref name="payload"/> holds it.</param>
    /// <returns>False when it has been answered meanwhile.</returns>
    public bool Finish(RuntimeInvocation invocation, bool streamed, string? path, ReadOnlyMemory<byte> payload)
    {
        var flags = (path is null ? ResultFlags.None : ResultFlags.File) | Checkpoint(invocation);
        var content = path is null ? payload.Span : System.Text.Encoding.UTF8.GetBytes(path);
        // Who saw the pieces needs only the end; after a lost connection the whole is said again.
        var whole = Compose(FrameType.Result, invocation.Key, [(byte)flags], content);
        return Keep(invocation, whole, streamed ? Compose(FrameType.Result, invocation.Key, [(byte)(ResultFlags.Streamed | Checkpoint(invocation))], []) : whole);
    }

    /// <summary>The program answered with an error.</summary>
    public bool Fail(RuntimeInvocation invocation, ReadOnlyMemory<byte> errorJson)
    {
        var frame = Compose(FrameType.Error, invocation.Key, [(byte)Checkpoint(invocation)], errorJson.Span);
        return Keep(invocation, frame, frame);
    }

    /// <summary>The program could not initialise.</summary>
    public void FailInit(ReadOnlyMemory<byte> errorJson)
    {
        lock (_gate)
        {
            _initError = Compose(FrameType.InitError, errorJson.Span);
            _server?.Post(_initError);
        }
    }

    /// <summary>Talks with a server until it goes or a newer one comes.</summary>
    public async Task TalkAsync(Socket socket, CancellationToken cancel)
    {
        using var connection = new FrameConnection(socket);
        lock (_gate)
        {
            _server?.Dispose();
            (_server, _greeted) = (connection, false);
        }

        try
        {
            await connection.ReceiveAsync((type, body) => Take(connection, type, body), cancel);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException or InvalidDataException or JsonException)
        {
            // The next connection says everything again.
        }

        lock (_gate)
            if (_server == connection) _server = null;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _server?.Dispose();
            while (_pollers.TryDequeue(out var poller)) poller.TrySetCanceled();
        }
    }

    private void Take(FrameConnection from, FrameType type, ReadOnlyMemory<byte> body)
    {
        lock (_gate)
        {
            if (from != _server) return;
            switch (type)
            {
                case FrameType.Hello:
                    _greeted = true;
                    if (_initError is not null) _server.Post(_initError);
                    else if (_ready) Greet();
                    break;
                case FrameType.Invoke:
                    Offer(RuntimeInvocation.Read(body.Span, folder, function));
                    break;
                case FrameType.Ack:
                    for (; body.Length >= FrameKey.Size; body = body[FrameKey.Size..]) Forget(FrameKey.Read(body.Span));
                    break;
            }
        }
    }

    private void Greet()
    {
        var keys = _running.Values.Concat(_waiting).Select(i => i.Key).Concat(_unacknowledged.Keys);
        var running = string.Join(',', keys.Select(k => $"[\"{(ulong)k.Invocation}\",{k.Attempt}]"));
        _server!.Post(Compose(FrameType.Ready, System.Text.Encoding.UTF8.GetBytes($$"""{"state":"ready","pid":1,"runtime":"bootstrap","running":[{{running}}]}""")));
        foreach (var frame in _unacknowledged.Values) _server.Post(frame);
    }

    private void Offer(RuntimeInvocation invocation)
    {
        // A server that was cut off says it again.
        if (_running.ContainsKey(invocation.RequestId) || _unacknowledged.ContainsKey(invocation.Key) || _waiting.Any(w => w.Key == invocation.Key)) return;
        while (_pollers.TryDequeue(out var poller))
        {
            if (!poller.TrySetResult(invocation)) continue;
            Begin(invocation);
            return;
        }

        if (_waiting.Count >= WaitingMost) throw new InvalidDataException("more invocations than any concurrency allows");
        _waiting.Enqueue(invocation);
    }

    private RuntimeInvocation Begin(RuntimeInvocation invocation)
    {
        _running[invocation.RequestId] = invocation;
        return invocation;
    }

    private bool Keep(RuntimeInvocation invocation, byte[] whole, byte[] now)
    {
        lock (_gate)
        {
            if (_running.GetValueOrDefault(invocation.RequestId) != invocation) return false;
            _running.Remove(invocation.RequestId);
            _unacknowledged[invocation.Key] = whole;
            if (_greeted) _server?.Post(now);
            return true;
        }
    }

    private void Forget(FrameKey key) => _unacknowledged.Remove(key);

    private ResultFlags Checkpoint(RuntimeInvocation invocation) =>
        Directory.Exists($"{folder}/io/ck/{(ulong)invocation.Key.Invocation}") ? ResultFlags.Checkpoint : ResultFlags.None;

    private static byte[] Compose(FrameType type, FrameKey key, ReadOnlySpan<byte> flags, ReadOnlySpan<byte> content)
    {
        var body = new byte[FrameKey.Size + flags.Length + content.Length];
        key.Write(body);
        flags.CopyTo(body.AsSpan(FrameKey.Size));
        content.CopyTo(body.AsSpan(FrameKey.Size + flags.Length));
        return Compose(type, body);
    }

    private static byte[] Compose(FrameType type, ReadOnlySpan<byte> body)
    {
        var buffer = new ArrayBufferWriter<byte>(body.Length + 8);
        Frame.Write(buffer, type, body);
        return buffer.WrittenSpan.ToArray();
    }
}
