using System.Globalization;
using Dure.Storage.Signing;
using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>GetObject and HeadObject.</summary>
internal static class ObjectReads
{
    private static readonly (string Query, string Header)[] Overrides =
    [
        ("response-content-type", "Content-Type"), ("response-content-language", "Content-Language"), ("response-expires", "Expires"), ("response-cache-control", "Cache-Control"),
        ("response-content-disposition", "Content-Disposition"), ("response-content-encoding", "Content-Encoding"),
    ];

    public static Task<S3Error?> GetAsync(S3Call call) => ReadAsync(call, withBody: true);

    public static Task<S3Error?> HeadAsync(S3Call call) => ReadAsync(call, withBody: false);

    /// <summary>Finds what the request names and looks whether the caller may read it; a delete marker is told as S3 tells it.</summary>
    public static async ValueTask<(StoredObject? What, S3Error? Error)> FindAsync(S3Call call)
    {
        var versionId = call.Query["versionId"];
        if (versionId is { Length: 0 })
            return (null, S3Errors.InvalidArgument("Version id cannot be the empty string", "versionId"));
        var found = await call.Store.FindAsync(call.BucketName, call.Key, versionId, call.Cancel);
        if (found.Fault is { } fault)
        {
            // Who may not list is not told that there is nothing.
            if (fault is StoreFault.NoSuchKey or StoreFault.NoSuchVersion && !Access.MayList(call.Who, call.Bucket))
                return (null, S3Errors.AccessDenied);
            return (null, S3Errors.Of(fault) with { Details = Named(call, versionId) });
        }
        var what = found.Value!;
        if (call.AskObject && !Access.MayRead(call.Who, what))
            return (null, S3Errors.AccessDenied);
        if (!what.IsDeleteMarker)
            return (what, null);
        call.Set("x-amz-delete-marker", "true");
        call.SetVersion(what.VersionId);
        if (versionId is null)
            return (null, S3Errors.NoSuchKey with { Details = Named(call, null) });
        call.Http.Response.Headers.Allow = "DELETE";
        call.Http.Response.Headers.LastModified = what.ModifiedAt.ToString("R", CultureInfo.InvariantCulture);
        return (null, S3Errors.MethodNotAllowed);
    }

    private static async Task<S3Error?> ReadAsync(S3Call call, bool withBody)
    {
        var query = call.Query;
        if (call.Verified.Key is null && query.Pairs.Any(pair => pair.Name.StartsWith("response-", StringComparison.Ordinal)))
            return S3Errors.InvalidRequest("Request specific response headers cannot be used for anonymous GET requests.");
        if (call.Header("x-amz-server-side-encryption-customer-algorithm") is not null)
            return S3Errors.NotImplemented("Server side encryption with a customer's key");
        var (what, error) = await FindAsync(call);
        if (what is null)
            return error;
        if (Conditions.Read(call, what) is { } stopped)
        {
            if (stopped.Status == StatusCodes.Status304NotModified)
                Validators(call, what);
            return stopped;
        }
        var (span, wrong) = Span(call, what);
        if (wrong is not null)
            return wrong;
        Headers(call, what, span);
        call.Http.Response.ContentLength = span.Length;
        call.Http.Response.StatusCode = span.IsPartial ? StatusCodes.Status206PartialContent : StatusCodes.Status200OK;
        if (!withBody || span.Length == 0)
            return null;
        var opened = await call.Store.OpenAsync(what, span.Offset, span.Length, call.Cancel);
        if (opened.Fault is { } fault)
            return S3Errors.Of(fault);
        await using var reader = opened.Value!;
        if (!await reader.CheckFirstAsync(call.Cancel))
            return S3Errors.InternalError;
        if (!await reader.CopyToAsync(call.Http.Response.BodyWriter, call.Cancel))
            call.Http.Abort();
        return null;
    }

    private static void Validators(S3Call call, StoredObject what)
    {
        var headers = call.Http.Response.Headers;
        headers.ETag = $"\"{what.ETag}\"";
        headers.LastModified = what.ModifiedAt.ToString("R", CultureInfo.InvariantCulture);
        call.SetVersion(what.VersionId);
    }

    private static void Headers(S3Call call, StoredObject what, ByteSpan span)
    {
        Validators(call, what);
        var (headers, kept) = (call.Http.Response.Headers, what.Headers);
        headers.AcceptRanges = "bytes";
        headers.ContentType = kept.ContentType ?? "binary/octet-stream";
        if (kept.CacheControl is not null)
            headers.CacheControl = kept.CacheControl;
        if (kept.ContentDisposition is not null)
            headers.ContentDisposition = kept.ContentDisposition;
        if (kept.ContentEncoding is not null)
            headers.ContentEncoding = kept.ContentEncoding;
        if (kept.ContentLanguage is not null)
            headers.ContentLanguage = kept.ContentLanguage;
        if (kept.Expires is not null)
            headers.Expires = kept.Expires;
        if (kept.StorageClass is not null)
            call.Set("x-amz-storage-class", kept.StorageClass);
        if (kept.WebsiteRedirectLocation is not null)
            call.Set("x-amz-website-redirect-location", kept.WebsiteRedirectLocation);
        foreach (var (name, value) in kept.Metadata)
            call.Set("x-amz-meta-" + name, value);
        if (what.Tags.Count > 0)
            call.Set("x-amz-tagging-count", what.Tags.Count.ToString(CultureInfo.InvariantCulture));
        if (span.IsPartial)
            headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {span.Offset}-{span.Offset + span.Length - 1}/{what.Size}");
        if (span.Part is not null && what.Parts.Count > 0)
            call.Set("x-amz-mp-parts-count", what.Parts.Count.ToString(CultureInfo.InvariantCulture));
        if (call.Header("x-amz-checksum-mode")?.Equals("ENABLED", StringComparison.OrdinalIgnoreCase) == true)
        {
            if (span.Part is { } part && what.Parts.Count > 0)
                call.SetChecksums(part.Checksums);
            else if (!span.IsPartial || span.Part is not null)
                call.SetChecksums(what.Checksums);
        }
        foreach (var (name, header) in Overrides)
        {
            if (call.Query[name] is { } value)
                headers[header] = value;
        }
    }

    /// <summary>The bytes that are asked for by part number or by range.</summary>
    private static (ByteSpan Span, S3Error? Error) Span(S3Call call, StoredObject what)
    {
        var whole = new ByteSpan(0, what.Size, false, null);
        var range = call.Header("Range");
        if (call.Query["partNumber"] is not null)
        {
            var (number, wrong) = call.Number("partNumber", 1, 1, 10_000);
            if (wrong is not null)
                return (whole, wrong);
            return range is not null ? (whole, S3Errors.InvalidRequest("Cannot specify both Range header and partNumber query parameter")) : Part(what, number);
        }
        if (range is null || (call.Header("If-Range") is { } still && !Holds(still, what)))
            return (whole, null);
        if (ByteRange.Parse(range, what.Size) is not { } asked)
            return (whole, null);
        if (asked.Length > 0)
            return (new ByteSpan(asked.Offset, asked.Length, true, null), null);
        call.Http.Response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{what.Size}");
        return (whole, new S3Error("InvalidRange", StatusCodes.Status416RangeNotSatisfiable, "The requested range is not satisfiable", new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["RangeRequested"] = range, ["ActualObjectSize"] = what.Size.ToString(CultureInfo.InvariantCulture),
        }));
    }

    private static (ByteSpan Span, S3Error? Error) Part(StoredObject what, int number)
    {
        var count = Math.Max(what.Parts.Count, 1);
        if (number > count)
        {
            return (default, new S3Error("InvalidPartNumber", StatusCodes.Status416RangeNotSatisfiable, "The requested partnumber is not satisfiable", new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["PartNumberRequested"] = number.ToString(CultureInfo.InvariantCulture), ["ActualPartCount"] = count.ToString(CultureInfo.InvariantCulture),
            }));
        }
        if (what.Parts.Count == 0)
            return (new ByteSpan(0, what.Size, what.Size > 0, new StoredPart(1, what.Size, what.ETag, what.Checksums)), null);
        var offset = 0L;
        for (var i = 0; i < number - 1; i++)
            offset += what.Parts[i].Size;
        var part = what.Parts[number - 1];
        return (new ByteSpan(offset, part.Size, part.Size > 0, part), null);
    }

    private static bool Holds(string ifRange, StoredObject what) => ifRange is ['"', ..] or ['W', '/', ..]
        ? Conditions.Names(ifRange, what.ETag)
        : Conditions.Time(ifRange) is { } time && what.ModifiedAt.ToUnixTimeSeconds() <= time.ToUnixTimeSeconds();

    private static Dictionary<string, string> Named(S3Call call, string? versionId)
    {
        var details = new Dictionary<string, string>(StringComparer.Ordinal) { ["Key"] = call.Key };
        if (versionId is not null)
            details["VersionId"] = versionId;
        return details;
    }

    private readonly record struct ByteSpan(long Offset, long Length, bool IsPartial, StoredPart? Part);
}
