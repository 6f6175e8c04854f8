using System.Text.RegularExpressions;
using Xunit;

namespace Dure.Test.Portal.Source;

/// <summary>The texts of the portal in its two languages.</summary>
public sealed partial class CatalogueTest
{
    private static readonly IReadOnlyDictionary<string, string> English = WebSource.Catalogue("en");
    private static readonly IReadOnlyDictionary<string, string> Korean = WebSource.Catalogue("ko");

    [Fact]
    public void Both_languages_have_the_same_texts() => None(English.Keys.Except(Korean.Keys).Select(key => $"{key} is not in ko.json")
        .Concat(Korean.Keys.Except(English.Keys).Select(key => $"{key} is not in en.json")));

    [Fact]
    public void No_text_is_empty() => None(English.Concat(Korean).Where(text => string.IsNullOrWhiteSpace(text.Value)).Select(text => text.Key));

    [Fact]
    public void What_is_filled_in_is_the_same_in_both() => None(
        from key in English.Keys.Intersect(Korean.Keys)
        // `one`, said with a word, needs no figure.
        where !key.EndsWith("_one", StringComparison.Ordinal) && !Places(English[key]).SetEquals(Places(Korean[key]))
        select $"{key}: {English[key]} / {Korean[key]}");

    [Fact]
    public void No_text_was_left_in_english() => None(
        from text in Korean
        where Words().Count(text.Value) >= 3 && !Hangul().IsMatch(text.Value)
        select $"{text.Key}: {text.Value}");

    [Fact]
    public void Every_text_is_used()
    {
        var said = WebSource.Scripts.Values.SelectMany(script => Literal().Matches(script).Select(match => match.Groups["text"].Value)).ToHashSet(StringComparer.Ordinal);
        var built = WebSource.Scripts.Values.SelectMany(script => Built().Matches(script).Select(match => match.Groups["start"].Value)).ToHashSet(StringComparer.Ordinal);
        None(English.Keys.Where(key => !said.Contains(key) && !said.Contains(Stem(key)) && !built.Any(start => key.StartsWith(start, StringComparison.Ordinal))));
    }

    [Fact]
    public void Every_text_that_is_asked_for_is_there()
    {
        var stems = English.Keys.Select(Stem).Concat(English.Keys).ToHashSet(StringComparer.Ordinal);
        None(
            from script in WebSource.Scripts
            from call in Call().Matches(script.Value)
            let key = call.Groups["text"].Value
            where !stems.Contains(key)
            select $"{script.Key}: {key}");
        None(
            from script in WebSource.Scripts
            from call in BuiltCall().Matches(script.Value)
            let start = call.Groups["start"].Value
            where !stems.Any(key => key.StartsWith(start, StringComparison.Ordinal))
            select $"{script.Key}: {start}…");
    }

    private static string Stem(string key) => Counted().Replace(key, "");

    private static HashSet<string> Places(string text) => [.. Place().Matches(text).Select(match => match.Value)];

    private static void None(IEnumerable<string> faults)
    {
        var found = faults.Order(StringComparer.Ordinal).ToList();
        Assert.True(found.Count == 0, $"{found.Count}:\n{string.Join('\n', found)}");
    }

    [GeneratedRegex(@"\{\w+\}", RegexOptions.None, 1000)]
    private static partial Regex Place();

    [GeneratedRegex("_(one|other)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Counted();

    [GeneratedRegex("['\"`](?<text>[a-z0-9_]+(\\.[a-zA-Z0-9_-]+)+)['\"`]", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Literal();

    [GeneratedRegex(@"`(?<start>[a-z0-9_]+\.[a-zA-Z0-9_.-]*)\$\{", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Built();

    [GeneratedRegex(@"\bt\(\s*['""](?<text>[^'""]+)['""]", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Call();

    [GeneratedRegex(@"\bt\(\s*`(?<start>[^`$]+)\$\{", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex BuiltCall();

    [GeneratedRegex(@"[A-Za-z]{2,}", RegexOptions.None, 1000)]
    private static partial Regex Words();

    [GeneratedRegex(@"\p{IsHangulSyllables}", RegexOptions.None, 1000)]
    private static partial Regex Hangul();
}
