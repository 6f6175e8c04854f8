using System.Globalization;
using Dure.Storage.Checksums;
using Dure.Storage.Signing;
using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>One request on its way through the endpoint.</summary>
internal sealed class S3Call(HttpContext http, S3Request request, VerifiedRequest verified, S3Operation operation, StoreServices services)
{
    public HttpContext Http { get; } = http;

    public S3Request Request { get; } = request;

    public VerifiedRequest Verified { get; } = verified;

    public S3Operation Operation { get; } = operation;

    public StoreServices Services { get; } = services;

    public ObjectStore Store => Services.Store;

    /// <summary>Null for an anonymous request.</summary>
    public AccessKey? Who => Verified.Key;

    /// <summary>Owner of what the request makes.</summary>
    public string User => Who?.User ?? "anonymous";

    /// <summary>Of the request; only asked where the operation needs one.</summary>
    public Bucket Bucket { get; set; } = null!;

    public string BucketName => Request.Bucket!;

    /// <summary>Only asked by operations on objects.</summary>
    public string Key => Request.Key!;

    /// <summary>The caller may read if the object's own list says so.</summary>
    public bool AskObject { get; set; }

    public S3Query Query => Request.Query;

    public CancellationToken Cancel => Http.RequestAborted;

    /// <summary>A header's value; null when it is missing or empty.</summary>
    public string? Header(string name) => Http.Request.Headers.TryGetValue(name, out var value) && value.ToString() is { Length: > 0 } text ? text : null;

    public void Set(string name, string value) => Http.Response.Headers[name] = value;

    /// <summary>Answers with a status and no body.</summary>
    public S3Error? Answer(int status)
    {
        Http.Response.StatusCode = status;
        if (status != StatusCodes.Status204NoContent && status != StatusCodes.Status304NotModified)
            Http.Response.ContentLength ??= 0;
        return null;
    }

    /// <summary>Answers with XML.</summary>
    public async Task<S3Error?> AnswerAsync(XmlText xml, int status = 200)
    {
        Http.Response.StatusCode = status;
        Http.Response.ContentType = "application/xml";
        Http.Response.ContentLength = xml.Written.Length;
        await Http.Response.BodyWriter.WriteAsync(xml.Written, Cancel);
        return null;
    }

    /// <summary>Tells which version it is, where the bucket has ever kept versions.</summary>
    public void SetVersion(string? versionId, string name = "x-amz-version-id")
    {
        if (versionId is not null && Bucket.Versioning != Versioning.Off)
            Set(name, versionId);
    }

    public void SetChecksums(IReadOnlyList<ObjectChecksum> checksums)
    {
        for (var i = 0; i < checksums.Count; i++)
            Set(ChecksumNames.Header(checksums[i].Kind), checksums[i].Value);
        if (checksums.Count > 0)
            Set("x-amz-checksum-type", ChecksumXml.Of(checksums[0].Type));
    }

    /// <summary>A number of the query.</summary>
    /// <returns>The default where it is missing; an error where it is no number in the range.</returns>
    public (int Value, S3Error? Error) Number(string name, int fallback, int low, int high)
    {
        if (Query[name] is not { } text)
            return (fallback, null);
        if (text.Length == 0 && fallback > 0)
            return (fallback, null);
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= low
            ? (Math.Min(value, high), value > high && name == "partNumber" ? S3Errors.InvalidArgument("Part number must be an integer between 1 and 10000, inclusive", name, text) : null)
            : (0, S3Errors.InvalidArgument(name == "partNumber" ? "Part number must be an integer between 1 and 10000, inclusive" : $"Provided {name} not an integer or within integer range", name, text));
    }
}

/// <summary>What every call works with.</summary>
/// <param name="Region">That clients sign for.</param>
/// <param name="Domain">Of virtual hosts; null for none.</param>
/// <param name="UploadLimit">Bytes of an object.</param>
/// <param name="Forms">Verifies uploads by forms.</param>
internal sealed record StoreServices(ObjectStore Store, RequestVerifier Verifier, PostPolicy Forms, string Region, string? Domain, long UploadLimit, TimeProvider Time);
