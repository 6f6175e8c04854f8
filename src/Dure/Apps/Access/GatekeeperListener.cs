using System.Net;
using Dure.Host;
using Dure.Host.Web;

namespace Dure.Apps.Access;

/// <summary>Where the edge asks <see cref="Access.Gatekeeper"/>: a listener of its own at the address that apps have, so that nothing else of this server is seen from there.</summary>
internal sealed class GatekeeperListener : IAsyncDisposable
{
    private readonly WebApplication _app;

    private GatekeeperListener(WebApplication app) => _app = app;

    /// <summary>Without a slash at its end.</summary>
    public string Address => _app.Urls.First().TrimEnd('/');

    /// <summary>Begins to listen.</summary>
    /// <param name="port">0 for any.</param>
    public static async ValueTask<Outcome<GatekeeperListener>> StartAsync(Gatekeeper gatekeeper, string address, int port, CancellationToken cancel)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Parse(address), port);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 0;
        });
        var app = builder.Build();
        app.Run(http => AnswerAsync(gatekeeper, http));
        var listener = new GatekeeperListener(app);
        if (await Listening.BeginAsync(app, FormattableString.Invariant($"{address}:{port} (apps.gatekeeper_port)"), cancel) is not { } taken)
            return listener;
        await listener.DisposeAsync();
        return taken;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static async Task AnswerAsync(Gatekeeper gatekeeper, HttpContext http)
    {
        var headers = http.Request.Headers;
        // Behind the edge, which sets these itself and passes on nothing that a visitor sent.
        switch (http.Request.Path.Value!.Split('/', 4))
        {
            case ["", "check", var app]:
                http.Response.StatusCode = await gatekeeper.MayAsync(app, http) ? StatusCodes.Status204NoContent : StatusCodes.Status401Unauthorized;
                break;
            case ["", "stranger", var app]:
                await gatekeeper.RefuseAsync(http, app, headers["Dure-Method"].ToString(), headers["Dure-Uri"].ToString());
                break;
            case ["", "open", var app, var way]:
                await gatekeeper.OpenAsync(http, app, way);
                break;
            default:
                http.Response.StatusCode = StatusCodes.Status404NotFound;
                break;
        }
    }
}
