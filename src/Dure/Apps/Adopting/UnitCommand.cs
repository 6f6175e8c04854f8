using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Posix = Dure.Host.Ssh.Shell;

namespace Dure.Apps.Adopting;

/// <summary>The command of a unit: where it listens, and how it is said to a shell so that it listens on $PORT of $HOST instead.</summary>
internal sealed partial class UnitCommand
{
    private const int PortMost = 65535;

    private readonly string[] _words;
    private readonly string[] _shown;
    private readonly IReadOnlyDictionary<string, string> _variables;
    private readonly List<string> _ported = [];

    /// <param name="words">As systemd splits them.</param>
    /// <param name="variables">Of the unit's own environment.</param>
    public UnitCommand(IReadOnlyList<string> words, IReadOnlyDictionary<string, string> variables)
    {
        _variables = variables;
        _words = [.. words.Select(Value)];
        _shown = [.. words.Select(Text)];
        Port = FromOptions() ?? FromBind() ?? FromServer() ?? FromVariables();
        for (var i = 1; i < _words.Length; i++)
            Unhost(i);
    }

    /// <summary>Where it listens; null when neither its words nor its environment say so.</summary>
    public int? Port { get; }

    public string Program => _words[0];

    /// <summary>Whether one of its words is a program that serves notebooks or apps.</summary>
    public bool IsServer => _words.Any(word => ServerPattern().IsMatch(Path.GetFileName(word)));

    public bool Is(string program) => _words.Take(4).Any(word => Path.GetFileName(word) == program);

    /// <summary>Variables that hold the port under a name of the program's own.</summary>
    public IReadOnlyList<string> Ported => _ported;

    /// <summary>One command of a shell, which stands in the folder.</summary>
    /// <param name="folder">Words below it are said from there, except in <paramref name="environment"/>, which does not move.</param>
    public string Shell(string? folder, string? environment)
    {
        var words = _shown.ToArray();
        for (var i = 0; folder is not null && i < words.Length; i++)
        {
            if (_words[i].StartsWith(folder + "/", StringComparison.Ordinal) && (environment is null || !_words[i].StartsWith(environment + "/", StringComparison.Ordinal)) && words[i] == Posix.Word(_words[i]))
                words[i] = Posix.Word((i == 0 ? "./" : "") + _words[i][(folder.Length + 1)..]);
        }

        return string.Concat(_ported.Select(name => $"export {name}=\"$PORT\"\n")) + "exec " + string.Join(' ', words);
    }

    private int? FromOptions()
    {
        var found = Options().Where(option => PortPattern().IsMatch(option.Name) || option.Name == "p" && option.Value.Length > 3).Where(option => IsPort(option.Value)).ToList();
        if (found.Count == 0)
            return null;
        var best = found.OrderByDescending(option => option.Name == "port").First();
        Replace(best.At, best.Value, "\"$PORT\"");
        return Number(best.Value);
    }

    private int? FromBind()
    {
        foreach (var (name, value, at) in Options().Where(option => BindPattern().IsMatch(option.Name)))
        {
            if (value.LastIndexOf(':') is var colon and >= 0 && IsPort(value[(colon + 1)..]) && (value.IndexOf(':', StringComparison.Ordinal) == colon || value[colon - 1] == ']'))
            {
                Replace(at, value, "\"$HOST:$PORT\"");
                return Number(value[(colon + 1)..]);
            }
        }

        return null;
    }

    // python3 -m http.server 8000
    private int? FromServer()
    {
        var at = Array.FindIndex(_words, word => word == "http.server");
        for (var i = at + 1; at >= 0 && i < _words.Length; i++)
        {
            if (!IsPort(_words[i]))
                continue;
            _shown[i] = "\"$PORT\"";
            return Number(_words[i]);
        }

        return null;
    }

    private int? FromVariables()
    {
        if (_variables.TryGetValue("PORT", out var port) && IsPort(port))
            return Number(port);
        var other = _variables.Where(pair => pair.Key.EndsWith("_PORT", StringComparison.Ordinal) && IsPort(pair.Value)).ToList();
        if (other.Count == 0 || other.Select(pair => pair.Value).Distinct(StringComparer.Ordinal).Count() > 1)
            return null;
        _ported.AddRange(other.Select(pair => pair.Key));
        return Number(other[0].Value);
    }

    // An address that is written down is that of this unit; the next version is told its own.
    private void Unhost(int at)
    {
        foreach (var (name, value, place) in Options().Where(option => option.At == at && HostPattern().IsMatch(option.Name)))
        {
            if (_shown[place].Contains("$HOST", StringComparison.Ordinal))
                continue;
            if (value == "localhost" || IPAddress.TryParse(value, out _) && value.AsSpan().ContainsAny('.', ':'))
                Replace(place, value, "\"$HOST\"");
        }
    }

    // Each option with its value, and the word that the value stands in.
    private IEnumerable<(string Name, string Value, int At)> Options()
    {
        for (var i = 1; i < _words.Length; i++)
        {
            if (!_words[i].StartsWith('-'))
                continue;
            var (name, equals) = (_words[i].TrimStart('-'), _words[i].IndexOf('=', StringComparison.Ordinal));
            if (equals > 0)
                yield return (_words[i][..equals].TrimStart('-'), _words[i][(equals + 1)..], i);
            else if (i + 1 < _words.Length)
                yield return (name, _words[i + 1], i + 1);
        }
    }

    private void Replace(int at, string value, string by) =>
        _shown[at] = _words[at].Length == value.Length ? by : Posix.Word(_words[at][..^value.Length]) + by;

    // What systemd puts in place of ${NAME}, and of $NAME that is a word of its own.
    private string Value(string word) => ReferencePattern().Replace(Whole(word), match => match.Value == "$$" ? "$" : _variables.GetValueOrDefault(match.Groups["name"].Value, ""));

    private static string Whole(string word) => WholePattern().IsMatch(word) ? $"${{{word[1..]}}}" : word;

    private static string Text(string word)
    {
        if (WholePattern().IsMatch(word))
            return word;
        var text = new StringBuilder();
        var at = 0;
        foreach (Match match in ReferencePattern().Matches(word))
        {
            Literal(text, word[at..match.Index]);
            if (match.Value == "$$")
                Literal(text, "$");
            else
                text.Append(CultureInfo.InvariantCulture, $"\"{match.Value}\"");
            at = match.Index + match.Length;
        }

        Literal(text, word[at..]);
        return text.Length == 0 ? "''" : text.ToString();
    }

    private static void Literal(StringBuilder text, string literal)
    {
        if (literal.Length > 0)
            text.Append(Posix.Word(literal));
    }

    private static bool IsPort(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= PortMost;

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    [GeneratedRegex("(?:^|[-._])port$|[a-z]Port$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex PortPattern();

    [GeneratedRegex("^(?:b|bind|listen|address|addr|host)$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex BindPattern();

    [GeneratedRegex(@"^(?:host|ip|address|bind|listen|addr)$|[._](?:ip|address)$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex HostPattern();

    [GeneratedRegex(@"\$\$|\$\{(?<name>[A-Za-z_][A-Za-z0-9_]*)\}", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ReferencePattern();

    [GeneratedRegex(@"^\$[A-Za-z_][A-Za-z0-9_]*\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex WholePattern();

    [GeneratedRegex(@"^(?:marimo|jupyter.*|voila|streamlit|shiny|Rscript|panel|bokeh|uvicorn|gunicorn|hypercorn|http\.server|observable)$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ServerPattern();
}
