using Dure.Storage.Checksums;
using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>Lists keys (version 1 and 2) and versions.</summary>
internal static class Listings
{
    private const int PageMax = 1000;

    public static async Task<S3Error?> Version1Async(S3Call call)
    {
        var (most, encode, error) = Common(call);
        if (error is not null)
            return error;
        var (prefix, delimiter, marker) = (call.Query["prefix"] ?? "", call.Query["delimiter"] ?? "", call.Query["marker"] ?? "");
        var listed = await ListAsync(call, new ListKeys(prefix, delimiter, marker, most));
        if (listed.Fault is { } fault)
            return S3Errors.Of(fault);
        var page = listed.Value!;
        using var xml = new XmlText();
        Begin(xml, "ListBucketResult", call, prefix, delimiter, most, encode);
        xml.Element("Marker", encode(marker)).Element("IsTruncated", page.Next is not null);
        // Without a delimiter the last key is where to go on, and S3 does not repeat it; saying it does no harm to those who look.
        if (page.Next is not null && delimiter.Length > 0)
            xml.Element("NextMarker", encode(page.Next));
        Keys(xml, page, encode, owner: true);
        xml.Close("ListBucketResult");
        return await call.AnswerAsync(xml);
    }

    public static async Task<S3Error?> Version2Async(S3Call call)
    {
        var (most, encode, error) = Common(call);
        if (error is not null)
            return error;
        var (prefix, delimiter, token, start) = (call.Query["prefix"] ?? "", call.Query["delimiter"] ?? "", call.Query["continuation-token"], call.Query["start-after"]);
        if (token is { Length: 0 })
            return S3Errors.InvalidArgument("The continuation token provided is incorrect", "continuation-token");
        var (after, bad) = BucketOperations.Marker(token);
        if (bad is not null)
            return bad;
        var listed = await ListAsync(call, new ListKeys(prefix, delimiter, token is null ? start ?? "" : after, most));
        if (listed.Fault is { } fault)
            return S3Errors.Of(fault);
        var page = listed.Value!;
        using var xml = new XmlText();
        Begin(xml, "ListBucketResult", call, prefix, delimiter, most, encode);
        xml.Element("KeyCount", page.Objects.Count + page.CommonPrefixes.Count).Element("IsTruncated", page.Next is not null);
        xml.Optional("ContinuationToken", token);
        if (page.Next is not null)
            xml.Element("NextContinuationToken", BucketOperations.Token(page.Next));
        if (start is not null)
            xml.Element("StartAfter", encode(start));
        Keys(xml, page, encode, owner: call.Query["fetch-owner"] == "true");
        xml.Close("ListBucketResult");
        return await call.AnswerAsync(xml);
    }

    public static async Task<S3Error?> VersionsAsync(S3Call call)
    {
        var (most, encode, error) = Common(call);
        if (error is not null)
            return error;
        var (prefix, delimiter) = (call.Query["prefix"] ?? "", call.Query["delimiter"] ?? "");
        var (keyMarker, versionMarker) = (call.Query["key-marker"] ?? "", call.Query["version-id-marker"] ?? "");
        if (versionMarker.Length > 0 && keyMarker.Length == 0)
            return S3Errors.InvalidArgument("A version-id marker cannot be specified without a key marker.", "version-id-marker", versionMarker);
        var page = new VersionPage([], [], null, null);
        if (most > 0)
        {
            var listed = await call.Store.ListVersionsAsync(call.BucketName, new ListVersions(prefix, delimiter, keyMarker, versionMarker, most), call.Cancel);
            if (listed.Fault is { } fault)
                return S3Errors.Of(fault);
            page = listed.Value!;
        }
        using var xml = new XmlText();
        Begin(xml, "ListVersionsResult", call, prefix, delimiter, most, encode);
        xml.Element("KeyMarker", encode(keyMarker)).Element("VersionIdMarker", versionMarker).Element("IsTruncated", page.NextKey is not null);
        if (page.NextKey is not null)
            xml.Element("NextKeyMarker", encode(page.NextKey)).Optional("NextVersionIdMarker", page.NextVersion);
        foreach (var version in page.Versions)
        {
            var name = version.IsDeleteMarker ? "DeleteMarker" : "Version";
            xml.Open(name).Element("Key", encode(version.Key)).Element("VersionId", version.VersionId).Element("IsLatest", version.IsLatest).Element("LastModified", version.ModifiedAt);
            if (!version.IsDeleteMarker)
                Facts(xml, version);
            xml.Owner("Owner", version.Owner).Close(name);
        }
        Prefixes(xml, page.CommonPrefixes, encode);
        xml.Close("ListVersionsResult");
        return await call.AnswerAsync(xml);
    }

    /// <summary>What all listings are asked: how many, and whether names are to be encoded.</summary>
    public static (int Most, Func<string, string> Encode, S3Error? Error) Common(S3Call call, string name = "max-keys")
    {
        var (most, error) = call.Number(name, PageMax, 0, PageMax);
        return call.Query["encoding-type"] switch
        {
            null or "" => (most, text => text, error),
            "url" => (most, S3Query.Encode, error),
            var other => (0, text => text, error ?? S3Errors.InvalidArgument("Invalid Encoding Method specified in Request", "encoding-type", other)),
        };
    }

    public static void Prefixes(XmlText xml, IReadOnlyList<string> prefixes, Func<string, string> encode)
    {
        foreach (var prefix in prefixes)
            xml.Open("CommonPrefixes").Element("Prefix", encode(prefix)).Close("CommonPrefixes");
    }

    private static async ValueTask<Stored<KeyPage>> ListAsync(S3Call call, ListKeys what) =>
        what.Limit == 0 ? new KeyPage([], [], null) : await call.Store.ListAsync(call.BucketName, what, call.Cancel);

    private static void Begin(XmlText xml, string root, S3Call call, string prefix, string delimiter, int most, Func<string, string> encode)
    {
        xml.Root(root).Element("Name", call.BucketName).Element("Prefix", encode(prefix)).Element("MaxKeys", most);
        if (delimiter.Length > 0)
            xml.Element("Delimiter", encode(delimiter));
        if (call.Query["encoding-type"] is { Length: > 0 } encoding)
            xml.Element("EncodingType", encoding);
    }

    private static void Keys(XmlText xml, KeyPage page, Func<string, string> encode, bool owner)
    {
        foreach (var one in page.Objects)
        {
            xml.Open("Contents").Element("Key", encode(one.Key)).Element("LastModified", one.ModifiedAt);
            Facts(xml, one);
            if (owner)
                xml.Owner("Owner", one.Owner);
            xml.Close("Contents");
        }
        Prefixes(xml, page.CommonPrefixes, encode);
    }

    private static void Facts(XmlText xml, StoredObject one)
    {
        xml.Open("ETag").Raw("&quot;").Raw(one.ETag).Raw("&quot;").Close("ETag");
        foreach (var checksum in one.Checksums)
            xml.Element("ChecksumAlgorithm", ChecksumNames.Word(checksum.Kind));
        if (one.Checksums.Count > 0)
            xml.Element("ChecksumType", ChecksumXml.Of(one.Checksums[0].Type));
        xml.Element("Size", one.Size).Element("StorageClass", one.Headers.StorageClass ?? "STANDARD");
    }
}
