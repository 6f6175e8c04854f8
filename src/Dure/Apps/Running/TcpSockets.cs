using System.Globalization;
using System.Net;

namespace Dure.Apps.Running;

/// <summary>The kernel's table of TCP sockets: who listens where, and who is connected to what.</summary>
internal static class TcpSockets
{
    private const string Established = "01";
    private const string Listening = "0A";

    private sealed record Socket(IPEndPoint Local, IPEndPoint Remote, string State, string Inode);

    /// <summary>How many are connected to a port of this machine, at this end.</summary>
    public static int ConnectedTo(int port) => Read().Count(socket => socket.Local.Port == port && socket.State == Established);

    /// <summary>How many others than this process are connected to ports of this machine.</summary>
    public static IReadOnlyDictionary<int, int> AskedByOthers()
    {
        var sockets = Read().Where(socket => socket.State == Established).ToList();
        var inodes = Inodes(Environment.ProcessId).ToHashSet(StringComparer.Ordinal);
        var own = sockets.Where(socket => inodes.Contains(socket.Inode)).Select(socket => (socket.Remote, socket.Local)).ToHashSet();
        return sockets.Where(socket => !own.Contains((socket.Local, socket.Remote))).CountBy(socket => socket.Local.Port).ToDictionary();
    }

    /// <summary>Where the processes of a version listen.</summary>
    public static IReadOnlyList<IPEndPoint> ListenersOf(AppRun run)
    {
        var inodes = AppPids.Where(tag => tag == run.Tag, null).SelectMany(Inodes).ToHashSet(StringComparer.Ordinal);
        return [.. Read().Where(socket => socket.State == Listening && inodes.Contains(socket.Inode)).Select(socket => socket.Local).Distinct()];
    }

    private static readonly string[] Tables = ["/proc/net/tcp", "/proc/net/tcp6"];

    private static IEnumerable<Socket> Read() => Tables.Where(File.Exists).SelectMany(File.ReadAllLines)
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(fields => fields.Length > 9 && fields[1].Contains(':', StringComparison.Ordinal))
        .Select(fields => new Socket(EndPoint(fields[1]), EndPoint(fields[2]), fields[3], fields[9]));

    private static IPEndPoint EndPoint(string text)
    {
        var parts = text.Split(':');
        // Words of 32 bits in the machine's own order, which on everything that Dure runs on is little-endian.
        var bytes = Convert.FromHexString(parts[0]);
        for (var at = 0; at < bytes.Length; at += 4)
            Array.Reverse(bytes, at, 4);
        var address = new IPAddress(bytes);
        return new(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, int.Parse(parts[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    private static IEnumerable<string> Inodes(int pid)
    {
        var inodes = new List<string>();
        try
        {
            foreach (var link in new DirectoryInfo($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/fd").GetFiles())
            {
                if (link.LinkTarget is { } target && target.Contains("socket:[", StringComparison.Ordinal))
                    inodes.Add(target[(target.IndexOf('[', StringComparison.Ordinal) + 1)..].TrimEnd(']'));
            }
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // It ended, or it is somebody else's.
        }

        return inodes;
    }
}
