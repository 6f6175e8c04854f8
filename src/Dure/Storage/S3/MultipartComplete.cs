using System.Globalization;
using System.Xml.Linq;
using Dure.Storage.Checksums;
using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>CompleteMultipartUpload.</summary>
internal static class MultipartComplete
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly byte[] Declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"u8.ToArray();
    private static readonly byte[] Space = " "u8.ToArray();

    public static async Task<S3Error?> CompleteAsync(S3Call call)
    {
        var (conditions, wrong) = Conditions.Write(call);
        if (wrong is not null)
            return wrong;
        var (parts, malformed) = await ReadAsync(call);
        if (parts is null)
            return malformed;
        var uploadId = call.Query["uploadId"]!;
        var found = await call.Store.FindUploadAsync(call.BucketName, call.Key, uploadId, call.Cancel);
        if (found.Fault is { } missing and not StoreFault.NoSuchUpload)
            return S3Errors.Of(missing);
        // One that is complete already is no longer found; who asks again, because the answer was lost, gets it again from the store.
        var whole = found.Value is { } upload ? Whole(call, upload) : null;
        // Whoever hangs up while it is made would not know whether it was.
        var completing = call.Store.CompleteAsync(call.BucketName, call.Key, uploadId, parts, whole, conditions, CancellationToken.None).AsTask();
        var started = await WaitAsync(call, completing);
        var completed = await completing;
        if (completed.Fault is { } fault)
        {
            if (!started)
                return S3Errors.Of(fault);
            using var failed = new XmlText(declaration: false);
            S3Endpoint.WriteError(failed, S3Errors.Of(fault), call.Http.Request.Path, call.Http.Response.Headers["x-amz-request-id"].ToString());
            await call.Http.Response.BodyWriter.WriteAsync(failed.Written, call.Cancel);
            return null;
        }
        var made = completed.Value!;
        using var xml = new XmlText(declaration: !started);
        xml.Root("CompleteMultipartUploadResult").Element("Location", $"{call.Http.Request.Scheme}://{call.Http.Request.Host}{call.Http.Request.Path.ToUriComponent()}")
            .Element("Bucket", call.BucketName).Element("Key", call.Key).Element("ETag", $"\"{made.ETag}\"");
        ChecksumXml.Write(xml, made.Checksums);
        xml.Close("CompleteMultipartUploadResult");
        if (!started)
        {
            call.SetVersion(made.VersionId);
            return await call.AnswerAsync(xml);
        }
        await call.Http.Response.BodyWriter.WriteAsync(xml.Written, call.Cancel);
        return null;
    }

    /// <summary>Keeps the connection while the object is made: after a while the answer begins, and goes on with spaces. Errors are in the document then, as S3's are.</summary>
    /// <returns>Whether the answer has begun.</returns>
    private static async ValueTask<bool> WaitAsync(S3Call call, Task completing)
    {
        var begun = false;
        while (!completing.IsCompleted)
        {
            using var enough = new CancellationTokenSource();
            if (await Task.WhenAny(completing, Task.Delay(Patience, call.Services.Time, enough.Token)) == completing)
            {
                await enough.CancelAsync();
                break;
            }
            call.Http.Response.ContentType = "application/xml";
            await call.Http.Response.BodyWriter.WriteAsync(begun ? Space : Declaration, call.Cancel);
            begun = true;
        }
        return begun;
    }

    private static async ValueTask<(List<NamedPart>? Parts, S3Error? Error)> ReadAsync(S3Call call)
    {
        var (root, error) = await ReadClaimFreeAsync(call);
        if (root is null)
            return (null, error);
        if (root.Name.LocalName != "CompleteMultipartUpload")
            return (null, S3Errors.MalformedXml);
        var parts = new List<NamedPart>();
        foreach (var element in root.Elements())
        {
            if (element.Name.LocalName != "Part" || XmlBody.Text(element, "ETag") is not { Length: > 0 } tag
                || !int.TryParse(XmlBody.Text(element, "PartNumber"), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return (null, S3Errors.MalformedXml);
            if (number is < 1 or > Multipart.PartsMax)
                return (null, S3Errors.InvalidArgument("PartNumber must be >= 1 and <= 10000", "PartNumber"));
            if (parts.Count > 0 && parts[^1].Number >= number)
                return (null, S3Errors.InvalidPartOrder);
            parts.Add(new NamedPart(number, Conditions.Bare(tag)!, Claims(element)));
        }
        return parts.Count > 0 ? (parts, null) : (null, S3Errors.MalformedXml);
    }

    // The checksum headers of this request are those of the object, not of the document.
    private static async ValueTask<(XElement? Root, S3Error? Error)> ReadClaimFreeAsync(S3Call call)
    {
        var (bytes, error) = await XmlBody.BytesAsync(call, ofBody: false);
        if (bytes is null)
            return (null, error);
        return XmlBody.Parse(new MemoryStream(bytes)) is { } root ? (root, null) : (null, S3Errors.MalformedXml);
    }

    private static List<(ChecksumKind Kind, string Value)> Claims(XElement part)
    {
        var claims = new List<(ChecksumKind, string)>();
        foreach (var kind in ChecksumNames.All)
        {
            if (XmlBody.Text(part, ChecksumXml.Element(kind)) is { Length: > 0 } value)
                claims.Add((kind, value));
        }
        return claims;
    }

    private static ObjectChecksum? Whole(S3Call call, Upload upload)
    {
        foreach (var kind in ChecksumNames.All)
        {
            if (call.Header(ChecksumNames.Header(kind)) is { } value)
            {
                var type = value.Contains('-', StringComparison.Ordinal) || call.Header("x-amz-checksum-type") == "COMPOSITE" ? ChecksumType.Composite
                    : call.Header("x-amz-checksum-type") == "FULL_OBJECT" ? ChecksumType.FullObject : upload.ChecksumType ?? ChecksumType.FullObject;
                return new ObjectChecksum(kind, type, value);
            }
        }
        return null;
    }
}
