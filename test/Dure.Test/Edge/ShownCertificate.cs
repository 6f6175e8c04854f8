using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Dure.Test.Edge;

/// <summary>A certificate that nobody trusts, shown over TLS on a port of the loopback address to whoever connects, until it is disposed of.</summary>
internal sealed class ShownCertificate : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly X509Certificate2 _certificate;
    private readonly Task _showing;

    /// <param name="days">Until its end.</param>
    public ShownCertificate(double days)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        _certificate = new CertificateRequest("CN=nobody's own", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(days));
        _listener.Start();
        _showing = ShowAsync();
    }

    public string Where => FormattableString.Invariant($"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    public DateTimeOffset End => _certificate.NotAfter.ToUniversalTime();

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _showing;
        _listener.Dispose();
        _certificate.Dispose();
        _ended.Dispose();
    }

    private async Task ShowAsync()
    {
        while (true)
        {
            try
            {
                using var client = await _listener.AcceptTcpClientAsync(_ended.Token);
                await using var tls = new SslStream(client.GetStream());
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _ended.Token);
                _ = await tls.ReadAsync(new byte[1], _ended.Token);
            }
            catch (IOException)
            {
                // Whoever only looks at the certificate hangs up without reading what comes after it.
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
