using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Amazon.Runtime;
using Amazon.S3;
using Dure.Host.Configuration;
using Dure.Storage;
using Dure.Storage.Signing;
using Dure.Storage.Store;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Dure.Test.Storage.S3;

/// <summary>The real role on loopback, on a folder of its own, with two users.</summary>
public sealed class RunningStore : IAsyncLifetime
{
    public const string Region = "us-east-1";

    private static readonly Dictionary<string, AccessKey> Keys = new AccessKey[]
    {
        new("ADA", "ada-secret", "ada", KeyScopes.Read | KeyScopes.Write | KeyScopes.Buckets, [], null),
        new("READER", "reader-secret", "ada", KeyScopes.Read, [], null),
        new("NARROW", "narrow-secret", "ada", KeyScopes.Read | KeyScopes.Write, ["narrow"], null),
        new("BOB", "bob-secret", "bob", KeyScopes.Read | KeyScopes.Write | KeyScopes.Buckets, [], null),
        new("ADMIN", "admin-secret", "root", KeyScopes.Admin, [], null),
    }.ToDictionary(key => key.Id, StringComparer.Ordinal);

    private readonly string _folder = Directory.CreateTempSubdirectory("dure-store-").FullName;
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        UseProxy = false, AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.None, Expect100ContinueTimeout = TimeSpan.FromSeconds(5),
        RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8, ResponseHeaderEncodingSelector = (_, _) => Encoding.UTF8,
    });
    private StoreRole _role = null!;
    private int _buckets;

    public Uri Address => new(_role.Address);

    public ObjectStore Store => _role.Store;

    public AmazonS3Client Ada { get; private set; } = null!;

    public AmazonS3Client Bob { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var options = DureOptions.Defaults(_folder).Store with { Port = 0, Directory = Path.Combine(_folder, "store"), Domain = "store.test" };
        var opened = await StoreRole.OpenAsync(options, id => Keys.GetValueOrDefault(id), () => false, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
        _role = opened.Value;
        Assert.Null(await _role.StartAsync(CancellationToken.None));
        (Ada, Bob) = (Client("ADA"), Client("BOB"));
    }

    public async ValueTask DisposeAsync()
    {
        Ada.Dispose();
        Bob.Dispose();
        _http.Dispose();
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await _role.StopAsync(stop.Token);
        await _role.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    public AmazonS3Client Client(string key) => new(new BasicAWSCredentials(key, Keys[key].Secret), new AmazonS3Config
    {
        ServiceURL = Address.ToString(), ForcePathStyle = true, AuthenticationRegion = Region, UseHttp = true, MaxErrorRetry = 0,
    });

    /// <summary>A bucket of Ada's that no other test has.</summary>
    public async Task<string> BucketAsync(CannedAcl acl = CannedAcl.Private)
    {
        var name = $"bucket-{Interlocked.Increment(ref _buckets)}";
        Assert.Null((await Store.CreateBucketAsync(name, "ada", acl, CancellationToken.None)).Fault);
        return name;
    }

    public static Dictionary<string, string> Headers(params (string Name, string Value)[] headers) => headers.ToDictionary(header => header.Name, header => header.Value, StringComparer.OrdinalIgnoreCase);

    /// <summary>Sends a request as it is written; signed by a key, or by nobody.</summary>
    /// <param name="target">Path and query, encoded.</param>
    public async Task<Answer> SendAsync(string method, string target, string? body = null, Dictionary<string, string>? headers = null, string? key = "ADA", string? host = null, string? payload = null)
    {
        var bytes = Encoding.UTF8.GetBytes(body ?? "");
        var uri = new Uri($"http://{host ?? Address.Authority}{target}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var reached = new Uri($"http://{Address.Authority}{target}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(new HttpMethod(method), reached) { Headers = { Host = uri.Authority } };
        if (body is not null)
            request.Content = new ByteArrayContent(bytes);
        var all = headers ?? [];
        if (key is not null)
        {
            var now = TimeProvider.System.GetUtcNow();
            payload ??= Convert.ToHexStringLower(SHA256.HashData(bytes));
            all = new Dictionary<string, string>(all, StringComparer.OrdinalIgnoreCase)
            {
                ["x-amz-date"] = now.ToString("yyyyMMdd'T'HHmmss'Z'", System.Globalization.CultureInfo.InvariantCulture), ["x-amz-content-sha256"] = payload,
            };
            request.Headers.TryAddWithoutValidation("Authorization", Signer.Authorization(method, uri, key, Keys[key].Secret, Region, now, all, payload));
        }
        foreach (var (name, value) in all)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content ??= new ByteArrayContent([]);
                request.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }
        using var response = await _http.SendAsync(request);
        var answered = response.Headers.Concat(response.Content.Headers).ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);
        return new Answer((int)response.StatusCode, answered, await response.Content.ReadAsByteArrayAsync());
    }

    /// <summary>An answer as it came.</summary>
    public sealed record Answer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
    {
        public string Text => Encoding.UTF8.GetString(Body);

        public XElement Xml => XDocument.Parse(Text).Root!;

        /// <summary>The code of an error.</summary>
        public string Code => Body.Length == 0 ? "" : Element("Code") ?? "";

        public string? Header(string name) => Headers.GetValueOrDefault(name);

        public string? Element(string name) => Xml.Descendants().FirstOrDefault(element => element.Name.LocalName == name)?.Value;

        public List<string> Elements(string name) => [.. Xml.Descendants().Where(element => element.Name.LocalName == name).Select(element => element.Value)];

        /// <summary>Status and code of an error, in one.</summary>
        public string Error => $"{Status} {Code}";
    }
}
