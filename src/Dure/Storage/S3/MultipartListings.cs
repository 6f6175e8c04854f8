using Dure.Storage.Checksums;
using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>ListParts and ListMultipartUploads.</summary>
internal static class MultipartListings
{
    private const int PageMax = 1000;

    public static async Task<S3Error?> PartsAsync(S3Call call)
    {
        var (most, encode, error) = Listings.Common(call, "max-parts");
        var (after, wrong) = call.Number("part-number-marker", 0, 0, int.MaxValue);
        if ((error ?? wrong) is { } bad)
            return bad;
        var id = call.Query["uploadId"]!;
        var found = await call.Store.FindUploadAsync(call.BucketName, call.Key, id, call.Cancel);
        if (found.Fault is { } missing)
            return S3Errors.Of(missing);
        var upload = found.Value!;
        var listed = await call.Store.ListPartsAsync(call.BucketName, call.Key, id, after, Math.Min(most, PageMax) + 1, call.Cancel);
        if (listed.Fault is { } fault)
            return S3Errors.Of(fault);
        var parts = listed.Value!.Take(most).ToList();
        using var xml = new XmlText();
        xml.Root("ListPartsResult").Element("Bucket", call.BucketName).Element("Key", encode(call.Key)).Element("UploadId", id)
            .Element("PartNumberMarker", after).Element("NextPartNumberMarker", parts.Count > 0 ? parts[^1].Number : 0)
            .Element("MaxParts", most).Element("IsTruncated", listed.Value!.Count > most);
        if (upload.ChecksumKind is { } kind)
            xml.Element("ChecksumAlgorithm", ChecksumNames.Word(kind)).Element("ChecksumType", ChecksumXml.Of(upload.ChecksumType ?? ChecksumType.Composite));
        foreach (var part in parts)
        {
            xml.Open("Part").Element("PartNumber", part.Number).Element("LastModified", part.ModifiedAt).Element("ETag", $"\"{part.ETag}\"").Element("Size", part.Size);
            ChecksumXml.Write(xml, part.Checksums, type: false);
            xml.Close("Part");
        }
        xml.Owner("Initiator", upload.Owner).Owner("Owner", upload.Owner).Element("StorageClass", upload.Headers.StorageClass ?? "STANDARD").Close("ListPartsResult");
        return await call.AnswerAsync(xml);
    }

    public static async Task<S3Error?> UploadsAsync(S3Call call)
    {
        var (most, encode, error) = Listings.Common(call, "max-uploads");
        if (error is not null)
            return error;
        var (prefix, delimiter) = (call.Query["prefix"] ?? "", call.Query["delimiter"] ?? "");
        var (keyMarker, uploadMarker) = (call.Query["key-marker"] ?? "", call.Query["upload-id-marker"] ?? "");
        var page = new UploadPage([], [], null, null);
        if (most > 0)
        {
            var listed = await call.Store.ListUploadsAsync(call.BucketName, new ListUploads(prefix, delimiter, keyMarker, keyMarker.Length == 0 ? "" : uploadMarker, most), call.Cancel);
            if (listed.Fault is { } fault)
                return S3Errors.Of(fault);
            page = listed.Value!;
        }
        using var xml = new XmlText();
        xml.Root("ListMultipartUploadsResult").Element("Bucket", call.BucketName).Element("KeyMarker", encode(keyMarker)).Element("UploadIdMarker", uploadMarker);
        if (page.NextKey is not null)
            xml.Element("NextKeyMarker", encode(page.NextKey)).Optional("NextUploadIdMarker", page.NextUpload);
        xml.Element("Prefix", encode(prefix));
        if (delimiter.Length > 0)
            xml.Element("Delimiter", encode(delimiter));
        if (call.Query["encoding-type"] is { Length: > 0 } encoding)
            xml.Element("EncodingType", encoding);
        xml.Element("MaxUploads", most).Element("IsTruncated", page.NextKey is not null);
        foreach (var upload in page.Uploads)
        {
            xml.Open("Upload").Element("Key", encode(upload.Key)).Element("UploadId", upload.Id).Owner("Initiator", upload.Owner).Owner("Owner", upload.Owner)
                .Element("StorageClass", upload.Headers.StorageClass ?? "STANDARD").Element("Initiated", upload.StartedAt);
            if (upload.ChecksumKind is { } kind)
                xml.Element("ChecksumAlgorithm", ChecksumNames.Word(kind)).Element("ChecksumType", ChecksumXml.Of(upload.ChecksumType ?? ChecksumType.Composite));
            xml.Close("Upload");
        }
        Listings.Prefixes(xml, page.CommonPrefixes, encode);
        xml.Close("ListMultipartUploadsResult");
        return await call.AnswerAsync(xml);
    }
}
