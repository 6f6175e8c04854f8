using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dure.Edge;
using Xunit;

namespace Dure.Test.Edge;

/// <summary>What is told of a public address, as seen from outside.</summary>
public sealed class PublicAddressTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_certificate_that_browsers_refuse_is_told_with_its_end()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var made = new CertificateRequest("CN=nobody's own", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(10.5));
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var shows = ShowAsync(listener, made);
        var seen = await PublicAddress.CertificateAsync(new Uri($"https://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/"), TimeProvider.System, Cancel);
        await shows;
        Assert.False(seen.Ok);
        Assert.StartsWith($"10 days, until {made.NotAfter.ToUniversalTime():yyyy-MM-dd}, from nobody's own; browsers refuse it: ", seen.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_where_nobody_listens_has_none_and_a_name_that_is_nowhere_is_told()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var seen = await PublicAddress.CertificateAsync(new Uri($"https://127.0.0.1:{port}/"), TimeProvider.System, Cancel);
        Assert.True(!seen.Ok && seen.Said.StartsWith($"127.0.0.1:{port} shows none: ", StringComparison.Ordinal), seen.Said);
        var name = await PublicAddress.NameAsync(new Uri("https://nowhere.invalid/"), Cancel);
        Assert.True(!name.Ok && name.Said.StartsWith("nowhere.invalid cannot be resolved: ", StringComparison.Ordinal), name.Said);
        Assert.True((await PublicAddress.NameAsync(new Uri("https://localhost/"), Cancel)).Ok);
    }

    private static async Task ShowAsync(TcpListener listener, X509Certificate2 certificate)
    {
        using var client = await listener.AcceptTcpClientAsync(Cancel);
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, Cancel);
        try
        {
            _ = await tls.ReadAsync(new byte[1], Cancel);
        }
        catch (IOException)
        {
            // Whoever only looked at the certificate hangs up without reading what came after it.
        }
    }
}
