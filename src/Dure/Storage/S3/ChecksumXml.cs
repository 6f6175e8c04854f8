using Dure.Storage.Checksums;

namespace Dure.Storage.S3;

/// <summary>Checksums in the XML of requests and answers.</summary>
internal static class ChecksumXml
{
    private static readonly string[] Elements = [.. ChecksumNames.All.Select(kind => "Checksum" + ChecksumNames.Word(kind))];

    public static string Element(ChecksumKind kind) => Elements[(int)kind];

    public static string Of(ChecksumType type) => type == ChecksumType.Composite ? "COMPOSITE" : "FULL_OBJECT";

    public static void Write(XmlText xml, IReadOnlyList<ObjectChecksum> checksums, bool type = true)
    {
        foreach (var checksum in checksums)
            xml.Element(Element(checksum.Kind), checksum.Value);
        if (type && checksums.Count > 0)
            xml.Element("ChecksumType", Of(checksums[0].Type));
    }
}
