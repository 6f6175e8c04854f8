using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Dure.Host.Texts;

namespace Dure.Edge;

/// <summary>What was seen of a public address.</summary>
/// <param name="Where">Who or what was asked.</param>
/// <param name="Said">In words.</param>
public sealed record SeenOutside(string Where, bool Ok, string Said);

/// <summary>Looks at a public address from here, as a stranger would: what its name is, and what its certificate is worth.</summary>
[SuppressMessage("Security", "CA5359", Justification = "Here the certificate is only looked at, and what is wrong with it is told.")]
public static class PublicAddress
{
    /// <summary>From here on somebody should know: certbot renews 30 days before the end.</summary>
    public const int DaysLeast = 21;

    private static readonly TimeSpan Within = TimeSpan.FromSeconds(5);

    /// <summary>What the name leads to.</summary>
    public static async Task<SeenOutside> NameAsync(Uri address, CancellationToken cancel)
    {
        if (address.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6)
            return new("this machine", true, $"{address.Host} is no name");
        try
        {
            using var patience = Patience(cancel);
            var found = await Dns.GetHostAddressesAsync(address.DnsSafeHost, patience.Token);
            return new("this machine", found.Length > 0, found.Length > 0 ? $"{address.Host} is {string.Join(", ", found.Select(ip => ip.ToString()))}" : $"{address.Host} has no address");
        }
        catch (Exception failed) when (failed is SocketException || failed is OperationCanceledException && !cancel.IsCancellationRequested)
        {
            return new("this machine", false, $"{address.Host} cannot be resolved: {failed.Message}");
        }
    }

    /// <summary>What the certificate is, and for how many days.</summary>
    public static async Task<SeenOutside> CertificateAsync(Uri address, TimeProvider time, CancellationToken cancel)
    {
        var where = FormattableString.Invariant($"{Authority.Host(address.DnsSafeHost)}:{address.Port}");
        if (address.Scheme != Uri.UriSchemeHttps)
            return new(where, true, "none: the public address is not https");
        try
        {
            using var patience = Patience(cancel);
            using var client = new TcpClient();
            await client.ConnectAsync(address.DnsSafeHost, address.Port, patience.Token);
            var wrong = SslPolicyErrors.None;
            await using var tls = new SslStream(client.GetStream());
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = address.DnsSafeHost,
                RemoteCertificateValidationCallback = (_, _, _, errors) =>
                {
                    wrong = errors;
                    return true;
                },
            }, patience.Token);
            using var certificate = new X509Certificate2(tls.RemoteCertificate!);
            var days = (int)Math.Floor((certificate.NotAfter.ToUniversalTime() - time.GetUtcNow().UtcDateTime).TotalDays);
            var until = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{days} days, until {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}, from {certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: true)}");
            return new(where, days >= DaysLeast && wrong == SslPolicyErrors.None, wrong == SslPolicyErrors.None ? until : $"{until}; browsers refuse it ({wrong})");
        }
        catch (Exception failed) when (failed is SocketException or IOException or AuthenticationException || failed is OperationCanceledException && !cancel.IsCancellationRequested)
        {
            return new(where, false, $"{where} shows none: {failed.Message}");
        }
    }

    private static CancellationTokenSource Patience(CancellationToken cancel)
    {
        var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Within);
        return patience;
    }
}
