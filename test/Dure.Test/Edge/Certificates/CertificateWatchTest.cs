using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dure.Edge.Certificates;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Edge.Certificates;

/// <summary>How the end of a certificate is told before it comes.</summary>
public sealed class CertificateWatchTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_end_of_the_public_certificate_is_a_metric_and_its_log_warns()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var made = new CertificateRequest("CN=nobody's own", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(20.5));
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var shows = ShowAsync(listener, made, ended.Token);
        var where = $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
        using var scratch = new Scratch();
        await using (var dure = await RunningDure.StartAsync(scratch["data"], Cancel, "apps.edge=root@edge.invalid", "apps.address=127.0.0.1", $"apps.public_url=https://{where}"))
        {
            var metric = $"dure_certificate_expires_seconds{{host=\"{where}\"}} {new DateTimeOffset(made.NotAfter).ToUnixTimeSeconds()}";
            var page = await RunningDure.UntilAsync(() => dure.Http.GetStringAsync(new Uri("/metrics", UriKind.Relative), Cancel), text => text.Contains("dure_certificate_expires_seconds{", StringComparison.Ordinal), Cancel);
            Assert.Contains(metric, page, StringComparison.Ordinal);
            Assert.Contains($"certificate of {where}: 20 days, until {made.NotAfter.ToUniversalTime():yyyy-MM-dd}, from nobody's own", dure.Log, StringComparison.Ordinal);
        }

        await ended.CancelAsync();
        await shows;
    }

    [Theory]
    [InlineData(22, null, true)]
    [InlineData(20.9, null, false)]
    [InlineData(-1, null, false)]
    [InlineData(80, "it is not for lab.example", false)]
    public void A_certificate_is_fine_until_21_days_before_its_end(double days, string? fault, bool fine)
    {
        var seen = TimeProvider.System.GetUtcNow();
        Assert.Equal(fine, new ServedCertificate("lab.example:443", seen.AddDays(days), "somebody", fault, seen).Ok);
    }

    private static async Task ShowAsync(TcpListener listener, X509Certificate2 certificate, CancellationToken ended)
    {
        while (true)
        {
            try
            {
                using var client = await listener.AcceptTcpClientAsync(ended);
                await using var tls = new SslStream(client.GetStream());
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, ended);
                _ = await tls.ReadAsync(new byte[1], ended);
            }
            catch (IOException)
            {
                // Who has seen enough goes.
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
