using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Dure.Test.Portal.Source;

/// <summary>The colours of the portal can be told apart: WCAG 2 AA, in both themes.</summary>
public sealed partial class ContrastTest
{
    private const double Text = 4.5;
    private const double Mark = 3;

    private static readonly string[] Surfaces = ["bg", "panel", "raised", "hover", "chosen", "code"];

    [Theory]
    [InlineData("dark")]
    [InlineData("light")]
    public void Words_stand_out_from_what_they_stand_on(string theme)
    {
        var colours = Read(theme);
        var pairs = new[] { "ink", "ink-2", "ink-3", "accent-ink", "ok", "run", "wait", "bad", "off", "odd" }.SelectMany(ink => Surfaces.Select(surface => (ink, surface)))
            .Concat(new[] { "ok", "run", "wait", "bad", "odd", "off" }.SelectMany(tone => new[] { (tone, tone + "-soft"), ("ink", tone + "-soft") }))
            .Append(("on-accent", "button")).Append(("ink", "mark"));
        Check(colours, pairs, Text);
    }

    [Theory]
    [InlineData("dark")]
    [InlineData("light")]
    public void Lines_of_charts_and_the_focus_stand_out(string theme) => Check(Read(theme),
        Enumerable.Range(1, 6).Select(n => $"chart-{n}").Append("accent").SelectMany(mark => new[] { (mark, "bg"), (mark, "panel") }), Mark);

    [Fact]
    public void Black_on_white_is_21_to_1() => Assert.Equal(21, Ratio((0, 0, 0), (255, 255, 255)), 3);

    private static void Check(Dictionary<string, (int R, int G, int B)> colours, IEnumerable<(string Ink, string Surface)> pairs, double least)
    {
        var weak = pairs.Select(pair => (pair, Ratio: Ratio(colours[pair.Ink], colours[pair.Surface]))).Where(pair => pair.Ratio < least)
            .Select(pair => string.Create(CultureInfo.InvariantCulture, $"--{pair.pair.Ink} on --{pair.pair.Surface}: {pair.Ratio:0.00}")).ToList();
        Assert.True(weak.Count == 0, string.Join('\n', weak));
    }

    private static Dictionary<string, (int R, int G, int B)> Read(string theme)
    {
        var css = File.ReadAllText(Path.Combine(WebSource.Root, "src", "styles", "tokens.css"));
        var block = Regex.Match(css, $@"\[data-theme='{theme}'\] \{{(?<inner>[^}}]*)\}}", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)).Groups["inner"].Value;
        return Colour().Matches(block).ToDictionary(match => match.Groups["name"].Value, match =>
        {
            var rgb = int.Parse(match.Groups["rgb"].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            return (rgb >> 16, (rgb >> 8) & 255, rgb & 255);
        }, StringComparer.Ordinal);
    }

    private static double Ratio((int R, int G, int B) one, (int R, int G, int B) other)
    {
        var (a, b) = (Luminance(one), Luminance(other));
        return (Math.Max(a, b) + 0.05) / (Math.Min(a, b) + 0.05);
    }

    private static double Luminance((int R, int G, int B) colour)
    {
        static double Linear(int part) => part / 255.0 is var share && share <= 0.04045 ? share / 12.92 : Math.Pow((share + 0.055) / 1.055, 2.4);
        return (0.2126 * Linear(colour.R)) + (0.7152 * Linear(colour.G)) + (0.0722 * Linear(colour.B));
    }

    [GeneratedRegex(@"--(?<name>[a-z0-9-]+): #(?<rgb>[0-9a-f]{6});", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Colour();
}
