using System.Text;
using System.Text.RegularExpressions;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Dure.Test.Edge.Waf;

/// <summary>
/// The regression suite of the OWASP core rules, which none of us wrote, against a fleet's edge. <c>CRS_TESTS</c> names its folder: <c>tests/regression/tests</c> of
/// github.com/coreruleset/coreruleset at the version that the distribution packages (v3.3.4 for Debian 12). Half a minute.
/// </summary>
public sealed class WafSuiteTest
{
    private static readonly string? Folder = Environment.GetEnvironmentVariable("CRS_TESTS");

    /// <summary>What passes, by its rule, and why that is right.</summary>
    private static readonly Dictionary<string, string> Passes = new()
    {
        ["920320"] = "no User-Agent: two points of the five that refuse",
        ["920330"] = "an empty User-Agent: the same",
        ["920350"] = "an address as Host: a lab reaches its machines by their addresses",
        ["920450"] = "Content-Range: uploads say it",
        ["933110"] = "X_Filename and X.Filename: nginx passes no header on whose name has such signs",
    };

    [Fact]
    public async Task What_the_rules_own_suite_expects_to_be_noticed_is_refused()
    {
        Assert.SkipWhen(Folder is null, "CRS_TESTS=FOLDER runs it, with tests/regression/tests of the core rules.");
        var attacks = Directory.EnumerateFiles(Folder, "*.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal).SelectMany(Read).ToList();
        Assert.NotEmpty(attacks);

        foreach (var paranoia in new[] { "1", "4" })
        {
            (string, string)[] blocking =
            [
                ("edge.waf_api", "block"), ("edge.waf_portal", "block"), ("edge.waf_api_paranoia", paranoia), ("edge.waf_portal_paranoia", paranoia),
                ("edge.waf_rate", "0"), ("edge.waf_token_rate", "0"),
            ];
            var statuses = await WafNginxRoot.StatusesAsync(blocking, [], [.. attacks.Select(attack => attack.Bytes)]);
            var passed = attacks.Where((_, index) => statuses[index] is not ((>= 400 and < 500) or 505)).ToList();
            TestContext.Current.SendDiagnosticMessage($"paranoia {paranoia}: {attacks.Count - passed.Count} of {attacks.Count} refused");
            if (paranoia == "4")
                Assert.Empty(passed.Where(attack => !Passes.ContainsKey(attack.Rule)).Select(attack => $"{attack.Title}: {Encoding.Latin1.GetString(attack.Bytes)}"));
        }
    }

    // The format is that of FTW, the rules' own test framework: an input, and what the log should hold then.
    private static IEnumerable<(string Title, string Rule, byte[] Bytes)> Read(string path)
    {
        var stream = new YamlStream();
        using var reader = File.OpenText(path);
        stream.Load(reader);
        foreach (var test in ((YamlSequenceNode)stream.Documents[0].RootNode["tests"]).Where(test => Text(test, "enabled") != "false"))
        {
            foreach (var stage in ((YamlSequenceNode)test["stages"]).Select(stage => stage["stage"]))
            {
                if (Text(stage["output"], "log_contains") is { } log && Regex.Match(log, "id \"([0-9]+)\"", RegexOptions.NonBacktracking) is { Success: true } rule)
                    yield return (Text(test, "test_title")!, rule.Groups[1].Value, Bytes(stage["input"]));
            }
        }
    }

    private static byte[] Bytes(YamlNode input)
    {
        if (Text(input, "encoded_request") is { } encoded)
            return Convert.FromBase64String(encoded);
        if (Text(input, "raw_request") is { } raw)
            return Encoding.Latin1.GetBytes(raw);
        var headers = input["headers"] is YamlMappingNode named ? named.Select(header => (Name: header.Key.ToString(), Value: header.Value.ToString())).ToList() : [];
        var data = ((YamlMappingNode)input).Children.TryGetValue("data", out var node)
            ? node is YamlSequenceNode lines ? string.Join("\r\n", lines.Select(line => line.ToString())) : node.ToString()
            : null;
        void Unless(string name, string value)
        {
            if (!headers.Any(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
                headers.Add((name, value));
        }

        if (data is not null && Text(input, "stop_magic") != "true")
        {
            Unless("Content-Type", "application/x-www-form-urlencoded");
            Unless("Content-Length", Encoding.UTF8.GetByteCount(data).ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
        Unless("Connection", "close");
        return Encoding.UTF8.GetBytes(
            $"{Text(input, "method") ?? "GET"} {Text(input, "uri") ?? "/"} {Text(input, "version") ?? "HTTP/1.1"}\r\n{string.Concat(headers.Select(header => $"{header.Name}: {header.Value}\r\n"))}\r\n{data}");
    }

    private static string? Text(YamlNode node, string key) => ((YamlMappingNode)node).Children.TryGetValue(key, out var value) ? value.ToString() : null;
}
