using System.Net;
using System.Net.WebSockets;
using System.Text;
using Dure.Host.Web;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Host.Web;

public sealed class EchoSocketTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Words_come_back_without_a_token_and_nothing_else_is_taken()
    {
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch["data"], Cancel);
        var address = new UriBuilder(new Uri(dure.Http.BaseAddress!, EchoSocket.Path)) { Scheme = Uri.UriSchemeWs }.Uri;

        using (var socket = new ClientWebSocket())
        {
            await socket.ConnectAsync(address, Cancel);
            foreach (var word in new[] { "1", "two", new string('3', EchoSocket.WordMost - 1) })
            {
                await socket.SendAsync(Encoding.UTF8.GetBytes(word), WebSocketMessageType.Text, endOfMessage: true, Cancel);
                Assert.Equal(word, await ReadAsync(socket));
            }

            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Cancel);
            Assert.Equal(WebSocketState.Closed, socket.State);
        }

        using (var socket = new ClientWebSocket())
        {
            await socket.ConnectAsync(address, Cancel);
            await socket.SendAsync(new byte[EchoSocket.WordMost + 1], WebSocketMessageType.Binary, endOfMessage: true, Cancel);
            await socket.ReceiveAsync(new byte[8].AsMemory(), Cancel);
            Assert.Equal(WebSocketCloseStatus.MessageTooBig, socket.CloseStatus);
        }

        using var plain = await dure.Http.GetAsync(new Uri(EchoSocket.Path, UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, plain.StatusCode);
        Assert.Contains("WebSocket", await plain.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_than_a_few_at_a_time_are_turned_away_until_one_ends()
    {
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch["data"], Cancel);
        var address = new UriBuilder(new Uri(dure.Http.BaseAddress!, EchoSocket.Path)) { Scheme = Uri.UriSchemeWs }.Uri;
        var sockets = Enumerable.Range(0, EchoSocket.OpenMost).Select(static _ => new ClientWebSocket()).ToList();
        foreach (var socket in sockets)
            await socket.ConnectAsync(address, Cancel);
        using (var more = new ClientWebSocket())
            await Assert.ThrowsAsync<WebSocketException>(() => more.ConnectAsync(address, Cancel));
        await sockets[0].CloseAsync(WebSocketCloseStatus.NormalClosure, null, Cancel);
        sockets.ForEach(static socket => socket.Dispose());
        for (var attempt = 0; attempt < 50; attempt++)
        {
            try
            {
                using var one = new ClientWebSocket();
                await one.ConnectAsync(address, Cancel);
                return;
            }
            catch (WebSocketException)
            {
                await Task.Delay(100, Cancel);
            }
        }

        Assert.Fail("No connection is taken although the others ended.");
    }

    private static async Task<string> ReadAsync(ClientWebSocket socket)
    {
        var word = new byte[EchoSocket.WordMost];
        var length = 0;
        while (true)
        {
            var came = await socket.ReceiveAsync(word.AsMemory(length), Cancel);
            length += came.Count;
            if (came.EndOfMessage)
                return Encoding.UTF8.GetString(word, 0, length);
        }
    }
}
