using System.Text;
using System.Text.RegularExpressions;

namespace Dure.Functions.Deploy;

/// <summary>
/// What a package leaves out: defaults, then the lines of <c>.dureignore</c> in the syntax of gitignore(5) (<c>*</c>, <c>?</c>,
/// <c>[a-z]</c>, <c>**</c>, a leading or inner <c>/</c> anchors, a trailing <c>/</c> means folders, <c>!</c> takes back). The last rule that matches decides.
/// </summary>
public sealed class IgnoreRules
{
    /// <summary>The file, in the folder that is deployed.</summary>
    public const string FileName = ".dureignore";

    private static readonly string[] s_defaults =
    [
        ".git", ".hg", ".svn", "__pycache__/", "*.pyc", ".venv/", ".DS_Store", ".ipynb_checkpoints/",
        ".mypy_cache/", ".pytest_cache/", ".ruff_cache/", ".idea/", ".vscode/", "/.dureignore",
    ];

    private static readonly List<Rule> s_defaultRules = [.. s_defaults.Select(Parse).OfType<Rule>()];

    private readonly List<Rule> _rules;

    private IgnoreRules(IEnumerable<string> lines) => _rules = [.. s_defaultRules, .. lines.Select(Parse).OfType<Rule>()];

    /// <summary>The rules for a folder.</summary>
    /// <param name="lines">The lines of its <c>.dureignore</c>; none when it has no such file.</param>
    public static IgnoreRules From(IEnumerable<string> lines) => new(lines);

    /// <summary>Whether the entry stays out. A folder that stays out takes everything in it along.</summary>
    /// <param name="path">Relative to the folder that is deployed.</param>
    /// <param name="folder">Whether it is a folder itself.</param>
    public bool Ignores(string path, bool folder) => Verdict(path, folder) ?? false;

    /// <summary>As <see cref="Ignores"/>, but null when no rule says anything about the entry.</summary>
    internal bool? Verdict(string path, bool folder)
    {
        for (var i = _rules.Count - 1; i >= 0; i--)
        {
            var rule = _rules[i];
            if ((folder || !rule.FoldersOnly) && rule.Pattern.IsMatch(path))
                return !rule.TakesBack;
        }

        return null;
    }

    private static Rule? Parse(string line)
    {
        var text = line.TrimEnd(' ', '\t', '\r');
        if (text.Length == 0 || text[0] == '#')
            return null;
        var takesBack = text[0] == '!';
        if (takesBack)
            text = text[1..];
        if (text.StartsWith('\\'))
            text = text[1..];
        var foldersOnly = text.EndsWith('/');
        text = text.TrimEnd('/');
        if (text.Length == 0)
            return null;
        var anchored = text.Contains('/');
        return new(ToRegex(text.TrimStart('/'), anchored), takesBack, foldersOnly);
    }

    private static Regex ToRegex(string glob, bool anchored)
    {
        var regex = new StringBuilder(anchored ? "^" : "(^|/)");
        for (var i = 0; i < glob.Length; i++)
        {
            var rest = glob.AsSpan(i);
            if (rest.StartsWith("**/"))
            {
                regex.Append("(.*/)?");
                i += 2;
            }
            else if (rest.StartsWith("**"))
            {
                regex.Append(".*");
                i++;
            }
            else if (rest[0] == '[' && rest.IndexOf(']') is > 1 and var end)
            {
                var set = rest[1..end].ToString().Replace("\\", "\\\\", StringComparison.Ordinal).Replace("[", "\\[", StringComparison.Ordinal);
                regex.Append('[').Append(set[0] == '!' ? "^/" + set[1..] : set).Append(']');
                i += end;
            }
            else
            {
                regex.Append(rest[0] switch { '*' => "[^/]*", '?' => "[^/]", var c => Regex.Escape(c.ToString()) });
            }
        }

        try
        {
            return new(regex.Append('$').ToString(), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (RegexParseException)
        {
            // A set such as [z-a] matches nothing, as in git.
            return new("[^\\s\\S]", RegexOptions.NonBacktracking);
        }
    }

    private sealed record Rule(Regex Pattern, bool TakesBack, bool FoldersOnly);
}
