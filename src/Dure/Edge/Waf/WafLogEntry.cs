using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Dure.Edge.Waf;

/// <summary>Why a rule spoke up.</summary>
/// <param name="Rule">Its number.</param>
/// <param name="Attack">What it takes the request for, in plain words.</param>
/// <param name="Where">Where in the request, in plain words.</param>
/// <param name="Exclusion">The narrowest one that lets such a request pass; null when none should.</param>
public sealed record WafReason(string Rule, string Attack, string Where, string? Exclusion);

/// <summary>One request in the log of the web application firewall. Values are left out: they may be secrets.</summary>
/// <param name="At">As the edge's clock said it.</param>
/// <param name="Path">Without its query.</param>
/// <param name="Refused">Else the profile only writes down.</param>
/// <param name="Reasons">Those that counted.</param>
public sealed partial record WafLogEntry(string At, string Client, string Method, string Path, bool Refused, IReadOnlyList<WafReason> Reasons)
{
    private static readonly (string Prefix, string Attack)[] Families =
    [
        ("911", "one that is not served"), ("913", "a scanner that looks for weaknesses"), ("920", "something that breaks the rules of HTTP"), ("921", "an attempt to smuggle a header or a second request"),
        ("930", "an attempt to read files of the system"), ("931", "an attempt to have a file of somebody else's run"), ("932", "a command for a shell"), ("933", "PHP code"), ("934", "code for Node.js"),
        ("941", "script for other people's browsers (XSS)"), ("942", "SQL injection"), ("943", "an attempt to plant a session"), ("944", "an attack on Java"),
        ("2701", "a lookup of Log4j"), ("2702", "something else than its content type says"), ("27030", "SQL injection"), ("27031", "script for other people's browsers (XSS)"), ("27032", "a path that climbs out of its folder"), ("27033", "an attempt to read files of the system"), ("27034", "a command for a shell"),
    ];

    /// <summary>Reads one line; null when it is none, or says nothing.</summary>
    public static WafLogEntry? Read(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var transaction = json.RootElement.GetProperty("transaction");
            var request = transaction.GetProperty("request");
            var path = Text(request, "uri").Split('?')[0];
            var reasons = transaction.GetProperty("messages").EnumerateArray().Select(message => Reason(message, path)).OfType<WafReason>().Distinct().ToList();
            return reasons.Count == 0 ? null
                : new(When(Text(transaction, "time_stamp")), Text(transaction, "client_ip"), Text(request, "method"), path, Text(transaction.GetProperty("response"), "http_code") == "403", reasons);
        }
        catch (Exception none) when (none is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    private static WafReason? Reason(JsonElement message, string path)
    {
        var details = message.GetProperty("details");
        var rule = Text(details, "ruleId");
        // These only add up what the others found.
        if (rule.Length == 0 || rule.StartsWith("949", StringComparison.Ordinal) || rule.StartsWith("980", StringComparison.Ordinal) || rule.StartsWith("959", StringComparison.Ordinal))
            return null;
        var attack = Families.LastOrDefault(family => rule.StartsWith(family.Prefix, StringComparison.Ordinal)).Attack ?? Text(message, "message");
        var target = Target(Text(details, "match"), Text(details, "data"));
        var exclusion = rule.StartsWith("2701", StringComparison.Ordinal) ? null : new WafExclusion(rule, path, Parameter(target)).ToString();
        return new(rule, attack, Words(target), exclusion is not null && WafExclusion.TryParse(exclusion, "/", out _) ? exclusion : null);
    }

    private static string Target(string match, string data)
    {
        if (Variable().Match(match) is { Success: true } against)
            return against.Groups[1].Value;
        if (Within().Match(data) is { Success: true } within)
            return within.Groups[1].Value;
        return data.Contains(' ', StringComparison.Ordinal) ? "" : data;
    }

    // A name as the exclusions have it; null for what has none, or one of its own in each request.
    private static string? Parameter(string target) => target.Split(':', 2) switch
    {
        [var kind, var name] when kind.StartsWith("ARGS", StringComparison.Ordinal) => name,
        ["REQUEST_HEADERS", var name] => "header:" + name,
        ["REQUEST_COOKIES" or "REQUEST_COOKIES_NAMES", var name] => "cookie:" + name,
        ["FILES" or "FILES_NAMES", var name] => "file:" + name,
        _ => null,
    };

    private static string Words(string target) => target.Split(':', 2) switch
    {
        ["REQUEST_HEADERS", var name] => $"the header {name}",
        ["REQUEST_HEADERS_NAMES", _] => "the name of a header",
        ["REQUEST_COOKIES" or "REQUEST_COOKIES_NAMES", var name] => $"the cookie {name}",
        ["FILES" or "FILES_NAMES", var name] => $"the uploaded file {name}",
        [var kind, var name] when kind.EndsWith("_NAMES", StringComparison.Ordinal) => $"the name of the parameter {name}",
        [var kind, var name] when kind.StartsWith("ARGS", StringComparison.Ordinal) => $"the parameter {name}",
        ["REQUEST_URI" or "REQUEST_URI_RAW" or "REQUEST_FILENAME" or "REQUEST_BASENAME", ..] => "the path",
        ["REQUEST_METHOD", ..] => "the method",
        ["REQUEST_BODY" or "XML", ..] => "the body",
        _ => "it",
    };

    private static string When(string text) => DateTime.TryParseExact(text, "ddd MMM d HH:mm:ss yyyy", CultureInfo.InvariantCulture, DateTimeStyles.AllowInnerWhite, out var time)
        ? time.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) : text;

    private static string Text(JsonElement of, string name) => of.TryGetProperty(name, out var value) ? value.ToString() : "";

    [GeneratedRegex(@"against variable `([^']{1,200})'", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Variable();

    [GeneratedRegex(@"found within ([A-Z_]+(?::[^:\s]{1,120})?)", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Within();
}
