using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Dure.Functions.Worker.RuntimeApi;

/// <summary>
/// One web server for all sandboxes whose program speaks the AWS Lambda Runtime API. Connections are accepted on listeners inside
/// the sandboxes' own networks and carry the bridge they belong to, so a program reaches its own invocations and nothing else.
/// </summary>
internal sealed class RuntimeApiServer : IDisposable
{
    private const int ConnectionsWaitingMost = 256;
    private readonly KestrelServer _server;
    private readonly Transport _transport = new();
    private readonly SocketConnectionContextFactory _contexts;
    private readonly Task _started;

    /// <param name="cancel">Ends the server.</param>
    public RuntimeApiServer(ILoggerFactory loggers, CancellationToken cancel)
    {
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxRequestBodySize = null;
        options.Limits.MinRequestBodyDataRate = null;
        options.Limits.MinResponseDataRate = null;
        options.Limits.KeepAliveTimeout = TimeSpan.FromDays(30);
        options.Listen(new Transport.Place(), listen => listen.Protocols = HttpProtocols.Http1);
        _contexts = new SocketConnectionContextFactory(new SocketConnectionFactoryOptions(), loggers.CreateLogger("runtime-api"));
        _server = new KestrelServer(Options.Create(options), _transport, loggers);
        _started = _server.StartAsync(new Application(), cancel);
    }

    /// <summary>Serves a sandbox until the listener is disposed.</summary>
    public async Task ServeAsync(Socket listener, RuntimeApiBridge bridge, CancellationToken cancel)
    {
        await _started;
        while (!cancel.IsCancellationRequested)
        {
            var connection = _contexts.Create(await listener.AcceptAsync(cancel));
            connection.Items[typeof(RuntimeApiBridge)] = bridge;
            await _transport.Accepted.Writer.WriteAsync(connection, cancel);
        }
    }

    public void Dispose()
    {
        _server.Dispose();
        _contexts.Dispose();
    }

    private sealed class Application : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context)
        {
            var items = context.Features.GetRequiredFeature<IConnectionItemsFeature>().Items;
            return RuntimeApiEndpoints.HandleAsync(context, (RuntimeApiBridge)items[typeof(RuntimeApiBridge)]!);
        }

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }
    }

    /// <summary>Hands connections that were accepted elsewhere to Kestrel.</summary>
    private sealed class Transport : IConnectionListenerFactory, IConnectionListener
    {
        public Channel<ConnectionContext> Accepted { get; } = Channel.CreateBounded<ConnectionContext>(ConnectionsWaitingMost);

        public EndPoint EndPoint { get; } = new Place();

        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => new(this);

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
            await Accepted.Reader.WaitToReadAsync(cancellationToken) && Accepted.Reader.TryRead(out var connection) ? connection : null;

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            Accepted.Writer.TryComplete();
            return default;
        }

        public ValueTask DisposeAsync() => default;

        public sealed class Place : EndPoint
        {
            public override string ToString() => "sandboxes";
        }
    }
}
