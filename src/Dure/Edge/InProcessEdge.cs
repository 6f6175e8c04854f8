using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Dure.Host;
using Dure.Host.Web;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;

namespace Dure.Edge;

/// <summary>
/// The door of one machine: a listener of its own that forwards to apps through YARP. An origin of its own, so that no page of an app can act on the portal as whoever is signed in there.
/// The table is swapped as a whole: a request that began under the old one ends where it began. Before there is something to show, a <see cref="ClosedDoor"/> has
/// its address: a server without apps carries no forwarder.
/// </summary>
public sealed class InProcessEdge : IAsyncDisposable
{
    // Nothing here ends a call because it is silent.
    internal static readonly ForwarderRequestConfig NoTimeLimit = new() { ActivityTimeout = AppRoute.SilenceMost, AllowResponseBuffering = false };

    private readonly string _listen;
    private readonly ILoggerFactory _loggers;
    private readonly SemaphoreSlim _opening = new(1);
    private readonly ClosedDoor _closed;

    private volatile RouteTable _table = RouteTable.Empty;
    private Listener? _listener;

    private InProcessEdge(string listen, Socket bound, ILoggerFactory loggers, TimeProvider time)
    {
        (_listen, _loggers, Visits) = (listen, loggers, new Visits(time));
        Address = new(UrlOf(listen, ((IPEndPoint)bound.LocalEndPoint!).Port));
        _closed = new ClosedDoor(bound, time);
    }

    /// <summary>The table that holds. Setting it is all that a change takes.</summary>
    public RouteTable Table
    {
        get => _table;
        set => _table = value;
    }

    /// <summary>The page that lists what is published; null for none.</summary>
    public IndexFiles? Index { get; set; }

    /// <summary>Lets a visitor of a guarded route in, or answers instead and gives false; also answers everything below <see cref="AppRoute.Entrance"/>.</summary>
    public Func<HttpContext, AppRoute, ValueTask<bool>>? Gatekeeper { get; set; }

    /// <summary>Who asked for what, and when.</summary>
    public Visits Visits { get; }

    /// <summary>Asked before a request goes to an app that may sleep; false when it was answered.</summary>
    public Func<HttpContext, AppRoute, ValueTask<bool>>? Waking { get; set; }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>Takes the address, where every answer is that there is nothing yet.</summary>
    /// <param name="port">0 for any.</param>
    /// <returns>DURE0008 when another program has it.</returns>
    public static Outcome<InProcessEdge> Take(string listen, int port, ILoggerFactory loggers, TimeProvider time) =>
        Listening.Bind(listen, port) is { } bound ? new InProcessEdge(listen, bound, loggers, time) : Listening.Taken(Where(listen, port));

    /// <summary>Begins to show what is in the table, unless it does.</summary>
    /// <returns>DURE0008 when another program took the address in the moment of handing it over; null when it shows.</returns>
    public async Task<Problem?> OpenAsync(CancellationToken cancel)
    {
        if (_listener is not null)
            return null;
        await _opening.WaitAsync(cancel);
        try
        {
            if (_listener is not null)
                return null;
            var listener = new Listener(Build(_listen, Address.Port, _loggers), HandleAsync);
            _closed.Dispose();
            if (await Listening.BeginAsync(listener.App, Where(_listen, Address.Port), cancel) is { } taken)
            {
                await listener.DisposeAsync();
                return taken;
            }

            _listener = listener;
            return null;
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>A listener that forwards, and limits nothing by itself.</summary>
    internal static WebApplication Build(string listen, int port, ILoggerFactory loggers)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddHttpForwarder();
        builder.WebHost.UseKestrelCore().UseUrls(UrlOf(listen, port)).ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.AddServerHeader = false;
        });
        return builder.Build();
    }

    public async ValueTask DisposeAsync()
    {
        _closed.Dispose();
        _opening.Dispose();
        if (_listener is not null)
            await _listener.DisposeAsync();
    }

    private static string UrlOf(string listen, int port) => FormattableString.Invariant($"http://{Host.Texts.Authority.Host(listen)}:{port}");

    private static string Where(string listen, int port) => FormattableString.Invariant($"{listen}:{port} (apps.port)");

    private async Task HandleAsync(HttpContext http, Listener listener)
    {
        var path = http.Request.Path.Value ?? "/";
        if (Index is { Empty: false } index && path.StartsWith(index.Prefix, StringComparison.Ordinal) && await ShowAsync(http, index, path[index.Prefix.Length..]))
            return;
        if (_table.Match(path, out var bare) is not { } route)
        {
            await ProblemResponse.WriteAsync(http, HostErrors.NoSuchRoute.With($"No app is published at {path}."));
            return;
        }

        if (bare)
        {
            http.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
            http.Response.Headers.Location = route.Prefix + http.Request.QueryString;
            return;
        }

        if (route.IsGuarded || path.AsSpan(route.Prefix.Length).StartsWith(AppRoute.Entrance, StringComparison.Ordinal))
        {
            http.Response.Headers[AppRoute.VersionHeader] = route.Tag;
            http.Response.StatusCode = StatusCodes.Status403Forbidden;
            if (Gatekeeper is null || !await Gatekeeper(http, route))
                return;
            http.Response.StatusCode = StatusCodes.Status200OK;
        }

        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = route.BodyBytes == 0 ? null : route.BodyBytes;
        if (route.BodyBytes > 0 && http.Request.ContentLength > route.BodyBytes)
        {
            http.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
            return;
        }

        using var visit = route.SleepAfter is null ? null : Visits.Begin(route.Id);
        if (route.SleepAfter is not null && Waking is { } waking && !await waking(http, route))
            return;
        var error = await listener.Forwarder.SendAsync(http, route.Upstream, listener.Client, NoTimeLimit, new Forwarding(route));
        if (error is not ForwarderError.None && !http.Response.HasStarted && http.Response.StatusCode >= 500)
            http.Response.Headers[AppRoute.VersionHeader] = route.Tag;
    }

    private static async ValueTask<bool> ShowAsync(HttpContext http, IndexFiles index, string rest)
    {
        var headers = http.Response.Headers;
        const string pictures = "/" + IndexFiles.Folder + "/";
        var picture = rest.StartsWith(pictures, StringComparison.Ordinal) ? index.Pictures.GetValueOrDefault(rest[pictures.Length..]) : null;
        if (picture is null && rest is not ("" or "/"))
            return false;
        foreach (var (name, value) in SecurityHeaders.All)
            headers[name] = value;
        if (rest.Length == 0)
        {
            http.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
            headers.Location = index.Prefix + "/";
            return true;
        }

        headers.CacheControl = picture is null ? "no-cache" : HashedAssets.CacheControl;
        headers.ContentType = picture is null ? "text/html; charset=utf-8" : "image/png";
        if (picture is null)
            headers.ContentSecurityPolicy = index.Policy;
        await http.Response.Body.WriteAsync(picture ?? System.Text.Encoding.UTF8.GetBytes(index.Page), http.RequestAborted);
        return true;
    }

    // What answers, and what it forwards with.
    private sealed class Listener : IAsyncDisposable
    {
        public Listener(WebApplication app, Func<HttpContext, Listener, Task> handle)
        {
            (App, Forwarder) = (app, app.Services.GetRequiredService<IHttpForwarder>());
            app.Run(http => handle(http, this));
        }

        public WebApplication App { get; }

        public IHttpForwarder Forwarder { get; }

        public HttpMessageInvoker Client { get; } = new(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            ActivityHeadersPropagator = new ReverseProxyPropagator(DistributedContextPropagator.Current),
            ConnectTimeout = TimeSpan.FromSeconds(5),
            // A version that is being drained ends once nobody is connected, these idle ones neither.
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(2),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        });

        public async ValueTask DisposeAsync()
        {
            await App.DisposeAsync();
            Client.Dispose();
        }
    }

    /// <summary>What a request and its answer get on the way; what <see cref="NginxSnippet"/> says, for one process.</summary>
    private sealed class Forwarding(AppRoute route) : HttpTransformer
    {
        private static readonly string[] Ours = ["dure_session=", "dure_app=", "dure_app_state="];

        public override async ValueTask TransformRequestAsync(HttpContext http, HttpRequestMessage request, string destination, CancellationToken cancel)
        {
            await base.TransformRequestAsync(http, request, destination, cancel);
            var path = http.Request.Path.Value!;
            if (!route.KeepsPrefix)
                request.RequestUri = RequestUtilities.MakeDestinationAddress(destination, path[(route.Prefix.Length - 1)..], http.Request.QueryString);
            var headers = request.Headers;
            headers.Host = http.Request.Host.Value;
            var from = http.Connection.RemoteIpAddress is { } address ? (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString() : null;
            foreach (var (name, value) in new[]
            {
                ("X-Real-IP", from), ("X-Forwarded-For", from), ("X-Forwarded-Proto", http.Request.Scheme), ("X-Forwarded-Host", http.Request.Host.Value), ("X-Forwarded-Prefix", route.Prefix.TrimEnd('/')),
            })
            {
                headers.Remove(name);
                headers.TryAddWithoutValidation(name, value);
            }

            if (headers.TryGetValues(HeaderNames.Cookie, out var cookies))
            {
                var kept = cookies.SelectMany(line => line.Split(';')).Select(cookie => cookie.Trim()).Where(cookie => !Ours.Any(ours => cookie.StartsWith(ours, StringComparison.Ordinal))).ToList();
                headers.Remove(HeaderNames.Cookie);
                if (kept.Count > 0)
                    headers.TryAddWithoutValidation(HeaderNames.Cookie, string.Join("; ", kept));
            }
        }

        public override async ValueTask<bool> TransformResponseAsync(HttpContext http, HttpResponseMessage? response, CancellationToken cancel)
        {
            var forwards = await base.TransformResponseAsync(http, response, cancel);
            var headers = http.Response.Headers;
            headers[AppRoute.VersionHeader] = route.Tag;
            foreach (var (name, value) in SecurityHeaders.All)
                headers[name] = value;
            if (route.CachesHashed && http.Response.StatusCode == StatusCodes.Status200OK && HashedAssets.Is(http.Request.Path.Value![route.Prefix.Length..]))
                headers.CacheControl = HashedAssets.CacheControlOf(route);
            return forwards;
        }
    }
}
