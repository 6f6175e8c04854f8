using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Dure.Host.Web;

/// <summary>How a listener begins.</summary>
internal static class Listening
{
    /// <summary>Tries all addresses before the first is opened, so that whoever starts a second server hears of all of them at once.</summary>
    /// <param name="wanted">Each with the setting that chooses its port; 0 is any port.</param>
    /// <returns>DURE0008 with a fault for each that another program has; null when all are free.</returns>
    public static Problem? FindTaken(IEnumerable<(string Setting, string Address, int Port)> wanted)
    {
        List<Fault> taken = [.. wanted.Where(static door => door.Port != 0 && IsTaken(door.Address, door.Port))
            .Select(static door => new Fault(door.Setting, $"{door.Address}:{door.Port} is taken; --set {door.Setting}=N chooses another"))];
        return taken.Count == 0 ? null : HostErrors.AddressInUse.With(
            taken.Count == 1 ? "Another program listens where this server would." : "Other programs listen where this server would.", taken);
    }

    /// <summary>Begins to listen.</summary>
    /// <param name="where">Address and port, for people.</param>
    /// <returns>DURE0008 when another program listens there; null when it began.</returns>
    public static async Task<Problem?> BeginAsync(WebApplication app, string where, CancellationToken cancel)
    {
        try
        {
            await app.StartAsync(cancel);
            return null;
        }
        catch (IOException taken) when (taken.InnerException is AddressInUseException)
        {
            return Taken(where);
        }
    }

    /// <summary>DURE0008.</summary>
    /// <param name="where">Address and port, for people.</param>
    public static Problem Taken(string where) => HostErrors.AddressInUse.With($"{where} is taken by another program.");

    /// <summary>A socket that is bound and does not listen yet. One that is never made to listen keeps nobody else away.</summary>
    /// <param name="port">0 for any.</param>
    /// <returns>Null when another program has it.</returns>
    public static Socket? Bind(string address, int port)
    {
        var end = new IPEndPoint(AddressOf(address), port);
        var socket = new Socket(end.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(end);
            return socket;
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            return null;
        }
    }

    /// <summary>What an address setting says; of the two that are localhost, the first.</summary>
    public static IPAddress AddressOf(string setting) => setting == "localhost" ? IPAddress.Loopback : IPAddress.Parse(setting);

    private static bool IsTaken(string address, int port)
    {
        try
        {
            using var bound = Bind(address, port);
            return bound is null;
        }
        catch (SocketException)
        {
            // What else is wrong with it is said by whoever opens it.
            return false;
        }
    }
}
