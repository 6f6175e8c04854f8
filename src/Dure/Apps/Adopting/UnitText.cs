using System.Text;

namespace Dure.Apps.Adopting;

/// <summary>The text of a unit with its drop-ins, as <c>systemctl cat</c> prints it.</summary>
internal sealed class UnitText
{
    private const string Ending = ".service";

    private readonly List<(string Section, string Key, string Value)> _lines = [];

    private UnitText()
    {
    }

    public static UnitText Parse(string text)
    {
        var unit = new UnitText();
        var section = "";
        var joined = new StringBuilder();
        foreach (var raw in text.Split('\n'))
        {
            var line = raw.TrimEnd('\r');
            // Comments end no line that goes on.
            if (line.TrimStart() is ['#' or ';', ..])
                continue;
            if (line.EndsWith('\\'))
            {
                joined.Append(line, 0, line.Length - 1).Append(' ');
                continue;
            }

            line = joined.Append(line).ToString().Trim();
            joined.Clear();
            if (line is ['[', .. var name, ']'])
                section = name;
            else if (line.IndexOf('=', StringComparison.Ordinal) is > 0 and var at)
                unit._lines.Add((section, line[..at].TrimEnd(), line[(at + 1)..].TrimStart()));
        }

        return unit;
    }

    /// <summary>Every value of a key of [Service]; an empty one makes systemd forget those before it.</summary>
    public IReadOnlyList<string> All(string key)
    {
        var values = new List<string>();
        foreach (var line in _lines.Where(line => line.Section == "Service" && line.Key == key))
        {
            if (line.Value.Length == 0)
                values.Clear();
            else
                values.Add(line.Value);
        }

        return values;
    }

    /// <summary>The value that holds; null for none.</summary>
    public string? Last(string key) => All(key) is [.., var last] ? last : null;

    /// <summary>A service's name without its ending.</summary>
    public static string Bare(string name) => name.EndsWith(Ending, StringComparison.Ordinal) ? name[..^Ending.Length] : name;

    /// <summary>Words as systemd splits them: quotation marks and backslashes are taken off.</summary>
    public static IReadOnlyList<string> Words(string text)
    {
        var words = new List<string>();
        StringBuilder? word = null;
        char? quote = null;
        for (var at = 0; at < text.Length; at++)
        {
            var c = text[at];
            if (c == '\\' && at + 1 < text.Length)
                (word ??= new()).Append(text[++at] switch { 's' => ' ', 'n' => '\n', 't' => '\t', var other => other });
            else if (quote is null ? c is '"' or '\'' : c == quote)
            {
                quote = quote is null ? c : null;
                word ??= new();
            }
            else if (quote is null && c is ' ' or '\t')
            {
                if (word is not null)
                    words.Add(word.ToString());
                word = null;
            }
            else
                (word ??= new()).Append(c);
        }

        if (word is not null)
            words.Add(word.ToString());
        return words;
    }
}
