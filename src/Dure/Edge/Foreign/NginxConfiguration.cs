using System.Text;
using System.Text.RegularExpressions;

namespace Dure.Edge.Foreign;

/// <summary>One file that nginx reads.</summary>
/// <param name="Text">One character is one byte.</param>
internal sealed record NginxFile(string Name, string Text, IReadOnlyList<NginxDirective> Directives, NginxFault? Fault);

/// <summary>One server block.</summary>
/// <param name="Inside">What is in it, with what it includes put in place behind each <c>include</c>.</param>
internal sealed record NginxServer(NginxDirective Self, IReadOnlyList<NginxDirective> Inside);

/// <summary>All that nginx reads, as <c>nginx -T</c> prints it.</summary>
internal sealed partial class NginxConfiguration
{
    private const int IncludesMost = 10;

    private readonly Dictionary<string, NginxFile> _byName;
    private readonly string _main;

    private NginxConfiguration(IReadOnlyList<NginxFile> files)
    {
        Files = files;
        _byName = files.DistinctBy(file => file.Name, StringComparer.Ordinal).ToDictionary(file => file.Name, StringComparer.Ordinal);
        _main = files is [var main, ..] ? Path.GetDirectoryName(main.Name) ?? "/" : "/";
        var http = files is [var first, ..] ? Expand(Expand(first.Directives, 0).Where(one => one.Name == "http").SelectMany(one => one.Block ?? []), 0).ToList() : [];
        Servers = [.. http.Where(one => one is { Name: "server", Block: not null }).Select(one => new NginxServer(one, [.. Expand(one.Block!, 0)]))];
        Upstreams = http.Where(one => one is { Name: "upstream", Words.Count: 1, Block: not null }).DistinctBy(one => one.Words[0], StringComparer.Ordinal).ToDictionary(one => one.Words[0], one => one.Block!, StringComparer.Ordinal);
    }

    public IReadOnlyList<NginxFile> Files { get; }

    public IReadOnlyList<NginxServer> Servers { get; }

    public IReadOnlyDictionary<string, IReadOnlyList<NginxDirective>> Upstreams { get; }

    /// <summary>What could not be read: what is in there is not known.</summary>
    public IEnumerable<NginxFault> Faults => Files.Select(file => file.Fault).OfType<NginxFault>();

    /// <summary>Patterns of files that are read, absolute.</summary>
    public IEnumerable<string> Includes => Files.SelectMany(file => All(file.Directives)).Where(one => one is { Name: "include", Words.Count: 1 }).Select(one => Absolute(one.Words[0])).Distinct(StringComparer.Ordinal);

    public static NginxConfiguration Parse(string dump)
    {
        var heads = HeadPattern().Matches(dump);
        var files = new List<NginxFile>();
        for (var i = 0; i < heads.Count; i++)
        {
            var (start, end) = (heads[i].Index + heads[i].Length, i + 1 < heads.Count ? heads[i + 1].Index : dump.Length);
            // nginx ends each file with a line break of its own.
            var text = dump[start..Math.Max(start, end - 1)];
            var (directives, fault) = NginxText.Parse(heads[i].Groups["file"].Value, text);
            files.Add(new(heads[i].Groups["file"].Value, text, directives, fault));
        }

        return new(files);
    }

    /// <summary>The bytes of a text, and the text of bytes: one for one, whatever they mean.</summary>
    public static Encoding Bytes => Encoding.Latin1;

    public NginxFile? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>What an include names.</summary>
    public IEnumerable<NginxFile> Included(NginxDirective include)
    {
        if (include.Words is not [var pattern])
            return [];
        pattern = Absolute(pattern);
        if (pattern.IndexOfAny(['*', '?', '[']) < 0)
            return Find(pattern) is { } file ? [file] : [];
        // As the shell's patterns: a star crosses no slash and finds no hidden file.
        var regex = "^" + string.Join('/', pattern.Split('/').Select(part => (part is ['*' or '?', ..] ? @"(?!\.)" : "")
            + Regex.Escape(part).Replace(@"\*", "[^/]*", StringComparison.Ordinal).Replace(@"\?", "[^/]", StringComparison.Ordinal).Replace(@"\[", "[", StringComparison.Ordinal))) + @"\z";
        try
        {
            return [.. Files.Where(file => Regex.IsMatch(file.Name, regex, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)))];
        }
        catch (ArgumentException)
        {
            return [];
        }
    }

    /// <summary>Directives with what they include put in place.</summary>
    public IEnumerable<NginxDirective> Expand(IEnumerable<NginxDirective> directives, int depth) => depth > IncludesMost ? [] : directives.SelectMany(one =>
        one.Name == "include" ? [one, .. Included(one).SelectMany(file => Expand(file.Directives, depth + 1))] : (IEnumerable<NginxDirective>)[one]);

    private static IEnumerable<NginxDirective> All(IEnumerable<NginxDirective> directives) => directives.SelectMany(one => one.Block is null ? [one] : All(one.Block).Prepend(one));

    private string Absolute(string path) => path.StartsWith('/') ? path : Path.Combine(_main, path);

    [GeneratedRegex(@"^# configuration file (?<file>.+):\n", RegexOptions.Multiline | RegexOptions.CultureInvariant, 5000)]
    private static partial Regex HeadPattern();
}
