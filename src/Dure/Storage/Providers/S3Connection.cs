using System.Net;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Dure.Host;
using Dure.Host.Configuration;

namespace Dure.Storage.Providers;

/// <summary>Access key and secret key. Not a record, whose text would show them.</summary>
public sealed class ProviderCredentials(string accessKey, string secretKey)
{
    /// <summary>Names who asks; empty for Azure.</summary>
    public string AccessKey => accessKey;

    /// <summary>Proves it.</summary>
    public string SecretKey => secretKey;
}

/// <summary>
/// A client of an S3-compatible store, set up for what such stores have in common: no checksum headers that only Amazon knows (Content-MD5 guards the bytes),
/// payloads not signed a second time under TLS, bounded retries, and calls that end when the store falls silent.
/// </summary>
internal sealed class S3Connection : IDisposable
{
    private const int RetriesMax = 3;

    private readonly TimeProvider _time;

    public S3Connection(ProviderOptions options, ProviderCredentials credentials, TimeProvider time)
    {
        (Options, _time) = (options, time);
        var isGoogle = options.Type is "gcs";
        Endpoint = options.Endpoint ?? (isGoogle ? new Uri("https://storage.googleapis.com") : null);
        var region = options.Region ?? (isGoogle ? "auto" : "us-east-1");
        var settings = new AmazonS3Config
        {
            ForcePathStyle = options.PathStyle ?? Endpoint is not null,
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = RetriesMax,
            // The silence of each call decides, which a slow upload does not trip.
            Timeout = Timeout.InfiniteTimeSpan,
            HttpClientFactory = new Clients(options.Timeout, Endpoint is { IsLoopback: true }),
            AllowAutoRedirect = false,
        };
        if (Endpoint is null)
        {
            settings.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }
        else
        {
            settings.ServiceURL = Endpoint.AbsoluteUri;
            settings.AuthenticationRegion = region;
        }

        IsTls = Endpoint is not { Scheme: "http" };
        Client = new AmazonS3Client(new BasicAWSCredentials(credentials.AccessKey, credentials.SecretKey), settings);
        // Google knows neither DeleteObjects nor If-None-Match on a PUT.
        CanPutIfAbsent = options.ConditionalPut ?? !isGoogle;
        CanDeleteMany = options.DeleteMany ?? !isGoogle;
    }

    public ProviderOptions Options { get; }

    public AmazonS3Client Client { get; }

    public Uri? Endpoint { get; }

    public bool IsTls { get; }

    /// <summary>False once the store said that it does not know conditional puts.</summary>
    public bool CanPutIfAbsent { get; set; }

    /// <summary>False once the store said that it does not know DeleteObjects.</summary>
    public bool CanDeleteMany { get; set; }

    public string Bucket => Options.Bucket!;

    public string Name => Options.Name;

    public TimeProvider Time => _time;

    public string Key(string key) => Options.Prefix + key;

    /// <summary>What may not be longer silent than configured.</summary>
    public Silence Listen(CancellationToken cancel) => new(Options.Timeout, _time, cancel);

    /// <summary>Makes a call; what is expected to fail becomes a problem.</summary>
    /// <param name="what">What is done to what, for the reader: <c>get a/b</c>.</param>
    public async Task<Outcome<T>> CallAsync<T>(string what, Func<Silence, Task<T>> call, CancellationToken cancel)
    {
        using var silence = Listen(cancel);
        try
        {
            return new Outcome<T>(await call(silence));
        }
        catch (Exception failure) when (!cancel.IsCancellationRequested && S3Failures.IsExpected(failure))
        {
            return S3Failures.Of(this, what, failure);
        }
        catch (Exception) when (cancel.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancel);
        }
    }

    public void Dispose() => Client.Dispose();

    private sealed class Clients(TimeSpan timeout, bool isLoopback) : HttpClientFactory
    {
        // One for all requests of a connection, which the client disposes of.
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(new SocketsHttpHandler
        {
            ConnectTimeout = timeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            UseProxy = !isLoopback,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }
}
