using System.Globalization;
using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace Dure.Storage.S3;

/// <summary>The CORS configuration of a bucket (S3 user guide, "Elements of a CORS configuration").</summary>
internal sealed class CorsRules
{
    private const int RulesMax = 100;
    private static readonly ConditionalWeakTable<string, CorsRules> Parsed = [];

    private readonly List<Rule> _rules = [];

    /// <summary>A configuration that was accepted before; read once for each text.</summary>
    public static CorsRules Of(string text)
    {
        if (Parsed.TryGetValue(text, out var known))
            return known;
        var rules = XmlBody.Parse(text) is { } root ? Parse(root).Rules : null;
        rules ??= new CorsRules();
        Parsed.AddOrUpdate(text, rules);
        return rules;
    }

    /// <summary>Reads and checks a configuration.</summary>
    public static (CorsRules? Rules, S3Error? Error) Parse(XElement root)
    {
        if (root.Name.LocalName != "CORSConfiguration")
            return (null, S3Errors.MalformedXml);
        var rules = new CorsRules();
        foreach (var element in root.Elements())
        {
            List<string> All(string name) => [.. element.Elements().Where(child => child.Name.LocalName == name).Select(child => child.Value.Trim())];
            var rule = new Rule(All("AllowedOrigin"), All("AllowedMethod"), All("AllowedHeader"), All("ExposeHeader"), XmlBody.Text(element, "MaxAgeSeconds"));
            if (element.Name.LocalName != "CORSRule" || rule.Origins.Count == 0 || rule.Methods.Count == 0)
                return (null, S3Errors.MalformedXml);
            if (rule.MaxAge is { } age && !int.TryParse(age, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                return (null, S3Errors.MalformedXml);
            if (rule.Methods.Find(method => method is not ("GET" or "PUT" or "HEAD" or "POST" or "DELETE")) is { } unknown)
                return (null, S3Errors.InvalidRequest($"Found unsupported HTTP method in CORS config. Unsupported method is {unknown}"));
            if (rule.Origins.Find(TwoStars) is { } origin)
                return (null, S3Errors.InvalidRequest($"AllowedOrigin \"{origin}\" can not have more than one wildcard."));
            if (rule.Headers.Find(TwoStars) is { } header)
                return (null, S3Errors.InvalidRequest($"AllowedHeader \"{header}\" can not have more than one wildcard."));
            if (rule.Expose.Find(exposed => exposed.Contains('*', StringComparison.Ordinal)) is { } star)
                return (null, S3Errors.InvalidRequest($"ExposeHeader \"{star}\" contains wildcard. We currently do not support wildcard for ExposeHeader."));
            rules._rules.Add(rule);
        }
        return rules._rules.Count is > 0 and <= RulesMax ? (rules, null) : (null, S3Errors.MalformedXml);
    }

    /// <summary>Puts the headers of the first rule that allows the request on the answer; false when none does.</summary>
    /// <param name="method">That is or would be used.</param>
    /// <param name="asked">Access-Control-Request-Headers of a preflight; null otherwise.</param>
    public bool Apply(IHeaderDictionary answer, string origin, string method, string? asked)
    {
        var names = asked?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
        foreach (var rule in _rules)
        {
            if (!rule.Methods.Contains(method) || rule.Origins.Find(pattern => BucketPolicy.Matches(pattern, origin, ignoreCase: false)) is not { } matched)
                continue;
            if (!Array.TrueForAll(names, name => rule.Headers.Exists(pattern => BucketPolicy.Matches(pattern, name, ignoreCase: true))))
                continue;
            var everyone = matched == "*";
            answer.AccessControlAllowOrigin = everyone ? "*" : origin;
            answer.AccessControlAllowMethods = string.Join(", ", rule.Methods);
            if (!everyone)
                answer.AccessControlAllowCredentials = "true";
            if (names.Length > 0)
                answer.AccessControlAllowHeaders = string.Join(", ", names.Select(name => name.ToLowerInvariant()));
            if (rule.Expose.Count > 0)
                answer.AccessControlExposeHeaders = string.Join(", ", rule.Expose);
            if (rule.MaxAge is not null)
                answer.AccessControlMaxAge = rule.MaxAge;
            answer.Vary = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";
            return true;
        }
        return false;
    }

    private static bool TwoStars(string text) => text.AsSpan().Count('*') > 1;

    private sealed record Rule(List<string> Origins, List<string> Methods, List<string> Headers, List<string> Expose, string? MaxAge);
}
