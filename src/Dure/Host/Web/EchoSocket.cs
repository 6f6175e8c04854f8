using System.Net.WebSockets;
using Dure.Host.Commands;

namespace Dure.Host.Web;

/// <summary>
/// A WebSocket that sends back what it gets: whether WebSockets reach the server through every proxy between is asked here. Needs no token, so it is short of everything: words of
/// at most a kibibyte, a minute of silence, a few connections at a time.
/// </summary>
internal sealed class EchoSocket(TimeProvider time)
{
    public const string Path = "/api/health/socket";

    /// <summary>Bytes of a word.</summary>
    public const int WordMost = 1024;

    /// <summary>Connections at a time.</summary>
    public const int OpenMost = 64;

    private static readonly TimeSpan SilenceMost = TimeSpan.FromMinutes(1);
    private int _open;

    /// <summary>Answers until the other side closes or falls silent.</summary>
    public async Task HandleAsync(HttpContext http)
    {
        if (!http.WebSockets.IsWebSocketRequest)
        {
            http.Response.Headers.Upgrade = "websocket";
            await ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("This address speaks WebSocket only.", [new Fault("Upgrade", "websocket is expected (RFC 6455).")]));
            return;
        }

        if (Interlocked.Increment(ref _open) > OpenMost)
        {
            Interlocked.Decrement(ref _open);
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            http.Response.Headers.RetryAfter = "5";
            return;
        }

        try
        {
            using var socket = await http.WebSockets.AcceptWebSocketAsync();
            await EchoAsync(socket, http.RequestAborted);
        }
        catch (Exception failure) when (failure is WebSocketException or OperationCanceledException or IOException)
        {
            // The other side is gone, or said nothing for too long.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task EchoAsync(WebSocket socket, CancellationToken cancel)
    {
        var word = new byte[WordMost];
        while (true)
        {
            using var silence = new CancellationTokenSource(SilenceMost, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, silence.Token);
            var came = await socket.ReceiveAsync(word.AsMemory(), either.Token);
            if (came.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, either.Token);
                return;
            }

            if (!came.EndOfMessage)
            {
                await socket.CloseAsync(WebSocketCloseStatus.MessageTooBig, "at most 1 KiB", either.Token);
                return;
            }

            await socket.SendAsync(word.AsMemory(0, came.Count), came.MessageType, endOfMessage: true, either.Token);
        }
    }
}
