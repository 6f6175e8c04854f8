using System.Xml.Linq;

namespace Dure.Storage.S3;

/// <summary>Tags of objects and buckets (S3 user guide, "Categorizing your storage using tags").</summary>
internal static class Tags
{
    public const int OfObjectMax = 10;
    public const int OfBucketMax = 50;

    private const int NameMax = 128;
    private const int ValueMax = 256;

    public static readonly IReadOnlyDictionary<string, string> None = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>From <c>x-amz-tagging</c>, which is written as a query; none where there is no header.</summary>
    public static (IReadOnlyDictionary<string, string>? Tags, S3Error? Error) OfHeader(S3Call call) =>
        call.Header("x-amz-tagging") is not { } text ? (None, null)
        : S3Query.Parse(text) is { } query ? Check(query.Pairs, OfObjectMax)
        : (null, S3Errors.InvalidArgument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.", "x-amz-tagging", text));

    public static (IReadOnlyDictionary<string, string>? Tags, S3Error? Error) OfXml(XElement root, int most)
    {
        if (root.Name.LocalName != "Tagging" || XmlBody.Child(root, "TagSet") is not { } set)
            return (null, S3Errors.MalformedXml);
        var pairs = new List<(string, string)>();
        foreach (var tag in set.Elements())
        {
            if (tag.Name.LocalName != "Tag" || XmlBody.Child(tag, "Key") is not { } name || XmlBody.Child(tag, "Value") is not { } value)
                return (null, S3Errors.MalformedXml);
            pairs.Add((name.Value, value.Value));
        }
        return Check(pairs, most);
    }

    public static void Write(XmlText xml, IReadOnlyDictionary<string, string> tags)
    {
        xml.Root("Tagging").Open("TagSet");
        foreach (var (name, value) in tags)
            xml.Open("Tag").Element("Key", name).Element("Value", value).Close("Tag");
        xml.Close("TagSet").Close("Tagging");
    }

    public static (IReadOnlyDictionary<string, string>? Tags, S3Error? Error) Check(IReadOnlyList<(string Name, string Value)> pairs, int most)
    {
        if (pairs.Count > most)
            return (null, most == OfObjectMax ? new S3Error("BadRequest", 400, "Object tags cannot be greater than 10") : new S3Error("BadRequest", 400, "Bucket tag count cannot be greater than 50"));
        var tags = new Dictionary<string, string>(pairs.Count, StringComparer.Ordinal);
        foreach (var (name, value) in pairs)
        {
            if (name.Length is 0 or > NameMax || !IsPlain(name) || name.StartsWith("aws:", StringComparison.OrdinalIgnoreCase))
                return (null, Invalid("The TagKey you have provided is invalid", name));
            if (value.Length > ValueMax || !IsPlain(value))
                return (null, Invalid("The TagValue you have provided is invalid", name));
            if (!tags.TryAdd(name, value))
                return (null, Invalid("Cannot provide multiple Tags with the same key", name));
        }
        return (tags, null);
    }

    private static bool IsPlain(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (!System.Text.Rune.IsLetterOrDigit(rune) && !System.Text.Rune.IsWhiteSpace(rune) && !"+-=._:/@".Contains((char)rune.Value, StringComparison.Ordinal))
                return false;
        }
        return true;
    }

    private static S3Error Invalid(string message, string name) => new("InvalidTag", 400, message, new Dictionary<string, string>(StringComparer.Ordinal) { ["TagKey"] = name });
}
