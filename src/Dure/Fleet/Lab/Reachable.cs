using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;

namespace Dure.Fleet.Lab;

/// <summary>Whether something answers, seen from this host.</summary>
internal static class Reachable
{
    private const int SshPort = 22;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(400);

    /// <summary>A connection is accepted.</summary>
    public static async Task<bool> AcceptsAsync(IPAddress address, int port, CancellationToken cancel) => await TalkAsync(address, port, read: false, cancel) is not null;

    /// <summary>The SSH server greets.</summary>
    public static async Task<bool> HasSshAsync(IPAddress address, CancellationToken cancel) =>
        await TalkAsync(address, SshPort, read: true, cancel) is { } said && said.StartsWith("SSH-", StringComparison.Ordinal);

    /// <summary>The shortest of some round trips; null when no echo came back.</summary>
    public static async Task<TimeSpan?> EchoAsync(IPAddress address, int count, TimeSpan patience, CancellationToken cancel)
    {
        using var ping = new Ping();
        TimeSpan? best = null;
        for (var i = 0; i < count; i++)
        {
            var began = TimeProvider.System.GetTimestamp();
            try
            {
                var answer = await ping.SendPingAsync(address, patience, cancellationToken: cancel);
                var took = TimeProvider.System.GetElapsedTime(began);
                if (answer.Status == IPStatus.Success && (best is null || took < best))
                    best = took;
            }
            catch (PingException)
            {
                // No route, no neighbour: no echo either.
            }
        }
        return best;
    }

    private static async Task<string?> TalkAsync(IPAddress address, int port, bool read, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address, port, limit.Token);
            if (!read)
                return "";
            var buffer = new byte[64];
            var count = await socket.ReceiveAsync(buffer, SocketFlags.None, limit.Token);
            return Encoding.ASCII.GetString(buffer, 0, count);
        }
        catch (Exception silent) when (silent is SocketException || silent is OperationCanceledException && !cancel.IsCancellationRequested)
        {
            return null;
        }
    }
}
