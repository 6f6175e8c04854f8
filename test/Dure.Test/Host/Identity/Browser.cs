using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Dure.Test.Host.Identity;

/// <summary>What a browser does of signing in: keeps cookies by site, sends the page's token with changes, follows no redirect by itself.</summary>
internal sealed class Browser(Uri site) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(1) });
    private readonly Dictionary<(string Site, string Name), string> _cookies = [];

    /// <summary>Sent with changes.</summary>
    public string? Csrf { get; set; }

    /// <summary>The header Origin of changes; null for none.</summary>
    public string? Origin { get; set; } = site.GetLeftPart(UriPartial.Authority);

    /// <summary>The last cookies that were set, as the server wrote them.</summary>
    public IReadOnlyList<string> LastSet { get; private set; } = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The value of a cookie of the site; null when there is none.</summary>
    public string? Cookie(string name) => _cookies.GetValueOrDefault((site.Authority, name));

    /// <summary>Plants a cookie, as somebody else might.</summary>
    public void Plant(string name, string value) => _cookies[(site.Authority, name)] = value;

    /// <summary>Signs in and keeps the page's token.</summary>
    public Task<(HttpStatusCode Status, JsonNode? Body)> SignInAsync(string name, string password) =>
        KeepAsync(SendAsync(HttpMethod.Post, "/api/session", new JsonObject { ["name"] = name, ["password"] = password }));

    /// <summary>Signs in with a link's code.</summary>
    public Task<(HttpStatusCode Status, JsonNode? Body)> TakeLinkAsync(string code) => KeepAsync(SendAsync(HttpMethod.Post, "/api/session/link", new JsonObject { ["code"] = code }));

    public Task<(HttpStatusCode Status, JsonNode? Body)> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null);

    /// <summary>Sends to the site and reads the JSON of its answer; another text becomes a JSON text.</summary>
    public async Task<(HttpStatusCode Status, JsonNode? Body)> SendAsync(HttpMethod method, string path, JsonNode? body, params (string Name, string Value)[] headers)
    {
        using var answer = await RequestAsync(method, new Uri(site, path), body is null ? null : new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"), headers);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        return (answer.StatusCode, text.Length == 0 ? null : text[0] is '{' or '[' ? JsonNode.Parse(text) : JsonValue.Create(text));
    }

    /// <summary>Sends anywhere, with the cookies of that place.</summary>
    public async Task<HttpResponseMessage> RequestAsync(HttpMethod method, Uri address, HttpContent? body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, address) { Content = body };
        var cookies = string.Join("; ", _cookies.Where(pair => pair.Key.Site == address.Authority).Select(pair => $"{pair.Key.Name}={pair.Value}"));
        if (cookies.Length > 0)
            request.Headers.TryAddWithoutValidation("Cookie", cookies);
        if (method != HttpMethod.Get && address.Authority == site.Authority)
        {
            if (Csrf is not null)
                request.Headers.TryAddWithoutValidation("Dure-Csrf", Csrf);
            if (Origin is not null)
                request.Headers.TryAddWithoutValidation("Origin", Origin);
        }
        foreach (var (name, value) in headers)
        {
            if (name == "Authorization")
                request.Headers.Authorization = AuthenticationHeaderValue.Parse(value);
            else
                request.Headers.TryAddWithoutValidation(name, value);
        }
        var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        LastSet = answer.Headers.TryGetValues("Set-Cookie", out var set) ? [.. set] : [];
        foreach (var cookie in LastSet)
        {
            var (name, value) = (cookie[..cookie.IndexOf('=', StringComparison.Ordinal)], cookie[(cookie.IndexOf('=', StringComparison.Ordinal) + 1)..].Split(';')[0]);
            if (value.Length == 0)
                _cookies.Remove((address.Authority, name));
            else
                _cookies[(address.Authority, name)] = value;
        }
        return answer;
    }

    public void Dispose() => _http.Dispose();

    private async Task<(HttpStatusCode Status, JsonNode? Body)> KeepAsync(Task<(HttpStatusCode Status, JsonNode? Body)> sent)
    {
        var (status, body) = await sent;
        Csrf = (string?)body?["csrf"] ?? Csrf;
        return (status, body);
    }
}
