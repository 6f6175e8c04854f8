using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http.Features;

namespace Dure.Storage.S3;

/// <summary>What a request is about: <c>/BUCKET/KEY</c>, or <c>/KEY</c> at the host <c>BUCKET.domain</c>.</summary>
/// <param name="Bucket">Null for the service itself.</param>
/// <param name="Key">Null for the bucket itself.</param>
/// <param name="Sub">The subresource (<c>acl</c>, <c>uploads</c>...); empty for none.</param>
internal sealed record S3Request(string? Bucket, string? Key, S3Query Query, string Sub)
{
    public const int KeyBytesMax = 1024;

    private static readonly HashSet<string> Subresources = new(StringComparer.Ordinal)
    {
        "accelerate", "acl", "analytics", "append", "attributes", "cors", "delete", "encryption", "intelligent-tiering", "inventory", "legal-hold", "lifecycle", "location", "logging",
        "metadataConfiguration", "metadataTable", "metrics", "notification", "object-lock", "ownershipControls", "policy", "policyStatus", "publicAccessBlock", "renameObject", "replication",
        "requestPayment", "restore", "retention", "select", "session", "tagging", "torrent", "uploadId", "uploads", "versioning", "versions", "website",
    };

    /// <summary>Reads the target as it came, before any server decoded it: a key may hold <c>..</c>, <c>//</c> and <c>%2F</c>.</summary>
    /// <param name="domain">Of virtual hosts; null for none.</param>
    public static (S3Request? Request, S3Error? Error) Parse(HttpRequest request, string? domain)
    {
        var target = (request.HttpContext.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "/").AsSpan();
        if (!target.IsEmpty && target[0] != '/' && target.IndexOf("://") is var scheme and > 0)
        {
            // The absolute form (RFC 9112, 3.2.2), as proxies are sent it.
            var rest = target[(scheme + 3)..];
            target = rest.IndexOf('/') is var slash and >= 0 ? rest[slash..] : "/";
        }
        var mark = target.IndexOf('?');
        var path = mark < 0 ? target : target[..mark];
        if (S3Query.Parse(mark < 0 ? [] : target[(mark + 1)..]) is not { } query || path.IsEmpty || path[0] != '/')
            return (null, S3Errors.InvalidUri);
        path = path[1..];
        var bucket = BucketOfHost(request.Host, domain);
        if (bucket is null)
        {
            var slash = path.IndexOf('/');
            bucket = S3Query.Decode(slash < 0 ? path : path[..slash], plusIsSpace: false);
            path = slash < 0 ? [] : path[(slash + 1)..];
            if (bucket is null)
                return (null, S3Errors.InvalidUri);
        }
        var key = S3Query.Decode(path, plusIsSpace: false);
        if (key is null)
            return (null, S3Errors.InvalidUri);
        if (CheckKey(key) is { } wrong)
            return (null, wrong);
        return (new S3Request(bucket.Length == 0 ? null : bucket, key.Length == 0 ? null : key, query, SubOf(query)), null);
    }

    /// <summary>What is wrong with a key; null when nothing.</summary>
    public static S3Error? CheckKey(string key)
    {
        if (key.Contains('\0', StringComparison.Ordinal))
            return S3Errors.InvalidArgument("A key cannot hold a NUL character.", "Key");
        if (key.Length * 3 <= KeyBytesMax || Encoding.UTF8.GetByteCount(key) is not (var size and > KeyBytesMax))
            return null;
        return new S3Error("KeyTooLongError", 400, "Your key is too long", new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Size"] = size.ToString(CultureInfo.InvariantCulture), ["MaxSizeAllowed"] = KeyBytesMax.ToString(CultureInfo.InvariantCulture),
        });
    }

    /// <summary>The bucket that a host names; null when it names none.</summary>
    public static string? BucketOfHost(HostString host, string? domain)
    {
        if (domain is null || host.Host is not { } name || name.Length <= domain.Length + 1 || !name.EndsWith(domain, StringComparison.OrdinalIgnoreCase) || name[^(domain.Length + 1)] != '.')
            return null;
        return name[..^(domain.Length + 1)].ToLowerInvariant();
    }

    private static string SubOf(S3Query query)
    {
        var found = "";
        foreach (var (name, _) in query.Pairs)
        {
            // An upload's id goes before all else, and what a listing of versions is asked beside its name does not matter.
            if (name == "uploadId")
                return name;
            if (found.Length == 0 && Subresources.TryGetValue(name, out var known))
                found = known;
        }
        return found;
    }
}
