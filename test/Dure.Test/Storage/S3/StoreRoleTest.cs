using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dure.Host.Configuration;
using Dure.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Dure.Test.Storage.S3;

/// <summary>The role's start: its settings, its address, its certificate.</summary>
public sealed class StoreRoleTest : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dure-role-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_taken_port_is_told_with_the_setting_that_changes_it()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var opened = await OpenAsync(Settings() with { Port = ((IPEndPoint)taken.LocalEndpoint).Port });
        await using var role = opened.Value;
        var problem = await role.StartAsync(CancellationToken.None);
        Assert.Equal("DURE0008", problem?.Kind.Id);
        Assert.Contains("store.port", problem!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_answers_over_HTTPS_with_the_certificate_given()
    {
        using var rsa = RSA.Create(2048);
        var request = new CertificateRequest("CN=store.test", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        var (pem, key) = (Path.Combine(_folder, "cert.pem"), Path.Combine(_folder, "key.pem"));
        await File.WriteAllTextAsync(pem, certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(key, rsa.ExportPkcs8PrivateKeyPem());
        var opened = await OpenAsync(Settings() with { HttpsPort = FreePort(), Certificate = pem, CertificateKey = key });
        await using var role = opened.Value;
        Assert.Null(await role.StartAsync(CancellationToken.None));
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, SslOptions = { RemoteCertificateValidationCallback = (_, seen, _, _) => seen?.Subject == "CN=store.test" } });
        using var answer = await http.GetAsync(new Uri(role.SecureAddress!));
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("AccessDenied", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await role.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_certificate_that_cannot_be_read_stops_the_start()
    {
        var opened = await OpenAsync(Settings() with { HttpsPort = FreePort(), Certificate = Path.Combine(_folder, "none.pem"), CertificateKey = Path.Combine(_folder, "none.pem") });
        Assert.Equal("DURE0694", opened.Problem?.Kind.Id);
    }

    [Theory]
    [InlineData("0", null, 0)]
    [InlineData("0", "7171", 7171)]
    [InlineData("7070", null, 7071)]
    public void The_port_follows_that_of_the_server_where_it_is_any(string port, string? own, int expected)
    {
        var flags = new Dictionary<string, (string, string)>(StringComparer.Ordinal) { ["port"] = (port, "--port") };
        if (own is not null)
            flags["store.port"] = (own, "--set");
        Assert.Equal(expected, Load(flags).Options.Store.Port);
    }

    [Fact]
    public void HTTPS_needs_a_certificate()
    {
        var loaded = ConfigurationLoader.Load(Sources(new Dictionary<string, (string, string)>(StringComparer.Ordinal) { ["store.https_port"] = ("7443", "--set") }));
        Assert.Contains("store.certificate", Assert.Single(loaded.Problem!.Faults).What, StringComparison.Ordinal);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private LoadedConfiguration Load(Dictionary<string, (string, string)> flags) => ConfigurationLoader.Load(Sources(flags)).Value;

    private ConfigurationSources Sources(Dictionary<string, (string, string)> flags) => new(flags, new Dictionary<string, string>(StringComparer.Ordinal), null, _folder, false);

    private StoreSettings Settings() => DureOptions.Defaults(_folder).Store with { Port = 0 };

    private static Task<Dure.Host.Outcome<StoreRole>> OpenAsync(StoreSettings settings) =>
        StoreRole.OpenAsync(settings, _ => null, () => false, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
}
