using System.Net;
using System.Net.Sockets;
using Dure.Edge.Certificates;
using Dure.Host.Texts;

namespace Dure.Edge;

/// <summary>What was seen of a public address.</summary>
/// <param name="Where">Who or what was asked.</param>
/// <param name="Said">In words.</param>
public sealed record SeenOutside(string Where, bool Ok, string Said);

/// <summary>Looks at a public address from here, as a stranger would: what its name is, and what its certificate is worth.</summary>
public static class PublicAddress
{
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
        var where = ServedCertificate.Where(address);
        if (address.Scheme != Uri.UriSchemeHttps)
            return new(where, true, "none: the public address is not https");
        var seen = await ServedCertificate.LookAsync(address, time, cancel);
        return new(where, seen.Ok, seen.Said);
    }

    private static CancellationTokenSource Patience(CancellationToken cancel)
    {
        var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Within);
        return patience;
    }
}
