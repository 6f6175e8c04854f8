using System.Net.Sockets;
using System.Text.Json;
using Dure.Functions.Worker.Native;

namespace Dure.Functions.Worker;

/// <summary>The control socket: one server at a time, the newest that said hello. Belongs to the reactor's thread.</summary>
internal sealed partial class ControlServer : IDisposable
{
    private const int LineMost = 4 << 20;
    private const int WaitingMost = 8;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly List<Connection> _connections = [];
    private readonly Reactor _reactor;
    private readonly Outbox _outbox;
    private readonly ILogger _log;
    private Connection? _server;

    public ControlServer(string path, Reactor reactor, Outbox outbox, ILogger log)
    {
        (_reactor, _outbox, _log) = (reactor, outbox, log);
        outbox.Added = Send;
        File.Delete(path);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _listener.Listen(16);
        _listener.Blocking = false;
        reactor.Watch(Handle(_listener), Libc.EpollIn, _ => Accept());
    }

    /// <summary>Whether a server is connected.</summary>
    public bool Connected => _server is not null;

    /// <summary>Says who we are.</summary>
    public Func<WorkerHello> Greeting { get; set; } = () => throw new InvalidOperationException("no greeting");

    /// <summary>Takes a request other than hello.</summary>
    public Action<ToWorker> Received { get; set; } = _ => { };

    /// <summary>Raised when the server came or went.</summary>
    public Action Changed { get; set; } = () => { };

    public void Dispose()
    {
        foreach (var connection in _connections.ToArray()) Drop(connection);
        _reactor.Forget(Handle(_listener));
        _listener.Dispose();
    }

    /// <summary>Sends what waits, as far as it goes.</summary>
    public void Send()
    {
        while (_server is { } server && !_outbox.Next.IsEmpty)
        {
            var sent = server.Socket.Send(_outbox.Next, SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                server.Rearm(_reactor, Libc.EpollIn | Libc.EpollOut);
                return;
            }

            if (error != SocketError.Success)
            {
                Drop(server);
                return;
            }

            _outbox.Sent(sent);
        }

        _server?.Rearm(_reactor, Libc.EpollIn);
    }

    private static int Handle(Socket socket) => (int)socket.Handle;

    private void Accept()
    {
        Socket socket;
        try
        {
            socket = _listener.Accept();
        }
        catch (SocketException)
        {
            return;
        }

        socket.Blocking = false;
        if (_connections.Count >= WaitingMost) Drop(_connections.First(c => c != _server));
        var connection = new Connection(socket);
        _connections.Add(connection);
        _reactor.Watch(Handle(socket), Libc.EpollIn, events => Ready(connection, events));
    }

    private void Ready(Connection connection, uint events)
    {
        if ((events & Libc.EpollOut) != 0) Send();
        if ((events & (Libc.EpollIn | Libc.EpollHup | Libc.EpollErr)) == 0 || !_connections.Contains(connection)) return;
        if (!connection.Receive())
        {
            Drop(connection);
            return;
        }

        while (_connections.Contains(connection) && connection.TryLine(out var line)) Take(connection, line);
        if (connection.Overlong) Drop(connection);
    }

    private void Take(Connection connection, ReadOnlyMemory<byte> line)
    {
        ToWorker? message;
        try
        {
            message = WorkerWire.ReadToWorker(line);
        }
        catch (JsonException e)
        {
            // Never the line itself: it may hold secrets.
            NotUnderstood(_log, line.Length, e.Path);
            return;
        }

        if (message is ServerHello) Greet(connection);
        else if (message is not null and not ServerBeat && connection == _server) Received(message);
    }

    private void Greet(Connection connection)
    {
        if (_server is { } older && older != connection) Drop(older);
        if (_server == connection) return;
        _server = connection;
        _outbox.Connect(Greeting(), _reactor.Now);
        Changed();
    }

    private void Drop(Connection connection)
    {
        if (!_connections.Remove(connection)) return;
        _reactor.Forget(Handle(connection.Socket));
        connection.Socket.Dispose();
        if (_server != connection) return;
        _server = null;
        _outbox.Disconnect();
        Changed();
    }

    [LoggerMessage(10, LogLevel.Warning, "A line of {Length} bytes from the server was not understood (at {Path})")]
    private static partial void NotUnderstood(ILogger log, int length, string? path);

    private sealed class Connection(Socket socket)
    {
        private byte[] _buffer = new byte[16 << 10];
        private int _from;
        private int _to;
        private uint _events = Libc.EpollIn;

        public Socket Socket { get; } = socket;

        /// <summary>A line longer than any that is allowed.</summary>
        public bool Overlong => _to - _from >= LineMost;

        public void Rearm(Reactor reactor, uint events)
        {
            if (_events == events) return;
            _events = events;
            reactor.Rearm(Handle(Socket), events);
        }

        /// <returns>False at the end of the stream.</returns>
        public bool Receive()
        {
            if (_from > 0)
            {
                _buffer.AsSpan(_from, _to - _from).CopyTo(_buffer);
                (_from, _to) = (0, _to - _from);
            }

            if (_to == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
            var got = Socket.Receive(_buffer.AsSpan(_to), SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock) return true;
            if (error != SocketError.Success || got == 0) return false;
            _to += got;
            return true;
        }

        public bool TryLine(out ReadOnlyMemory<byte> line)
        {
            var end = _buffer.AsSpan(_from, _to - _from).IndexOf((byte)'\n');
            line = end < 0 ? default : _buffer.AsMemory(_from, end);
            _from += end + 1;
            return end >= 0;
        }
    }
}
