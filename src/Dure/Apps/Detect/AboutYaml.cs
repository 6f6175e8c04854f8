using System.Text.RegularExpressions;
using Dure.Host.Texts;

namespace Dure.Apps.Detect;

/// <summary>Reads what <c>app.yaml</c> says for the index: title, authors, date, abstract, tags.</summary>
internal static partial class AboutYaml
{
    private const int LineMax = 200;
    private const int AbstractMax = 5_000;
    private const int ItemsMost = 50;

    public static AppAbout Read(YamlFields fields) => new()
    {
        Title = fields.Checked("title", LineFault),
        Authors = Lines(fields, "authors"),
        Date = fields.Checked("date", date => DatePattern().IsMatch(date) ? null : "it must be a year, a month or a day: 2026, 2026-11 or 2026-11-27"),
        Abstract = fields.Checked("abstract", text => text.Length > AbstractMax ? $"it must be at most {AbstractMax} characters long" : text.Any(c => char.IsControl(c) && c != '\n') ? "it must be plain text" : null)?.Trim(),
        Tags = Lines(fields, "tags"),
    };

    private static string? LineFault(string text) => text.Length is 0 or > LineMax || text.Any(char.IsControl) ? $"it must be one line of at most {LineMax} characters" : null;

    private static List<string> Lines(YamlFields fields, string key)
    {
        var lines = new List<string>();
        if (fields.Node(key) is not { } node)
            return lines;
        foreach (var item in node is YamlList list ? list.Items : [node])
        {
            if (item is YamlText text && LineFault(text.Text) is null && lines.Count < ItemsMost)
                lines.Add(text.Text.Trim());
            else
                fields.Fault(item, $"`{key}` must be a list of at most {ItemsMost} short lines");
        }

        return lines;
    }

    [GeneratedRegex(@"^[12][0-9]{3}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex DatePattern();
}
