using System.Globalization;
using System.Xml;

namespace Dure.Storage.Providers;

/// <summary>Reads the answer of List Blobs.</summary>
internal static class AzureListing
{
    private static readonly XmlReaderSettings Strict = new() { Async = true, DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, IgnoreWhitespace = false };

    /// <param name="prefixLength">Letters of the configured prefix, which is taken off each name.</param>
    /// <exception cref="XmlException">It is not what it should be.</exception>
    public static async Task<ObjectsPage> ReadAsync(Stream body, int prefixLength, CancellationToken cancel)
    {
        using var xml = XmlReader.Create(body, Strict);
        var found = new List<ObjectFacts>();
        var next = "";
        ObjectFacts? blob = null;
        while (await xml.ReadAsync())
        {
            cancel.ThrowIfCancellationRequested();
            if (xml.NodeType == XmlNodeType.EndElement && xml.Name == "Blob")
            {
                found.Add(blob!);
                blob = null;
            }
            else if (xml.NodeType == XmlNodeType.Element && xml.Name == "NextMarker")
            {
                next = await TextAsync(xml);
            }
            else if (xml.NodeType == XmlNodeType.Element && xml.Name == "Blob")
            {
                blob = new ObjectFacts("", 0, null, DateTimeOffset.UnixEpoch, null, new Dictionary<string, string>(StringComparer.Ordinal));
            }
            else if (xml.NodeType == XmlNodeType.Element && blob is not null)
            {
                blob = await WithAsync(blob, xml, prefixLength);
            }
        }

        return new ObjectsPage(found, next.Length > 0 ? next : null);
    }

    private static async Task<ObjectFacts> WithAsync(ObjectFacts blob, XmlReader xml, int prefixLength)
    {
        switch (xml.Name)
        {
            case "Name":
                var isEncoded = xml.GetAttribute("Encoded") is "true";
                var name = await TextAsync(xml);
                return blob with { Key = (isEncoded ? Uri.UnescapeDataString(name) : name)[prefixLength..] };
            case "Content-Length":
                return blob with { Length = long.Parse(await TextAsync(xml), CultureInfo.InvariantCulture) };
            case "Etag":
                return blob with { ETag = await TextAsync(xml) };
            case "Content-Type":
                return blob with { ContentType = await TextAsync(xml) is { Length: > 0 } type ? type : null };
            case "Last-Modified":
                return blob with { ModifiedAt = DateTimeOffset.Parse(await TextAsync(xml), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal) };
            default:
                return blob;
        }
    }

    // Stays on the end of the element, so that the loop's next step sees what follows it.
    private static async Task<string> TextAsync(XmlReader xml)
    {
        if (xml.IsEmptyElement)
        {
            return "";
        }

        var text = "";
        while (await xml.ReadAsync() && xml.NodeType != XmlNodeType.EndElement)
        {
            text += await xml.GetValueAsync();
        }

        return text;
    }
}
