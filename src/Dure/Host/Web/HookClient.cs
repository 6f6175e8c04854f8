using System.Net.Http.Headers;

namespace Dure.Host.Web;

/// <summary>Calls the addresses that people gave. Made with the first call: a server that calls nobody carries no HTTP client.</summary>
/// <param name="connect">How long a connection may take.</param>
internal sealed class HookClient(TimeSpan connect) : IDisposable
{
    // What a receiver says to where it redirects is not what the caller asked for.
    private readonly Lazy<HttpClient> _http = new(() => new HttpClient(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        ConnectTimeout = connect,
        MaxResponseHeadersLength = 64,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
        DefaultRequestHeaders = { UserAgent = { new ProductInfoHeaderValue("dure", DureVersion.Text) } },
    });

    /// <summary>Sends, and returns with the answer's headers.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel) => _http.Value.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);

    public void Dispose()
    {
        if (_http.IsValueCreated)
            _http.Value.Dispose();
    }
}
