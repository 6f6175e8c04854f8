using System.CommandLine;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Dure.Host;
using Dure.Host.Commands;

namespace Dure.Storage.Commands;

/// <summary>Which store the verbs mean: Dure's own unless an endpoint is given.</summary>
internal static class StoreChoice
{
    public static readonly Option<string?> Endpoint = new("--endpoint")
    {
        Description = "Another store that speaks S3; its keys are taken from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        HelpName = "URL",
    };

    public static readonly Option<string?> Region = new("--region")
    {
        Description = "The region of --endpoint; else AWS_REGION, else us-east-1.",
        HelpName = "REGION",
    };

    public static readonly Option<bool> VirtualHost = new("--virtual-host") { Description = "With --endpoint: the bucket stands before the host's name, not in the path." };

    public static IReadOnlyList<Option> All { get; } = [Endpoint, Region, VirtualHost];
}

/// <summary>A store that is spoken to by S3, with the keys for it.</summary>
/// <param name="Name">How it is named to people: its address.</param>
/// <param name="KeysEndAt">What is pre-signed with them ends then too; null when that is not known.</param>
/// <param name="IsOwn">It is Dure's own, which knows full-object CRC-64/NVME; of others only what all know is asked.</param>
internal sealed record StoreConnection(IAmazonS3 S3, Uri Endpoint, string Name, DateTimeOffset? KeysEndAt, bool IsOwn) : IDisposable
{
    /// <summary>Time in which a request must get on by at least one read or write.</summary>
    public static readonly TimeSpan StalledAfter = TimeSpan.FromMinutes(2);

    public void Dispose() => S3.Dispose();

    /// <summary>Runs a verb that speaks to a store.</summary>
    /// <param name="what">The address that failures are about; null for the store itself.</param>
    public static Verb Calls(Verb verb, Func<Call, StoreConnection, CancellationToken, Task<Outcome<int>>> body, Func<Call, string?> what) => verb.With([.. StoreChoice.All]).Runs(async (call, cancel) =>
    {
        if (call.Get(StoreChoice.Endpoint) is { } endpoint)
        {
            var other = OpenOther(call, endpoint);
            if (!other.Ok)
            {
                return other.Problem;
            }

            using var store = other.Value;
            return await GuardAsync(() => body(call, store, cancel), what(call) ?? store.Name, cancel);
        }

        var found = call.Client();
        if (!found.Ok)
        {
            return found.Problem;
        }

        using var client = found.Value;
        var own = await OpenOwnAsync(client, cancel);
        if (!own.Ok)
        {
            return own.Problem;
        }

        using var embedded = own.Value;
        return await GuardAsync(() => body(call, embedded, cancel), what(call) ?? embedded.Name, cancel);
    });

    /// <summary>Dure's own store, with keys of the caller that last for this session.</summary>
    public static async Task<Outcome<StoreConnection>> OpenOwnAsync(DureClient client, CancellationToken cancel)
    {
        var session = await SessionKeys.MakeAsync(client, cancel);
        if (!session.Ok)
        {
            return session.Problem;
        }

        var keys = session.Value;
        var endpoint = SeenFrom(client.Endpoint.Url, new Uri(keys.Endpoint));
        return new StoreConnection(
            new AmazonS3Client(new SessionKeys(client, keys), Configure(endpoint, keys.Region, pathStyle: true)), endpoint, endpoint.GetLeftPart(UriPartial.Authority), keys.ExpiresAt, IsOwn: true);
    }

    /// <summary>A server that names its own loopback, or every address, is at the address by which it was asked.</summary>
    internal static Uri SeenFrom(Uri server, Uri endpoint) =>
        (endpoint.IsLoopback && !server.IsLoopback) || endpoint.Host is "0.0.0.0" or "[::]" ? new UriBuilder(endpoint) { Host = server.Host }.Uri : endpoint;

    private static Outcome<StoreConnection> OpenOther(Call call, string address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("http" or "https"))
        {
            return CommandErrors.Usage.With($"'{address}' is not an address such as https://s3.example.org.");
        }

        var (key, secret, token) = (Variable("AWS_ACCESS_KEY_ID"), Variable("AWS_SECRET_ACCESS_KEY"), Variable("AWS_SESSION_TOKEN"));
        if (key is null || secret is null)
        {
            return TransferErrors.NoKeys.With(address);
        }

        var region = call.Get(StoreChoice.Region) ?? Variable("AWS_REGION") ?? Variable("AWS_DEFAULT_REGION") ?? "us-east-1";
        AWSCredentials credentials = token is null ? new BasicAWSCredentials(key, secret) : new SessionAWSCredentials(key, secret, token);
        return new StoreConnection(
            new AmazonS3Client(credentials, Configure(endpoint, region, !call.Get(StoreChoice.VirtualHost))), endpoint, endpoint.GetLeftPart(UriPartial.Authority), null, IsOwn: false);
    }

    private static AmazonS3Config Configure(Uri endpoint, string region, bool pathStyle) => new()
    {
        ServiceURL = endpoint.AbsoluteUri,
        AuthenticationRegion = region,
        ForcePathStyle = pathStyle,
        UseHttp = endpoint.Scheme == "http",
        RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
        ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        RetryMode = RequestRetryMode.Standard,
        MaxErrorRetry = 4,
        HttpClientFactory = new Connections(endpoint.IsLoopback),
    };

    private static async Task<Outcome<int>> GuardAsync(Func<Task<Outcome<int>>> body, string what, CancellationToken cancel)
    {
        try
        {
            return await body();
        }
        catch (Exception failure) when (S3Faults.IsExpected(failure, cancel))
        {
            return S3Faults.Explain(failure, what);
        }
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    /// <summary>Connections without a proxy to this machine, and without a time-out for the whole: large parts on slow lines take long.</summary>
    private sealed class Connections(bool direct) : HttpClientFactory
    {
        [SuppressMessage("Reliability", "CA2000", Justification = "The client owns its handler, the SDK the client.")]
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(new SocketsHttpHandler
        {
            UseProxy = !direct,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }
}
