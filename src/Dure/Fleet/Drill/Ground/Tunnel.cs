using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Dure.Host.Ssh;
using Dure.Host.Texts;
using Dure.Host;

namespace Dure.Fleet.Drill.Ground;

/// <summary>An address that clients want to reach, as the fleet knows it.</summary>
internal sealed record Remote(string Address, int Port)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Authority.Host(Address)}:{Port}");
}

/// <summary>
/// The databases let in machines of the fleet only. Clients of a drill come from one of them: over SSH's port forwarding, through a machine that the fault does not hit. When that
/// machine reboots, the tunnel is there again as soon as SSH is.
/// </summary>
internal sealed class Tunnel : IAsyncDisposable
{
    private readonly SshTarget _target;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _end = new();
    private readonly Dictionary<Remote, int> _ports;
    private readonly Task _keeping;

    private Tunnel(SshTarget target, Dictionary<Remote, int> ports, TimeProvider time)
    {
        (_target, _ports, _time) = (target, ports, time);
        _keeping = KeepAsync(_end.Token);
    }

    /// <summary>The machine that it goes through.</summary>
    public string Through => _target.Machine;

    /// <summary>Opens a way to each of the addresses.</summary>
    /// <returns>DURE0804 when the machine does not let it be opened.</returns>
    public static async Task<Outcome<Tunnel>> OpenAsync(SshTarget target, IEnumerable<Remote> remotes, TimeProvider time, CancellationToken cancel)
    {
        var ports = FreePorts([.. remotes.Distinct()]);
        var tunnel = new Tunnel(target.Fresh, ports, time);
        var began = time.GetTimestamp();
        while (ports.Count > 0 && !await AcceptsAsync(ports.Values.First(), cancel))
        {
            if (time.GetElapsedTime(began) > TimeSpan.FromSeconds(15))
            {
                await tunnel.DisposeAsync();
                return SshErrors.Unreachable.With($"{target.Machine} forwards no ports over SSH (by hand: {target.ByHand}).");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancel);
        }

        return tunnel;
    }

    /// <summary>Where an address is reached here, on the loopback address.</summary>
    public int PortOf(Remote remote) => _ports[remote];

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _keeping;
        _end.Dispose();
    }

    private async Task KeepAsync(CancellationToken cancel)
    {
        var start = _target.Client(null,
        [
            .. _ports.SelectMany(port => new[] { "-L", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port.Value}:{port.Key}") }),
            "-N", "-o", "ExitOnForwardFailure=yes", "-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=4", "-o", "ConnectTimeout=2",
        ]);
        while (!cancel.IsCancellationRequested)
        {
            using var ssh = Process.Start(start)!;
            try
            {
                // What it complains of is seen by the clients that are not served.
                await Task.WhenAll(ssh.StandardError.ReadToEndAsync(cancel), ssh.StandardOutput.ReadToEndAsync(cancel), ssh.WaitForExitAsync(cancel));
                await Task.Delay(TimeSpan.FromMilliseconds(300), _time, cancel);
            }
            catch (OperationCanceledException)
            {
                ssh.Kill();
            }
        }
    }

    // Below the ports that the kernel gives to outgoing connections: one of those could take the port before ssh listens on it, or while ssh is away. All are held until each is
    // known, so that none is given twice.
    private static Dictionary<Remote, int> FreePorts(IReadOnlyList<Remote> remotes)
    {
        var listeners = remotes.ToDictionary(static remote => remote, static _ => Listener());
        var ports = listeners.ToDictionary(static pair => pair.Key, static pair => ((IPEndPoint)pair.Value.LocalEndpoint).Port);
        foreach (var listener in listeners.Values)
            listener.Dispose();
        return ports;
    }

    private static TcpListener Listener()
    {
        while (true)
        {
            var listener = new TcpListener(IPAddress.Loopback, RandomNumberGenerator.GetInt32(20_000, 32_000));
            try
            {
                listener.Start();
                return listener;
            }
            catch (SocketException)
            {
                listener.Dispose();
            }
        }
    }

    private static async Task<bool> AcceptsAsync(int port, CancellationToken cancel)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, cancel);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
