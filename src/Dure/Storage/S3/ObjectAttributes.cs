using System.Globalization;
using Dure.Storage.Store;

namespace Dure.Storage.S3;

/// <summary>GetObjectAttributes.</summary>
internal static class ObjectAttributes
{
    private const int PartsMax = 1000;
    private static readonly string[] Known = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];

    public static async Task<S3Error?> GetAsync(S3Call call)
    {
        var asked = call.Http.Request.Headers["x-amz-object-attributes"].SelectMany(value => (value ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).ToList();
        if (asked.Count == 0)
            return S3Errors.InvalidArgument("The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty");
        if (asked.Find(name => !Known.Contains(name, StringComparer.Ordinal)) is not null)
            return S3Errors.InvalidArgument("Invalid attribute name specified.");
        var (what, error) = await ObjectReads.FindAsync(call);
        if (what is null)
            return error;
        if (Conditions.Read(call, what) is { } stopped)
            return stopped;
        var (most, after) = (Header(call, "x-amz-max-parts", PartsMax), Header(call, "x-amz-part-number-marker", 0));
        if (most is null || after is null)
            return S3Errors.InvalidArgument("x-amz-max-parts and x-amz-part-number-marker are numbers.");
        call.SetVersion(what.VersionId);
        call.Http.Response.Headers.LastModified = what.ModifiedAt.ToString("R", CultureInfo.InvariantCulture);
        using var xml = new XmlText();
        xml.Root("GetObjectAttributesResponse");
        if (asked.Contains("ETag"))
            xml.Element("ETag", what.ETag);
        if (asked.Contains("Checksum") && what.Checksums.Count > 0)
        {
            xml.Open("Checksum");
            ChecksumXml.Write(xml, what.Checksums);
            xml.Close("Checksum");
        }
        if (asked.Contains("ObjectParts") && what.Parts.Count > 0)
            Parts(xml, what, Math.Min(most.Value, PartsMax), after.Value);
        if (asked.Contains("StorageClass"))
            xml.Element("StorageClass", what.Headers.StorageClass ?? "STANDARD");
        if (asked.Contains("ObjectSize"))
            xml.Element("ObjectSize", what.Size);
        xml.Close("GetObjectAttributesResponse");
        return await call.AnswerAsync(xml);
    }

    private static void Parts(XmlText xml, StoredObject what, int most, int after)
    {
        var some = what.Parts.Where(part => part.Number > after).Take(most).ToList();
        var more = some.Count > 0 && some[^1].Number < what.Parts[^1].Number;
        xml.Open("ObjectParts").Element("PartsCount", what.Parts.Count).Element("PartNumberMarker", after)
            .Element("NextPartNumberMarker", some.Count > 0 ? some[^1].Number : after).Element("MaxParts", most).Element("IsTruncated", more);
        // As S3 does: parts are told one by one where each has a checksum of its own.
        foreach (var part in some.Where(part => part.Checksums.Count > 0))
        {
            xml.Open("Part").Element("PartNumber", part.Number).Element("Size", part.Size);
            ChecksumXml.Write(xml, part.Checksums, type: false);
            xml.Close("Part");
        }
        xml.Close("ObjectParts");
    }

    private static int? Header(S3Call call, string name, int fallback) => call.Header(name) is not { } text ? fallback
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
