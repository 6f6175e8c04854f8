using System.Net;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Xunit;

namespace Dure.Test.Apps;

/// <summary>A browser as far as doors can tell: it keeps cookies by path, and goes where it is sent only when told to.</summary>
internal sealed class Visitor : IDisposable
{
    private readonly SocketsHttpHandler _handler;
    private readonly HttpClient _http;

    public Visitor()
    {
        _handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, CookieContainer = Cookies };
        _http = new HttpClient(_handler);
    }

    public CookieContainer Cookies { get; } = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Opens an address as a person does.</summary>
    public Task<(int Status, string Text, string? To)> GoAsync(string url) => SendAsync(url, ("Accept", "text/html,*/*"), ("Sec-Fetch-Mode", "navigate"));

    /// <summary>Opens an address and follows wherever that leads.</summary>
    public async Task<(int Status, string Text, List<string> Way)> FollowAsync(string url)
    {
        var way = new List<string> { url };
        while (true)
        {
            var (status, text, to) = await GoAsync(way[^1]);
            if (to is null || way.Count > 10)
                return (status, text, way);
            way.Add(new Uri(new Uri(way[^1]), to).AbsoluteUri);
        }
    }

    /// <summary>Asks as a page's script does.</summary>
    public async Task<(int Status, string Text)> FetchAsync(string url)
    {
        var (status, text, _) = await SendAsync(url, ("Accept", "*/*"), ("Sec-Fetch-Mode", "cors"));
        return (status, text);
    }

    /// <summary>Opens a WebSocket and says something; null when it is refused.</summary>
    public async Task<string?> EchoAsync(string url, string text, string query = "")
    {
        using var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        socket.Options.Cookies = Cookies;
        try
        {
            // The container goes by scheme and path; a page's WebSocket has the page's cookies.
            await socket.ConnectAsync(new Uri(url.Replace("http://", "ws://", StringComparison.Ordinal) + "ws" + query), Cancel);
        }
        catch (WebSocketException refused) when (refused.Message.Contains("401", StringComparison.Ordinal))
        {
            return null;
        }

        return await OneMachine.EchoAsync(socket, text, Cancel);
    }

    /// <summary>Sends a form.</summary>
    /// <param name="chunked">Without saying how long it is.</param>
    public async Task<(int Status, string Text)> PostAsync(string url, string form, bool chunked = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url);
        request.Content = new StringContent(form, System.Text.Encoding.UTF8, "application/x-www-form-urlencoded");
        request.Headers.TransferEncodingChunked = chunked;
        using var answer = await _http.SendAsync(request, Cancel);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel));
    }

    /// <summary>Signs in at the portal as the owner, with a one-time link.</summary>
    public async Task SignInAsync(OneMachine machine)
    {
        var (_, link) = await machine.Dure.SendAsync(HttpMethod.Post, "/api/people/-/link", Cancel);
        var url = (string)link!["url"]!;
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(machine.Dure.Http.BaseAddress!, "/api/session/link"));
        request.Content = new StringContent(new JsonObject { ["code"] = url[(url.IndexOf("#link=", StringComparison.Ordinal) + 6)..] }.ToJsonString(), System.Text.Encoding.UTF8, "application/json");
        using var answer = await _http.SendAsync(request, Cancel);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancel));
    }

    /// <summary>Signs out at the portal.</summary>
    public async Task SignOutAsync(OneMachine machine)
    {
        var session = JsonNode.Parse(await _http.GetStringAsync(new Uri(machine.Dure.Http.BaseAddress!, "/api/session"), Cancel))!;
        using var request = new HttpRequestMessage(HttpMethod.Delete, new Uri(machine.Dure.Http.BaseAddress!, "/api/session"));
        request.Headers.Add("Dure-Csrf", (string)session["csrf"]!);
        using var answer = await _http.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    public void Dispose()
    {
        _http.Dispose();
        _handler.Dispose();
    }

    private async Task<(int Status, string Text, string? To)> SendAsync(string url, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var answer = await _http.SendAsync(request, Cancel);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel), answer.Headers.Location?.OriginalString);
    }
}
