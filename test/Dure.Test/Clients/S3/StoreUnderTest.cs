using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Clients.S3;

/// <summary>A real server whose store speaks http and https, with files of the sizes that every client must bring there and back.</summary>
public sealed class StoreUnderTest : IAsyncLifetime
{
    /// <summary>The bucket that is there.</summary>
    public const string Bucket = "round-trips";

    private readonly Scratch _scratch = new();
    private RunningDure _server = null!;

    /// <summary>Nothing, one byte, one byte more than a part, and a file of many parts.</summary>
    public static IReadOnlyList<(string Name, long Length)> Files { get; } = [("none", 0), ("one", 1), ("part", (5 << 20) + 1), ("large", 300L << 20)];

    /// <summary>Those that every program sends and fetches over a scheme. What is large goes over TLS once, by the SDK for .NET: to the store it is one connection like another.</summary>
    public static IEnumerable<(string Name, long Length)> FilesOver(string scheme) => Files.Where(file => scheme == "http" || file.Name != "large");

    /// <summary>Signs the store's certificate; PEM.</summary>
    public string Authority => _scratch["ca.pem"];

    public string AccessKey { get; private set; } = "";

    public string SecretKey { get; private set; } = "";

    /// <summary>Where the files are.</summary>
    public string Folder => _scratch["files"];

    private Uri Http { get; set; } = null!;

    private int HttpsPort { get; set; }

    /// <summary>The store's address.</summary>
    public Uri Endpoint(string scheme) => scheme == "https" ? new Uri($"https://127.0.0.1:{HttpsPort}") : Http;

    /// <summary>A folder for what one test fetches.</summary>
    public string Fetched(string name) => Directory.CreateDirectory(_scratch["fetched", name]).FullName;

    /// <summary>Whether two files hold the same bytes.</summary>
    public static async Task<bool> IsSameAsync(string one, string other, CancellationToken cancel)
    {
        await using var a = File.OpenRead(one);
        await using var b = File.OpenRead(other);
        var (first, second) = (await SHA256.HashDataAsync(a, cancel), await SHA256.HashDataAsync(b, cancel));
        return a.Length == b.Length && first.AsSpan().SequenceEqual(second);
    }

    public async ValueTask InitializeAsync()
    {
        var cancel = TestContext.Current.CancellationToken;
        MakeCertificate();
        await MakeFilesAsync(cancel);
        HttpsPort = FreePort();
        _server = await RunningDure.StartAsync(
            _scratch["data"], cancel, $"store.https_port={HttpsPort}", $"store.certificate={_scratch["store.pem"]}", $"store.certificate_key={_scratch["store.key"]}", "disk.refuse=0%", "disk.warn=0%");
        var (status, session) = await _server.SendAsync(HttpMethod.Post, "/api/storage/session", cancel);
        Assert.True(status == HttpStatusCode.OK || status == HttpStatusCode.Created, $"{status} {session}");
        (AccessKey, SecretKey) = ((string)session!["access_key_id"]!, (string)session["secret_access_key"]!);
        Http = new Uri((string)session["endpoint"]!);
        var (made, bucket) = await _server.SendAsync(HttpMethod.Post, "/api/storage/buckets", cancel, new JsonObject { ["name"] = Bucket }.ToJsonString());
        Assert.True((int)made is 200 or 201, $"{made} {bucket}");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _scratch.Dispose();
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private async Task MakeFilesAsync(CancellationToken cancel)
    {
        Directory.CreateDirectory(Folder);
        var piece = new byte[1 << 20];
        var random = new Random(20261126);
        foreach (var (name, length) in Files)
        {
            await using var file = File.Create(Path.Combine(Folder, name));
            for (var left = length; left > 0; left -= piece.Length)
            {
                random.NextBytes(piece);
                await file.WriteAsync(piece.AsMemory(0, (int)Math.Min(left, piece.Length)), cancel);
            }
        }
    }

    private void MakeCertificate()
    {
        var (from, to) = (TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(30));
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest("CN=Test authority", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        authority.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        using var issuer = authority.CreateSelfSigned(from, to);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(issuer, from.AddHours(1), to.AddHours(-1), [1, 2, 3, 4, 5, 6, 7, 8]);
        File.WriteAllText(Authority, issuer.ExportCertificatePem());
        File.WriteAllText(_scratch["store.pem"], certificate.ExportCertificatePem());
        File.WriteAllText(_scratch["store.key"], key.ExportPkcs8PrivateKeyPem());
    }
}
