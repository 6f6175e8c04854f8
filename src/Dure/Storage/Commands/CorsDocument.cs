using System.Globalization;
using System.Text.Json;
using System.Xml;
using System.Xml.Linq;
using Dure.Host;

namespace Dure.Storage.Commands;

/// <summary>CORS configurations as S3 has them: XML on the wire, JSON in the command lines of others (a list of rules, or an object with one).</summary>
public static class CorsDocument
{
    private const int MaxAgeSeconds = 3000;
    private static readonly XNamespace S3 = "http://s3.amazonaws.com/doc/2006-03-01/";

    private static readonly string[] PresetMethods = ["GET", "HEAD", "PUT"];

    /// <summary>The names in JSON and in XML, in the order that S3 writes them.</summary>
    private static readonly (string Json, string Xml)[] Members =
    [
        ("ID", "ID"), ("AllowedHeaders", "AllowedHeader"), ("AllowedMethods", "AllowedMethod"), ("AllowedOrigins", "AllowedOrigin"), ("ExposeHeaders", "ExposeHeader"), ("MaxAgeSeconds", "MaxAgeSeconds"),
    ];

    /// <summary>Pages of these origins may GET, HEAD and PUT, with every header, and see the ETag.</summary>
    public static string For(IEnumerable<string> origins) => Write(new XElement(S3 + "CORSRule",
        new XElement(S3 + "AllowedHeader", "*"),
        PresetMethods.Select(method => new XElement(S3 + "AllowedMethod", method)),
        origins.Select(origin => new XElement(S3 + "AllowedOrigin", origin.TrimEnd('/'))),
        new XElement(S3 + "ExposeHeader", "ETag"),
        new XElement(S3 + "MaxAgeSeconds", MaxAgeSeconds)));

    /// <summary>XML as it is, JSON as XML; or what is wrong with it (DURE0682). The server looks at the rules.</summary>
    public static Outcome<string> Read(string text)
    {
        try
        {
            if (text.TrimStart().StartsWith('<'))
            {
                using var reader = XmlReader.Create(new StringReader(text), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
                return XElement.Load(reader).Name.LocalName == "CORSConfiguration" ? text : TransferErrors.BadDocument.With("The XML's root is to be CORSConfiguration.");
            }

            using var document = JsonDocument.Parse(text);
            var rules = document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("CORSRules", out var named) ? named : document.RootElement;
            return rules.ValueKind == JsonValueKind.Array && rules.EnumerateArray().All(rule => rule.ValueKind == JsonValueKind.Object)
                ? Convert([.. rules.EnumerateArray()])
                : TransferErrors.BadDocument.With("The JSON is to be a list of rules, or an object with CORSRules.");
        }
        catch (Exception failure) when (failure is JsonException or XmlException)
        {
            return TransferErrors.BadDocument.With(failure.Message);
        }
    }

    private static Outcome<string> Convert(IReadOnlyList<JsonElement> rules)
    {
        var written = new List<XElement>();
        foreach (var rule in rules)
        {
            if (rule.EnumerateObject().FirstOrDefault(member => !Members.Any(known => known.Json == member.Name)) is { Value.ValueKind: not JsonValueKind.Undefined } unknown)
            {
                return TransferErrors.BadDocument.With($"A rule has {string.Join(", ", Members.Select(known => known.Json))}, and not '{unknown.Name}'.");
            }

            written.Add(new XElement(S3 + "CORSRule", Members.SelectMany(known => rule.TryGetProperty(known.Json, out var value) ? Texts(value).Select(one => new XElement(S3 + known.Xml, one)) : [])));
        }

        return Write([.. written]);
    }

    private static IEnumerable<string> Texts(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.EnumerateArray().SelectMany(Texts),
        JsonValueKind.Number => [value.GetDouble().ToString(CultureInfo.InvariantCulture)],
        _ => [value.ToString()],
    };

    private static string Write(params XElement[] rules) => new XElement(S3 + "CORSConfiguration", rules.Cast<object>().ToArray()).ToString();
}
