using System.Net;
using System.Net.Sockets;

namespace Dure.Drill.Storage;

/// <summary>What a <see cref="FaultyProxy"/> does to what passes through.</summary>
internal enum ProxyFault
{
    None,

    /// <summary>Nobody gets through.</summary>
    Down,

    /// <summary>Connections are cut in the middle.</summary>
    Cut,

    /// <summary>Everything takes its time.</summary>
    Delay,

    /// <summary>Bytes on their way to the provider change.</summary>
    Corrupt,
}

/// <summary>Stands between a server and its second provider, on loopback.</summary>
internal sealed class FaultyProxy : IAsyncDisposable
{
    private static readonly TimeSpan Slowness = TimeSpan.FromMilliseconds(150);

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _over = new();
    private readonly Random _random;
    private readonly Task _accepting;
    private volatile ProxyFault _fault;
    private int _done;

    public FaultyProxy(int seed)
    {
        _random = new Random(seed);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Where it leads; may change.</summary>
    public Uri Target { get; set; } = new("http://127.0.0.1:1");

    /// <summary>What it does now.</summary>
    public ProxyFault Fault
    {
        get => _fault;
        set => _fault = value;
    }

    /// <summary>How often it cut, changed or refused something.</summary>
    public int Done => _done;

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _over.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = PassAsync(await _listener.AcceptAsync(_over.Token));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It is over.
        }
    }

    private async Task PassAsync(Socket client)
    {
        using (client)
        using (var target = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            try
            {
                if (_fault == ProxyFault.Down)
                {
                    Interlocked.Increment(ref _done);
                    return;
                }
                await target.ConnectAsync(Target.Host, Target.Port, _over.Token);
                await await Task.WhenAny(CopyAsync(client, target, isUp: true), CopyAsync(target, client, isUp: false));
            }
            catch (Exception error) when (error is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // One side went away; so does the other.
            }
        }
    }

    private async Task CopyAsync(Socket from, Socket to, bool isUp)
    {
        var buffer = new byte[64 << 10];
        int count;
        while ((count = await from.ReceiveAsync(buffer, _over.Token)) > 0)
        {
            var piece = buffer.AsMemory(0, count);
            switch (_fault)
            {
                case ProxyFault.Down:
                case ProxyFault.Cut when Chance(5):
                    Interlocked.Increment(ref _done);
                    await to.SendAsync(piece[..(count / 2)], _over.Token);
                    return;
                case ProxyFault.Delay:
                    await Task.Delay(Slowness, _over.Token);
                    break;
                case ProxyFault.Corrupt when isUp && Chance(3):
                    Interlocked.Increment(ref _done);
                    piece.Span[Next(count)] ^= 0x20;
                    break;
            }
            for (var sent = 0; sent < count;)
                sent += await to.SendAsync(piece[sent..], _over.Token);
        }
        to.Shutdown(SocketShutdown.Send);
    }

    private bool Chance(int oneIn) => Next(oneIn) == 0;

    private int Next(int below)
    {
        lock (_random)
            return _random.Next(below);
    }
}
