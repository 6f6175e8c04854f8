using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using Dure.Host.Web;

namespace Dure.Fleet.Drill.Clients;

/// <summary>Words that come back over one WebSocket through the virtual address. It stays open from word to word, and is opened again when it breaks.</summary>
internal sealed class WebSocketEchoes(Uri front, TimeProvider time) : DrillClient("websocket", TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1), time)
{
    private readonly Uri _address = new UriBuilder(new Uri(front, EchoSocket.Path)) { Scheme = front.Scheme == Uri.UriSchemeHttps ? Uri.UriSchemeWss : Uri.UriSchemeWs }.Uri;
    private readonly HttpMessageInvoker _http = new(HttpRequests.NewConnections());
    private readonly byte[] _answer = new byte[64];
    private ClientWebSocket? _open;

    public override string What => $"WebSocket {_address}";

    protected override ValueTask EndAsync()
    {
        _open?.Dispose();
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    protected override async Task<string?> SendAsync(long id, CancellationToken cancel)
    {
        try
        {
            if (_open is null)
            {
                _open = new ClientWebSocket();
                await _open.ConnectAsync(_address, _http, cancel);
            }

            var word = id.ToString(CultureInfo.InvariantCulture);
            await _open.SendAsync(Encoding.ASCII.GetBytes(word), WebSocketMessageType.Text, endOfMessage: true, cancel);
            var came = await _open.ReceiveAsync(_answer.AsMemory(), cancel);
            if (came.MessageType == WebSocketMessageType.Text && Encoding.ASCII.GetString(_answer, 0, came.Count) == word)
                return null;
            Close();
            return came.MessageType == WebSocketMessageType.Close ? "the WebSocket was closed" : "another word came back";
        }
        catch (WebSocketException failure)
        {
            Close();
            return failure.InnerException?.Message ?? failure.Message;
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            Close();
            throw;
        }
    }

    private void Close()
    {
        _open?.Dispose();
        _open = null;
    }
}
