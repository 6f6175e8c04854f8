using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Dure.Fleet.Lab;

/// <summary>Whether something answers, seen from this host.</summary>
internal static class Reachable
{
    private const int SshPort = 22;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(400);

    /// <summary>A connection is accepted.</summary>
    public static async Task<bool> AcceptsAsync(IPAddress address, int port, CancellationToken cancel) => await TalkAsync(address, port, read: false, Patience, cancel) is not null;

    /// <summary>The SSH server greets.</summary>
    public static async Task<bool> HasSshAsync(IPAddress address, CancellationToken cancel) =>
        await TalkAsync(address, SshPort, read: true, Patience, cancel) is { } said && said.StartsWith("SSH-", StringComparison.Ordinal);

    /// <summary>How long a connection to its SSH server takes to be accepted: one round trip. Null when it is not accepted in time.</summary>
    public static async Task<TimeSpan?> RoundTripAsync(IPAddress address, TimeSpan patience, CancellationToken cancel)
    {
        var began = TimeProvider.System.GetTimestamp();
        return await TalkAsync(address, SshPort, read: false, patience, cancel) is null ? null : TimeProvider.System.GetElapsedTime(began);
    }

    private static async Task<string?> TalkAsync(IPAddress address, int port, bool read, TimeSpan patience, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(patience);
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
