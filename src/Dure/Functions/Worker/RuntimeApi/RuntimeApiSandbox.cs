using System.Net.Sockets;
using System.Runtime.InteropServices;
using Dure.Functions.Worker.Native;

namespace Dure.Functions.Worker.RuntimeApi;

/// <summary>
/// The worker's part in a sandbox with <see cref="SandboxMode.RuntimeApi"/>: takes over the program's loopback listener from
/// <c>dure-init</c>, serves the Runtime API on it and listens at <c>fn.sock</c> in the program's place.
/// </summary>
internal sealed partial class RuntimeApiSandbox : IDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly string _io;
    private readonly Socket _handOver;
    private readonly Socket _functions;
    private readonly RuntimeApiBridge _bridge;
    private readonly ILogger _log;
    private Socket? _listener;

    /// <summary>Binds both sockets. Call this before the sandbox starts: later its folder is no longer to be trusted.</summary>
    public RuntimeApiSandbox(string folder, RuntimeFunction function, TimeProvider time, ILogger log)
    {
        (_io, _log) = (folder + "/io", log);
        _bridge = new RuntimeApiBridge(folder, function, time);
        _handOver = Listen(_io + "/listener.sock");
        _functions = Listen(_io + "/fn.sock.new");
        // The program's side connects here; fn.sock stays the worker's user's own.
        File.SetUnixFileMode(_io + "/listener.sock", (UnixFileMode)0x1B6);
    }

    /// <summary>Serves until disposed.</summary>
    public async Task RunAsync(RuntimeApiServer server)
    {
        try
        {
            _listener = await TakeListenerAsync(_end.Token);
            File.Move(_io + "/fn.sock.new", _io + "/fn.sock");
            await Task.WhenAll(server.ServeAsync(_listener, _bridge, _end.Token), ServeFunctionsAsync(_end.Token));
        }
        catch (Exception e) when (_end.IsCancellationRequested && e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            Broken(_log, _io, e.Message);
        }
    }

    public void Dispose()
    {
        _end.Cancel();
        _handOver.Dispose();
        _functions.Dispose();
        _listener?.Dispose();
        _bridge.Dispose();
        _end.Dispose();
    }

    private static Socket Listen(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen(4);
        return socket;
    }

    private async Task<Socket> TakeListenerAsync(CancellationToken cancel)
    {
        using var connection = await _handOver.AcceptAsync(cancel);
        _ = await connection.ReceiveAsync(Memory<byte>.Empty, cancel);
        var fd = ReceiveDescriptor((int)connection.Handle);
        if (fd < 0) throw new IOException("dure-init did not hand over its listener");
        return new Socket(new SafeSocketHandle(fd, ownsHandle: true));
    }

    private async Task ServeFunctionsAsync(CancellationToken cancel)
    {
        while (true)
        {
            var socket = await _functions.AcceptAsync(cancel);
            _ = _bridge.TalkAsync(socket, cancel);
        }
    }

    /// <summary>One byte with one descriptor beside it.</summary>
    private static unsafe int ReceiveDescriptor(int socket)
    {
        const int ControlLength = 64, Rights = 1, CloseDescriptors = 0x40000000;
        byte one;
        var piece = stackalloc nint[2] { (nint)(&one), 1 };
        var control = stackalloc byte[ControlLength];
        var message = new MessageHeader { Pieces = piece, PieceCount = 1, Control = control, ControlLength = ControlLength };
        if (ReceiveMessage(socket, &message, CloseDescriptors) != 1 || message.ControlLength < 20) return -1;
        // struct cmsghdr: size_t length, int level, int type, then the descriptor.
        return *(int*)(control + 8) == 1 && *(int*)(control + 12) == Rights ? *(int*)(control + 16) : -1;
    }

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    private static unsafe partial nint ReceiveMessage(int socket, MessageHeader* message, int flags);

    [LoggerMessage(40, LogLevel.Warning, "The Runtime API of {Folder} ended: {Why}")]
    private static partial void Broken(ILogger log, string folder, string why);

    /// <summary><c>struct msghdr</c> of 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct MessageHeader
    {
        public nint Name;
        public nint NameLength;
        public nint* Pieces;
        public nint PieceCount;
        public byte* Control;
        public nint ControlLength;
        public nint Flags;
    }
}
