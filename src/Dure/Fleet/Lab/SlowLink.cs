using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace Dure.Fleet.Lab;

/// <summary>
/// A slow and lossy wire between two interfaces: takes every frame of either, keeps it for a while, and gives it to the other or loses it. A process
/// of its own in the lab's network. The kernel's netem would do the same where it is built in.
/// </summary>
internal static class SlowLink
{
    /// <summary>What it says once frames pass.</summary>
    public const string Ready = "frames pass";

    private const int FramesMax = 10_000;

    /// <summary>Passes frames until an interface goes or it is ended.</summary>
    /// <param name="delay">Added in each direction.</param>
    /// <param name="loss">Share of frames lost in each direction, 0 to 1.</param>
    public static async Task RunAsync(string one, string other, TimeSpan delay, double loss, Action<string> say, TimeProvider time, CancellationToken cancel)
    {
        using var near = PacketSocket.Open(one);
        using var far = PacketSocket.Open(other);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task[] ways = [CarryAsync(near, far, delay, loss, time, end.Token), CarryAsync(far, near, delay, loss, time, end.Token)];
        say(Ready);
        await Task.WhenAny(ways);
        await end.CancelAsync();
        await Task.WhenAll(ways).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task CarryAsync(Socket from, Socket to, TimeSpan delay, double loss, TimeProvider time, CancellationToken cancel)
    {
        // Full means lost, as in a real switch.
        var frames = Channel.CreateBounded<(long At, byte[] Frame)>(new BoundedChannelOptions(FramesMax) { FullMode = BoundedChannelFullMode.DropWrite });
        await Task.WhenAny(TakeAsync(from, frames.Writer, loss, time, cancel), GiveAsync(to, frames.Reader, delay, time, cancel));
    }

    private static async Task TakeAsync(Socket from, ChannelWriter<(long At, byte[] Frame)> frames, double loss, TimeProvider time, CancellationToken cancel)
    {
        var buffer = new byte[PacketSocket.FrameMax];
        while (true)
        {
            var count = await from.ReceiveAsync(buffer, SocketFlags.None, cancel);
            if (!IsLost(loss))
                frames.TryWrite((time.GetTimestamp(), buffer.AsSpan(0, count).ToArray()));
        }
    }

    private static async Task GiveAsync(Socket to, ChannelReader<(long At, byte[] Frame)> frames, TimeSpan delay, TimeProvider time, CancellationToken cancel)
    {
        await foreach (var (at, frame) in frames.ReadAllAsync(cancel))
        {
            var early = delay - time.GetElapsedTime(at);
            if (early > TimeSpan.Zero)
                await Task.Delay(early, time, cancel);
            await to.SendAsync(frame, SocketFlags.None, cancel);
        }
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA5394", Justification = "Which frame is lost is no secret.")]
    private static bool IsLost(double loss) => loss > 0 && Random.Shared.NextDouble() < loss;
}

/// <summary>A raw socket on one interface (packet(7)).</summary>
internal static partial class PacketSocket
{
    /// <summary>A frame before it is cut into packets, with its virtio header.</summary>
    public const int FrameMax = 10 + 14 + 65_536;

    private const int SolPacket = 263;
    private const int VirtioHeader = 15;
    private const int IgnoreOutgoing = 23;
    private const short AllProtocols = 3;

    /// <exception cref="SocketException">The interface is gone, or we are not root.</exception>
    public static Socket Open(string link)
    {
        var index = (int)IndexOf(link);
        if (index == 0)
            throw new SocketException((int)SocketError.AddressNotAvailable);
        var protocol = IPAddress.HostToNetworkOrder(AllProtocols);
        var socket = new Socket(AddressFamily.Packet, SocketType.Raw, (ProtocolType)(ushort)protocol);
        // Frames come as large as their sender made them, with what is needed to cut them up later.
        socket.SetRawSocketOption(SolPacket, VirtioHeader, BitConverter.GetBytes(1));
        socket.SetRawSocketOption(SolPacket, IgnoreOutgoing, BitConverter.GetBytes(1));
        socket.Bind(new LinkEndPoint(index, protocol));
        return socket;
    }

    [LibraryImport("libc", EntryPoint = "if_nametoindex", StringMarshalling = StringMarshalling.Utf8)]
    private static partial uint IndexOf(string link);

    // struct sockaddr_ll: family, protocol, interface, then what only received frames have.
    private sealed class LinkEndPoint(int index, short protocol) : EndPoint
    {
        public override AddressFamily AddressFamily => AddressFamily.Packet;

        public override SocketAddress Serialize()
        {
            var address = new SocketAddress(AddressFamily.Packet, 20);
            BitConverter.TryWriteBytes(address.Buffer.Span[2..], protocol);
            BitConverter.TryWriteBytes(address.Buffer.Span[4..], index);
            return address;
        }

        public override EndPoint Create(SocketAddress socketAddress) => this;

        public override string ToString() => index.ToString(CultureInfo.InvariantCulture);
    }
}
