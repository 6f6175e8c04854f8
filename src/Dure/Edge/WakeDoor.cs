using System.Net;
using Dure.Host;
using Dure.Host.Web;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace Dure.Edge;

/// <summary>
/// Where the edge machine's nginx turns when an app that may sleep does not answer at its own port. It wakes the app and passes the request on, so nothing is refused from the moment when the app is
/// stopped until it answers again. Only apps that the edge shows are reached here, and what nginx says of the visitor is passed on as it is.
/// </summary>
public sealed class WakeDoor : IAsyncDisposable
{
    /// <summary>Answers without waking anything: the doctor asks for it.</summary>
    public const string ProbePath = "/.dure/wake";

    private readonly WebApplication _app;
    private readonly InProcessEdge _door;
    private readonly IHttpForwarder _forwarder;
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(2),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    });

    private WakeDoor(WebApplication app, InProcessEdge door)
    {
        (_app, _door, _forwarder) = (app, door, app.Services.GetRequiredService<IHttpForwarder>());
        app.Run(HandleAsync);
    }

    /// <summary>Begins to listen.</summary>
    public static async ValueTask<Outcome<WakeDoor>> StartAsync(string address, int port, InProcessEdge door, ILoggerFactory loggers, CancellationToken cancel)
    {
        var wake = new WakeDoor(InProcessEdge.Build(address, port, loggers), door);
        if (await Listening.BeginAsync(wake._app, FormattableString.Invariant($"{address}:{port} (apps.wake_port)"), cancel) is not { } taken)
            return wake;
        await wake.DisposeAsync();
        return taken;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _client.Dispose();
    }

    private async Task HandleAsync(HttpContext http)
    {
        var path = http.Request.Path.Value ?? "/";
        if (path == ProbePath)
        {
            http.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        if (_door.Table.Match(path, out var bare) is not { WakeAt: not null } route || bare)
        {
            await ProblemResponse.WriteAsync(http, HostErrors.NoSuchRoute.With("No app that sleeps is published there."));
            return;
        }

        // nginx has counted the body already.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = null;
        using var visit = _door.Visits.Begin(route.Id);
        if (_door.Waking is { } waking && !await waking(http, route))
            return;
        await _forwarder.SendAsync(http, route.Upstream, _client, InProcessEdge.NoTimeLimit, new AsNginxSaid(route));
    }

    private sealed class AsNginxSaid(AppRoute route) : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(HttpContext http, HttpRequestMessage request, string destination, CancellationToken cancel)
        {
            await base.TransformRequestAsync(http, request, destination, cancel);
            request.Headers.Host = http.Request.Host.Value;
            if (!route.KeepsPrefix)
                request.RequestUri = RequestUtilities.MakeDestinationAddress(destination, http.Request.Path.Value![(route.Prefix.Length - 1)..], http.Request.QueryString);
        }
    }
}
