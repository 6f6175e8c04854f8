using System.Globalization;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace Dure.Storage.Signing;

/// <summary>The client's side of Signature Version 4: pure functions of their arguments.</summary>
public static class Signer
{
    /// <summary>The longest that an address may be valid.</summary>
    public static readonly TimeSpan ValidMax = TimeSpan.FromDays(7);

    // A key with dots and slashes must reach the store as it was signed.
    private static readonly UriCreationOptions AsWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <summary>Signs an address in advance.</summary>
    /// <param name="address">With what must be in the query; the path is signed as it is written, so it must be encoded.</param>
    /// <param name="valid">1 second to <see cref="ValidMax"/>.</param>
    /// <param name="headers">Headers that whoever uses the address must send as they are here; null for none.</param>
    /// <exception cref="ArgumentOutOfRangeException">It would be valid for too long or not at all.</exception>
    public static Uri Presign(string method, Uri address, string keyId, string secret, string region, DateTimeOffset now, TimeSpan valid, IReadOnlyDictionary<string, string>? headers = null)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(valid, ValidMax);
        ArgumentOutOfRangeException.ThrowIfLessThan(valid, TimeSpan.FromSeconds(1));
        var all = With(headers, address);
        var timestamp = CredentialScope.Timestamp(now);
        var scope = new CredentialScope(keyId, timestamp[..8], region);
        var query = new StringBuilder(address.Query)
            .Append(address.Query.Length == 0 ? '?' : '&')
            .Append("X-Amz-Algorithm=").Append(CredentialScope.Algorithm)
            .Append("&X-Amz-Credential=").Append(AwsEncoding.Encode($"{keyId}/{scope.Scope}"))
            .Append("&X-Amz-Date=").Append(timestamp)
            .Append("&X-Amz-Expires=").Append(((long)valid.TotalSeconds).ToString(CultureInfo.InvariantCulture))
            .Append("&X-Amz-SignedHeaders=").Append(AwsEncoding.Encode(string.Join(';', all.Keys)));
        var canonical = CanonicalRequest.Make(method, RequestTarget.Parse(address.AbsolutePath + query), [.. all.Keys], name => all[name], "UNSIGNED-PAYLOAD");
        var signature = Sign(secret, scope, timestamp, canonical);
        return new Uri($"{address.Scheme}://{address.Authority}{address.AbsolutePath}{query}&X-Amz-Signature={signature}", AsWritten);
    }

    /// <summary>The Authorization header of a request.</summary>
    /// <param name="headers">All that are signed besides the host; <c>x-amz-date</c> and <c>x-amz-content-sha256</c> must be the ones that are sent.</param>
    /// <param name="payload">Value of <c>x-amz-content-sha256</c>.</param>
    public static string Authorization(string method, Uri address, string keyId, string secret, string region, DateTimeOffset now, IReadOnlyDictionary<string, string> headers, string payload)
    {
        var all = With(headers, address);
        var timestamp = CredentialScope.Timestamp(now);
        var scope = new CredentialScope(keyId, timestamp[..8], region);
        var canonical = CanonicalRequest.Make(method, RequestTarget.Parse(address.PathAndQuery), [.. all.Keys], name => all[name], payload);
        return $"{CredentialScope.Algorithm} Credential={keyId}/{scope.Scope}, SignedHeaders={string.Join(';', all.Keys)}, Signature={Sign(secret, scope, timestamp, canonical)}";
    }

    /// <summary>What chunk signatures start from, given the request's own signature.</summary>
    public static ChunkSeed Seed(string secret, string region, DateTimeOffset now, string signature)
    {
        var timestamp = CredentialScope.Timestamp(now);
        return new ChunkSeed(SigningKeys.Derive(secret, timestamp[..8], region), signature, timestamp, new CredentialScope("", timestamp[..8], region).Scope);
    }

    private static string Sign(string secret, CredentialScope scope, string timestamp, string canonical) =>
        SigningKeys.Sign(SigningKeys.Derive(secret, scope.Date, scope.Region), SigningKeys.StringToSign(timestamp, scope.Scope, canonical));

    private static SortedDictionary<string, StringValues> With(IReadOnlyDictionary<string, string>? headers, Uri address)
    {
        var all = new SortedDictionary<string, StringValues>(StringComparer.Ordinal) { ["host"] = address.Authority };
        foreach (var (name, value) in headers ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            all[name.ToLowerInvariant()] = value;
        }
        return all;
    }
}
