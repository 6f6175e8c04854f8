using System.Globalization;
using System.Net.Sockets;

namespace Dure.Functions.Worker;

/// <summary>
/// Where a server says that it wants a worker to stand by: by being connected. A server that is killed is followed by one that connects
/// again, so the wish outlives its connection a little.
/// </summary>
internal static class StandbyDoor
{
    private const string Ending = ".next.sock";

    /// <summary>The socket of a process that stands by, in the folder of the worker's own: <c>w1.4711.next.sock</c>.</summary>
    public static string PathOf(string workerSocket, int pid) => Path.ChangeExtension(workerSocket, "." + pid.ToString(CultureInfo.InvariantCulture) + Ending);

    /// <summary>The sockets of processes that stand by for a worker; they may have ended meanwhile.</summary>
    public static List<(string Path, int Pid)> Find(string workerSocket)
    {
        var start = Path.GetFileNameWithoutExtension(workerSocket) + ".";
        return FindAll(Path.GetDirectoryName(workerSocket)!).FindAll(door => Path.GetFileName(door.Path.AsSpan()).StartsWith(start, StringComparison.Ordinal));
    }

    /// <summary>The sockets of processes that stand by for any worker.</summary>
    public static List<(string Path, int Pid)> FindAll(string folder)
    {
        var found = new List<(string, int)>();
        foreach (var path in Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*" + Ending) : [])
        {
            var name = Path.GetFileName(path.AsSpan())[..^Ending.Length];
            if (int.TryParse(name[(name.IndexOf('.') + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var pid)) found.Add((path, pid));
        }

        return found;
    }

    /// <summary>Removes what a killed process of this id has left of its own.</summary>
    public static void Remove(string workerSocket, int pid) => File.Delete(PathOf(workerSocket, pid));

    /// <summary>Removes what processes that were killed have left of theirs.</summary>
    public static void RemoveLeft(string workerSocket)
    {
        foreach (var (path, pid) in Find(workerSocket))
            if (!Directory.Exists("/proc/" + pid.ToString(CultureInfo.InvariantCulture))) File.Delete(path);
    }

    /// <summary>Connects to the process that stands by at a socket.</summary>
    /// <returns>The connection; null when there is none.</returns>
    public static Socket? Connect(string path)
    {
        if (!File.Exists(path))
            return null;
        var door = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            door.Connect(new UnixDomainSocketEndPoint(path));
            return door;
        }
        catch (SocketException)
        {
            door.Dispose();
            return null;
        }
    }

    /// <summary>Listens, and completes when no server has been connected for long.</summary>
    /// <param name="patience">How long.</param>
    /// <param name="cancel">Stops listening; who is connected stays so until the server ends that.</param>
    public static async Task KeepAsync(string path, TimeSpan patience, TimeProvider time, CancellationToken cancel)
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        File.Delete(path);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        listener.Listen(4);
        using var closed = cancel.Register(() =>
        {
            File.Delete(path);
            listener.Dispose();
        });
        while (await AcceptAsync(listener, patience, time, cancel) is { } server)
        {
            using (server)
                await EndOfAsync(server);
        }
        File.Delete(path);
    }

    private static async Task<Socket?> AcceptAsync(Socket listener, TimeSpan patience, TimeProvider time, CancellationToken cancel)
    {
        using var alone = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(alone.Token, cancel);
        try
        {
            return await listener.AcceptAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return null;
        }
    }

    private static async Task EndOfAsync(Socket server)
    {
        var nothing = new byte[1];
        try
        {
            while (await server.ReceiveAsync(nothing) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // It was killed.
        }
    }
}
