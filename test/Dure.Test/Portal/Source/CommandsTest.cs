using System.Text.RegularExpressions;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Portal.Source;

/// <summary>The commands that the portal shows beside what it does are commands that there are.</summary>
public sealed partial class CommandsTest
{
    [Fact]
    public void Every_command_that_is_shown_exists()
    {
        var known = Heading().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "reference", "cli.md"))).Select(match => match.Groups["name"].Value).ToHashSet(StringComparer.Ordinal);
        known.UnionWith(known.Where(name => name.StartsWith("invocation", StringComparison.Ordinal)).Select(name => "inv" + name["invocation".Length..]).ToList());
        Assert.Contains("fn deploy", known);
        var shown = WebSource.Scripts.SelectMany(script => Shown().Matches(script.Value).Select(match => (script.Key, Words: match.Groups["words"].Value.Split(' ')))).ToList();
        Assert.True(shown.Count > 20);
        var unknown = shown.Where(one => !known.Contains(one.Words[0]) || (known.Any(name => name.StartsWith(one.Words[0] + " ", StringComparison.Ordinal)) && !known.Contains(string.Join(' ', one.Words.Take(2)))))
            .Select(one => $"{one.Key}: dure {string.Join(' ', one.Words)}").ToList();
        Assert.True(unknown.Count == 0, string.Join('\n', unknown));
    }

    [Fact]
    public void Every_example_that_is_shown_exists() => Assert.All(
        WebSource.Scripts.Values.SelectMany(script => Example().Matches(script).Select(match => match.Value)),
        path => Assert.True(Directory.Exists(Path.Combine(Repository.Root, path)), path));

    [GeneratedRegex("^## dure (?<name>[a-z0-9 -]+)$", RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1000)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[`'""&] ?dure (?<words>[a-z]+( [a-z][a-z-]+)?)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Shown();

    [GeneratedRegex("examples/[a-z0-9-]+", RegexOptions.None, 1000)]
    private static partial Regex Example();
}
