using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Dure.Host;
using Dure.Host.Configuration;
using Dure.Host.Web;
using Dure.Storage.S3;
using Dure.Storage.Signing;
using Dure.Storage.Store;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Dure.Storage;

/// <summary>The store role: the embedded S3 endpoint, on listeners of its own.</summary>
public sealed class StoreRole : IAsyncDisposable
{
    // A key of 1,024 bytes, encoded, and a long signed query.
    private const int RequestLineMax = 32 * 1024;
    private const int HeadersMax = 64 * 1024;

    private readonly StoreSettings _settings;
    private readonly WebApplication _app;
    private readonly StoreMetrics _metrics = new();

    private StoreRole(StoreSettings settings, WebApplication app, StoreServices services) => (_settings, _app, Services) = (settings, app, services);

    /// <summary>What is served.</summary>
    public ObjectStore Store => Services.Store;

    /// <summary>What requests are answered with.</summary>
    internal StoreServices Services { get; }

    /// <summary>Where it answers over plain HTTP; empty before it was started.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Where it answers over HTTPS; null when it does not.</summary>
    public string? SecureAddress { get; private set; }

    /// <summary>Opens what is stored and makes the role; it answers once it is started.</summary>
    /// <param name="findKey">The access key of an id; null when there is none.</param>
    /// <returns>The role, or why the store or the certificate cannot be opened.</returns>
    public static async Task<Outcome<StoreRole>> OpenAsync(StoreSettings settings, Func<string, AccessKey?> findKey, Func<bool> refuseWork, ILoggerFactory loggers, TimeProvider time, CancellationToken cancel)
    {
        HttpsConnectionAdapterOptions? https = null;
        if (settings.HttpsPort != 0)
        {
            var loaded = LoadCertificate(settings);
            if (!loaded.Ok)
                return loaded.Problem;
            https = loaded.Value;
        }
        var opened = await ObjectStore.OpenAsync(new StoreOptions(settings.Directory, settings.InlineMax, settings.AbandonedUploads, refuseWork), time, loggers.CreateLogger<ObjectStore>(), cancel);
        if (!opened.Ok)
            return opened.Problem;
        var app = Build(settings, https, loggers);
        var verifier = new RequestVerifier(findKey, settings.Region, time, request => S3Request.BucketOfHost(request.Host, settings.Domain));
        var services = new StoreServices(opened.Value, verifier, new PostPolicy(findKey, settings.Region, time), settings.Region, settings.Domain, settings.UploadLimit, time);
        var role = new StoreRole(settings, app, services);
        var endpoint = new S3Endpoint(services, role._metrics, loggers.CreateLogger<S3Endpoint>());
        app.Run(endpoint.HandleAsync);
        return role;
    }

    /// <summary>Begins to answer.</summary>
    /// <returns>DURE0008 when the address is taken.</returns>
    public async Task<Problem?> StartAsync(CancellationToken cancel)
    {
        try
        {
            await _app.StartAsync(cancel);
        }
        catch (IOException error) when (error.InnerException is AddressInUseException)
        {
            var ports = _settings.HttpsPort == 0 ? $"{_settings.Port}" : $"{_settings.Port} or {_settings.HttpsPort}";
            return HostErrors.AddressInUse.With($"{_settings.Listen}:{ports}, where the S3 endpoint would listen, is taken by another program; store.port in dure.yaml or --set store.port=N chooses another.");
        }
        foreach (var address in _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses)
        {
            if (address.StartsWith("https:", StringComparison.Ordinal))
                SecureAddress = address;
            else
                Address = address;
        }
        return null;
    }

    /// <summary>Answers what has begun, and then no more.</summary>
    public Task StopAsync(CancellationToken cancel) => _app.StopAsync(cancel);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await Store.DisposeAsync();
        _metrics.Dispose();
    }

    private static WebApplication Build(StoreSettings settings, HttpsConnectionAdapterOptions? https, ILoggerFactory loggers)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = Path.GetTempPath() });
        builder.Services.AddSingleton(loggers);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MaxRequestLineSize = RequestLineMax;
            kestrel.Limits.MaxRequestHeadersTotalSize = HeadersMax;
            kestrel.AddServerHeader = false;
            // Metadata in UTF-8 goes out as it came in.
            kestrel.ResponseHeaderEncodingSelector = _ => Encoding.UTF8;
            Listen(kestrel, settings.Listen, settings.Port, null);
            if (https is not null)
                Listen(kestrel, settings.Listen, settings.HttpsPort, https);
        });
        if (https is not null)
            builder.WebHost.UseKestrelHttpsConfiguration();
        return builder.Build();
    }

    private static void Listen(KestrelServerOptions kestrel, string address, int port, HttpsConnectionAdapterOptions? https)
    {
        void Configure(ListenOptions listen)
        {
            // S3 is spoken in HTTP/1.1.
            listen.Protocols = HttpProtocols.Http1;
            if (https is not null)
                listen.UseHttps(https);
        }
        // A free port cannot be the same on both addresses of localhost.
        if (address == "localhost" && port != 0)
            kestrel.ListenLocalhost(port, Configure);
        else
            kestrel.Listen(Listening.AddressOf(address), port, Configure);
    }

    private static Outcome<HttpsConnectionAdapterOptions> LoadCertificate(StoreSettings settings)
    {
        try
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(settings.Certificate!);
            return new HttpsConnectionAdapterOptions
            {
                ServerCertificate = X509Certificate2.CreateFromPemFile(settings.Certificate!, settings.CertificateKey!),
                ServerCertificateChain = chain,
                SslProtocols = SslProtocols.None,
            };
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            return StoreErrors.BadCertificate.With(error.Message);
        }
    }
}
