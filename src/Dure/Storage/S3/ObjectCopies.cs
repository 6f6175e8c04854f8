using System.Globalization;
using Dure.Storage.Checksums;
using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>CopyObject and UploadPartCopy.</summary>
internal static class ObjectCopies
{
    private const string ToItself = "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, "
        + "website redirect location or encryption attributes.";

    public static async Task<S3Error?> CopyAsync(S3Call call)
    {
        if (NewHeaders.Unsupported(call) is { } unsupported)
            return unsupported;
        var (replaceHeaders, badDirective) = Directive(call, "x-amz-metadata-directive");
        var (replaceTags, badTagging) = Directive(call, "x-amz-tagging-directive");
        if ((badDirective ?? badTagging) is { } bad)
            return bad;
        var (conditions, wrong) = Conditions.Write(call);
        if (wrong is not null)
            return wrong;
        var (what, error) = NewHeaders.Read(call, conditions);
        if (what is null)
            return error;
        var (kinds, unknown) = Kinds(call);
        if (unknown is not null)
            return unknown;
        var (source, from, versionId, missing) = await CopySource.FindAsync(call);
        if (source is null)
            return missing;
        if (source.Size > ObjectWrites.PutMax)
            return S3Errors.InvalidRequest($"The specified copy source is larger than the maximum allowable size for a copy source: {ObjectWrites.PutMax}");
        var changes = replaceHeaders || what.Headers.StorageClass != null || what.Headers.WebsiteRedirectLocation != null || call.Header("x-amz-server-side-encryption") is not null;
        if (from!.Id == call.Bucket.Id && source.Key == call.Key && versionId is null && !changes)
            return S3Errors.InvalidRequest(ToItself);
        what = what with
        {
            Headers = replaceHeaders ? what.Headers : source.Headers with { StorageClass = what.Headers.StorageClass, WebsiteRedirectLocation = what.Headers.WebsiteRedirectLocation },
            Tags = replaceTags ? what.Tags : source.Tags,
        };
        var copied = await call.Store.CopyAsync(source, call.BucketName, what, kinds ?? [.. source.Checksums.Select(checksum => checksum.Kind)], call.Cancel);
        if (copied.Fault is { } fault)
            return S3Errors.Of(fault);
        var made = copied.Value!;
        call.SetVersion(made.VersionId);
        if (from.Versioning != Versioning.Off)
            call.Set("x-amz-copy-source-version-id", source.VersionId);
        using var xml = new XmlText();
        xml.Root("CopyObjectResult").Element("LastModified", made.ModifiedAt).Element("ETag", $"\"{made.ETag}\"");
        ChecksumXml.Write(xml, made.Checksums);
        xml.Close("CopyObjectResult");
        return await call.AnswerAsync(xml);
    }

    public static async Task<S3Error?> CopyPartAsync(S3Call call)
    {
        var (number, wrong) = call.Number("partNumber", 0, 1, Multipart.PartsMax);
        if (wrong is not null || number == 0)
            return wrong ?? S3Errors.InvalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber");
        var (source, from, _, missing) = await CopySource.FindAsync(call);
        if (source is null)
            return missing;
        var (offset, length) = (0L, source.Size);
        if (call.Header("x-amz-copy-source-range") is { } text)
        {
            if (ByteRange.ParseExact(text) is not var (first, last))
            {
                return S3Errors.InvalidArgument("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
                    "x-amz-copy-source-range", text);
            }
            if (last >= source.Size)
                return S3Errors.InvalidArgument(string.Create(CultureInfo.InvariantCulture, $"Range specified is not valid for source object of size: {source.Size}"), "x-amz-copy-source-range", text);
            (offset, length) = (first, last - first + 1);
        }
        if (length > ObjectWrites.PutMax)
            return S3Errors.InvalidRequest($"The specified copy source is larger than the maximum allowable size for a copy source: {ObjectWrites.PutMax}");
        var copied = await call.Store.CopyPartAsync(source, offset, length, call.BucketName, call.Key, call.Query["uploadId"]!, number, call.Cancel);
        if (copied.Fault is { } fault)
            return S3Errors.Of(fault);
        var part = copied.Value!;
        if (from!.Versioning != Versioning.Off)
            call.Set("x-amz-copy-source-version-id", source.VersionId);
        using var xml = new XmlText();
        xml.Root("CopyPartResult").Element("LastModified", part.ModifiedAt).Element("ETag", $"\"{part.ETag}\"");
        ChecksumXml.Write(xml, part.Checksums, type: false);
        xml.Close("CopyPartResult");
        return await call.AnswerAsync(xml);
    }

    /// <summary>The checksums that a request asks for by name; null when it names none.</summary>
    private static (IReadOnlyList<ChecksumKind>? Kinds, S3Error? Error) Kinds(S3Call call) =>
        call.Header("x-amz-checksum-algorithm") is not { } name ? (null, null)
        : ChecksumNames.TryParseWord(name, out var kind) ? ([kind], null)
        : (null, S3Errors.InvalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"));

    private static (bool Replace, S3Error? Error) Directive(S3Call call, string name) => call.Header(name) switch
    {
        null or "COPY" => (false, null),
        "REPLACE" => (true, null),
        var other => (false, S3Errors.InvalidArgument("Unknown metadata directive.", name, other)),
    };
}
