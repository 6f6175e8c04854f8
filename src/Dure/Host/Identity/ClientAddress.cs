using System.Net;
using System.Net.Sockets;

namespace Dure.Host.Identity;

/// <summary>Where a request comes from: who connects, or, from a proxy that is known, whom it names.</summary>
internal sealed class ClientAddress(IReadOnlyList<string> proxies)
{
    private readonly IPAddress[] _proxies = [.. proxies.Select(IPAddress.Parse)];

    /// <summary>The address, as text.</summary>
    public string Of(HttpContext http)
    {
        var from = http.Connection.RemoteIpAddress;
        if (from is null)
            return "-";
        from = from.IsIPv4MappedToIPv6 ? from.MapToIPv4() : from;
        // The last one is what the proxy itself saw; what stands before came from the outside.
        return _proxies.Contains(from) && http.Request.Headers["X-Forwarded-For"].ToString().Split(',')[^1].Trim() is { Length: > 0 } named && IPAddress.TryParse(named, out var client)
            ? client.ToString() : from.ToString();
    }

    /// <summary>What tries are counted by: whoever has an IPv6 network has all of its addresses.</summary>
    public string NetworkOf(HttpContext http)
    {
        var address = Of(http);
        if (!IPAddress.TryParse(address, out var parsed) || parsed.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        return Convert.ToHexString(parsed.GetAddressBytes().AsSpan(0, 8));
    }
}
