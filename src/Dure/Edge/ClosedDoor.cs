using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Dure.Host;
using Dure.Host.Web;

namespace Dure.Edge;

/// <summary>Holds the address of a door that shows nothing yet, so that no other program takes it, and tells whoever comes. A socket, where the door itself is a web server and a forwarder.</summary>
internal sealed class ClosedDoor : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Socket _socket;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _over = new();

    /// <param name="socket">Bound; closed with this.</param>
    public ClosedDoor(Socket socket, TimeProvider time)
    {
        (_socket, _time) = (socket, time);
        _socket.Listen(16);
        _ = AcceptAsync(_over.Token);
    }

    public void Dispose()
    {
        _over.Cancel();
        _socket.Dispose();
    }

    private async Task AcceptAsync(CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            try
            {
                _ = AnswerAsync(await _socket.AcceptAsync(over), over);
            }
            catch (SocketException)
            {
                // No descriptor is left, or the caller is gone already.
                await Task.Delay(Pause, _time, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception closed) when (closed is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    // Whatever is asked for, there is nothing. Read to its end, since a connection closed with bytes unread takes the answer with it.
    private static async Task AnswerAsync(Socket caller, CancellationToken over)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(over);
        limit.CancelAfter(Patience);
        using (caller)
        {
            try
            {
                var asked = new byte[4096];
                if (await caller.ReceiveAsync(asked, limit.Token) == 0)
                    return;
                await caller.SendAsync(Answer(), limit.Token);
                caller.Shutdown(SocketShutdown.Send);
                while (await caller.ReceiveAsync(asked, limit.Token) > 0)
                {
                }
            }
            catch (Exception gone) when (gone is SocketException or OperationCanceledException)
            {
                // It wanted no answer.
            }
        }
    }

    private static byte[] Answer()
    {
        var problem = HostErrors.NoSuchRoute.With("No app is published here yet.");
        var body = JsonSerializer.SerializeToUtf8Bytes(ProblemView.Of(problem), ProblemJson.Default.ProblemView);
        var head = string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {problem.Kind.Status} Not Found\r\nContent-Type: application/problem+json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n");
        return [.. Encoding.ASCII.GetBytes(head), .. body];
    }
}
