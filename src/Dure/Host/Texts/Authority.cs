namespace Dure.Host.Texts;

/// <summary>The part of an address that says where (RFC 3986, 3.2).</summary>
public static class Authority
{
    /// <summary>A name or an address as it stands before a colon and a port: IPv6 in brackets.</summary>
    public static string Host(string host) => host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
}
