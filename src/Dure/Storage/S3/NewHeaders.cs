using System.Globalization;
using System.Text;
using Dure.Storage.Store;
using Microsoft.Extensions.Primitives;

namespace Dure.Storage.S3;

/// <summary>Reads what the headers of a request say of the object that it makes.</summary>
internal static class NewHeaders
{
    private const string Meta = "x-amz-meta-";
    private const int MetadataBytesMax = 2048;

    private static readonly string[] StorageClasses =
    [
        "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE", "OUTPOSTS", "GLACIER_IR", "SNOW", "EXPRESS_ONEZONE",
    ];

    /// <summary>Everything that a put, a copy or an upload says besides its bytes and conditions.</summary>
    public static (NewObject? What, S3Error? Error) Read(S3Call call, WriteConditions conditions)
    {
        var (headers, wrong) = Of(call.Http.Request.Headers);
        if (headers is null)
            return (null, wrong);
        var (acl, badAcl) = Acl.OfHeaders(call);
        if (badAcl is not null)
            return (null, badAcl);
        var (tags, badTags) = Tags.OfHeader(call);
        return tags is null ? (null, badTags) : (new NewObject(call.Key, call.User, headers, acl ?? CannedAcl.Private, tags, conditions), null);
    }

    /// <summary>What is asked for and cannot be given; null when nothing.</summary>
    public static S3Error? Unsupported(S3Call call)
    {
        // Most requests have none of them, and each look-up costs.
        foreach (var (name, value) in call.Http.Request.Headers)
        {
            if (!name.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase))
                continue;
            if (name.StartsWith("x-amz-server-side-encryption", StringComparison.OrdinalIgnoreCase) || name.StartsWith("x-amz-copy-source-server-side-encryption", StringComparison.OrdinalIgnoreCase))
            {
                if (name.Equals("x-amz-server-side-encryption", StringComparison.OrdinalIgnoreCase) && value == "AES256")
                    continue;
                return S3Errors.NotImplemented("Server side encryption with keys of KMS or of the customer");
            }
            if (name.StartsWith("x-amz-object-lock-", StringComparison.OrdinalIgnoreCase))
                return S3Errors.InvalidRequest("Bucket is missing Object Lock Configuration");
            if (name.Equals("x-amz-write-offset-bytes", StringComparison.OrdinalIgnoreCase))
                return S3Errors.NotImplemented("Appending");
        }
        return null;
    }

    /// <summary>What headers, or the fields of a form, say.</summary>
    public static (ObjectHeaders? Headers, S3Error? Error) Of(IEnumerable<KeyValuePair<string, StringValues>> all)
    {
        string? type = null, cache = null, disposition = null, encoding = null, language = null, expires = null, redirect = null, storage = null;
        Dictionary<string, string>? metadata = null;
        var bytes = 0;
        foreach (var (name, values) in all)
        {
            if (name.StartsWith(Meta, StringComparison.OrdinalIgnoreCase))
            {
                var (key, value) = (name[Meta.Length..].ToLowerInvariant(), values.Count == 1 ? values[0] ?? "" : string.Join(',', values.ToArray()));
                bytes += key.Length + Encoding.UTF8.GetByteCount(value);
                (metadata ??= new(StringComparer.Ordinal))[key] = value;
                continue;
            }
            _ = name.ToLowerInvariant() switch
            {
                "content-type" => type = values,
                "cache-control" => cache = values,
                "content-disposition" => disposition = values,
                "content-encoding" => encoding = WithoutChunks(values.ToString()),
                "content-language" => language = values,
                "expires" => expires = values,
                "x-amz-website-redirect-location" => redirect = values,
                "x-amz-storage-class" => storage = values,
                _ => null,
            };
        }
        if (bytes > MetadataBytesMax)
        {
            return (null, new S3Error("MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size", new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Size"] = bytes.ToString(CultureInfo.InvariantCulture), ["MaxSizeAllowed"] = MetadataBytesMax.ToString(CultureInfo.InvariantCulture),
            }));
        }
        if (storage is { Length: > 0 } && !StorageClasses.Contains(storage, StringComparer.Ordinal))
            return (null, new S3Error("InvalidStorageClass", 400, "The storage class you specified is not valid"));
        return (Make(type, cache, disposition, encoding, language, expires, redirect, storage, metadata), null);
    }

    private static ObjectHeaders Make(string? type, string? cache, string? disposition, string? encoding, string? language, string? expires, string? redirect, string? storage,
        Dictionary<string, string>? metadata)
    {
        var headers = new ObjectHeaders
        {
            ContentType = OrNull(type),
            CacheControl = OrNull(cache),
            ContentDisposition = OrNull(disposition),
            ContentEncoding = OrNull(encoding),
            ContentLanguage = OrNull(language),
            Expires = OrNull(expires),
            WebsiteRedirectLocation = OrNull(redirect),
            StorageClass = storage is null or "" or "STANDARD" ? null : storage,
        };
        return metadata is null ? headers : headers with { Metadata = metadata };
    }

    private static string? OrNull(string? text) => text is { Length: > 0 } ? text : null;

    // How the bytes were sent is no property of the object.
    private static string? WithoutChunks(string encoding)
    {
        if (!encoding.Contains("aws-chunked", StringComparison.OrdinalIgnoreCase))
            return encoding;
        var kept = encoding.Split(',', StringSplitOptions.TrimEntries).Where(one => !one.Equals("aws-chunked", StringComparison.OrdinalIgnoreCase));
        return OrNull(string.Join(',', kept));
    }
}
