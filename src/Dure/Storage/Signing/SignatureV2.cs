using System.Security.Cryptography;
using System.Text;

namespace Dure.Storage.Signing;

/// <summary>
/// Signature Version 2, for addresses that older clients sign in advance
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html).
/// </summary>
internal static class SignatureV2
{
    private static readonly HashSet<string> Signed = new(StringComparer.Ordinal)
    {
        "accelerate", "acl", "analytics", "attributes", "cors", "defaultObjectAcl", "delete", "encryption", "intelligent-tiering", "inventory", "legal-hold",
        "lifecycle", "location", "logging", "metrics", "notification", "object-lock", "ownershipControls", "partNumber", "policy", "policyStatus",
        "publicAccessBlock", "replication", "requestPayment", "response-cache-control", "response-content-disposition", "response-content-encoding",
        "response-content-language", "response-content-type", "response-expires", "restore", "retention", "select", "select-type", "tagging", "torrent",
        "uploadId", "uploads", "versionId", "versioning", "versions", "website",
    };

    /// <summary>The text that is signed.</summary>
    /// <param name="expires">Unix seconds, as the query has it.</param>
    /// <param name="bucket">The bucket that the host names; null when it names none.</param>
    public static string StringToSign(HttpRequest request, RequestTarget target, string expires, string? bucket)
    {
        var made = new StringBuilder(256);
        made.Append(request.Method).Append('\n')
            .Append(request.Headers.ContentMD5).Append('\n')
            .Append(request.Headers.ContentType).Append('\n')
            .Append(expires).Append('\n');
        foreach (var header in request.Headers
            .Where(header => header.Key.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase))
            .OrderBy(header => header.Key.ToLowerInvariant(), StringComparer.Ordinal))
        {
            made.Append(header.Key.ToLowerInvariant()).Append(':');
            CanonicalRequest.AppendValues(made, header.Value);
            made.Append('\n');
        }
        if (bucket is not null)
        {
            made.Append('/').Append(bucket);
        }
        made.Append(target.Path);
        var separator = '?';
        foreach (var pair in target.Pairs.Where(pair => Signed.Contains(pair.Name)).OrderBy(pair => pair.Name, StringComparer.Ordinal))
        {
            made.Append(separator).Append(pair.Name);
            if (pair.Value.Length > 0)
            {
                made.Append('=').Append(AwsEncoding.Decode(pair.Value, plusIsSpace: false));
            }
            separator = '&';
        }
        return made.ToString();
    }

    /// <summary>Signs a text; base 64.</summary>
#pragma warning disable CA5350 // The signature is what the protocol says.
    public static string Sign(string secret, string text) => Convert.ToBase64String(HMACSHA1.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(text)));
#pragma warning restore CA5350
}
