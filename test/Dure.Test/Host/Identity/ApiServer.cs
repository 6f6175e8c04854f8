using System.Net.Http.Headers;
using Dure.Host.Identity;
using Dure.Host.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Dure.Test.Host.Identity;

/// <summary>A real server on a loopback port with some endpoints behind the gate, and clients with tokens.</summary>
internal sealed class ApiServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly List<HttpClient> _clients = [];

    private ApiServer(WebApplication app) => _app = app;

    /// <summary>Starts it.</summary>
    public static async Task<ApiServer> StartAsync(Func<Microsoft.AspNetCore.Http.HttpContext, Caller?> authenticate, Action<Gate> map)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.UseRouting();
        map(new Gate(app, authenticate));
        await app.StartAsync();
        return new ApiServer(app);
    }

    /// <summary>A client that sends a token, or none.</summary>
    public HttpClient Client(string? token)
    {
        var client = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(1) }) { BaseAddress = new Uri(_app.Urls.Single()) };
        client.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        _clients.Add(client);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            client.Dispose();
        }
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
