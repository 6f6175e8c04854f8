using System.Buffers.Binary;
using System.Net.Sockets;

namespace Dure.Functions.Worker;

/// <summary>
/// Where a server says that it wants a worker to stand by: by being connected. A server that is killed is followed by one that connects
/// again, so the wish outlives its connection a little.
/// </summary>
internal static class StandbyDoor
{
    private const int SocketLevel = 1;
    private const int PeerCredentials = 17;

    /// <summary>How the name of such a socket ends.</summary>
    public const string Ending = ".next.sock";

    /// <summary>The socket of a worker that stands by, in the folder of the worker's own.</summary>
    public static string PathOf(string workerSocket) => Path.ChangeExtension(workerSocket, Ending);

    /// <summary>Connects to the process that stands by at a socket.</summary>
    /// <returns>The connection and its process id; null when there is none.</returns>
    public static (Socket Door, int Pid)? Connect(string path)
    {
        if (!File.Exists(path))
            return null;
        var door = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            door.Connect(new UnixDomainSocketEndPoint(path));
            Span<byte> peer = stackalloc byte[12];
            door.GetRawSocketOption(SocketLevel, PeerCredentials, peer);
            return (door, BinaryPrimitives.ReadInt32LittleEndian(peer));
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
