using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Dure.Host.Texts;

/// <summary>A piece of a YAML file that knows where it stands. Lines and columns count from 1.</summary>
internal abstract record YamlNode(long Line, long Column);

/// <summary>Text as written.</summary>
/// <param name="Quoted">In quotes or as a block, and so always text.</param>
internal sealed record YamlText(string Text, bool Quoted, long Line, long Column) : YamlNode(Line, Column)
{
    public bool IsNull => !Quoted && Text is "" or "~" or "null" or "Null" or "NULL";
}

internal sealed record YamlList(IReadOnlyList<YamlNode> Items, long Line, long Column) : YamlNode(Line, Column);

internal sealed record YamlMap(IReadOnlyList<KeyValuePair<YamlText, YamlNode>> Entries, long Line, long Column) : YamlNode(Line, Column);

/// <summary>
/// Reads one small YAML document into nodes. Refuses what settings never need and what can be turned against a reader: anchors
/// and aliases, tags, depth, size. The same key twice is a fault.
/// </summary>
internal sealed class YamlTree
{
    /// <summary>Longest text that is read where the caller does not say more, characters.</summary>
    public const int LengthMax = 64 * 1024;
    private const int DepthMax = 16;

    private readonly string _file;
    private readonly List<Fault> _faults;
    private readonly Parser _parser;

    private YamlTree(string text, string file, List<Fault> faults) => (_parser, _file, _faults) = (new Parser(new StringReader(text)), file, faults);

    /// <summary>The top node; null when the file is empty or when there is nothing to go on with. Faults are added to the list.</summary>
    public static YamlNode? Read(string text, string file, List<Fault> faults, int lengthMax = LengthMax)
    {
        if (text.Length > lengthMax)
        {
            faults.Add(new(file, $"the file is longer than {lengthMax / 1024} KiB"));
            return null;
        }

        if (text.IndexOf('\0', StringComparison.Ordinal) is >= 0 and var nul)
        {
            faults.Add(new($"{file}:{text.AsSpan(0, nul).Count('\n') + 1}", "the file holds a NUL byte; it must be plain UTF-8 text"));
            return null;
        }

        YamlTree? tree = null;
        try
        {
            tree = new YamlTree(text, file, faults);
            return tree.Document();
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException)
        {
            // Some malformed texts make the scanner itself fail.
            var at = tree?._parser.Current?.End ?? Mark.Empty;
            faults.Add(new($"{file}:{at.Line}:{at.Column}", "not valid YAML after this place"));
            return null;
        }
        catch (YamlException) when (Array.FindIndex(text.Split('\n'), static line => line.TrimStart(' ').StartsWith('\t')) is >= 0 and var tab)
        {
            faults.Add(new($"{file}:{tab + 1}:{text.Split('\n')[tab].IndexOf('\t', StringComparison.Ordinal) + 1}", "indent with spaces; YAML does not allow tabs"));
            return null;
        }
        catch (YamlException e)
        {
            faults.Add(new($"{file}:{e.Start.Line}:{e.Start.Column}", $"not valid YAML: {Reason(e)}"));
            return null;
        }
    }

    private static string Reason(YamlException e)
    {
        var text = e.Message;
        var after = text.IndexOf("): ", StringComparison.Ordinal);
        return text.StartsWith('(') && after > 0 ? text[(after + 3)..] : text;
    }

    private YamlNode? Document()
    {
        _parser.Consume<StreamStart>();
        if (_parser.TryConsume<StreamEnd>(out _))
            return null;
        _parser.Consume<DocumentStart>();
        var node = Node(0);
        _parser.Consume<DocumentEnd>();
        if (_parser.Current is DocumentStart second)
            Fault(second.Start, "a second document begins here; only one is read");
        return node;
    }

    private YamlNode? Node(int depth)
    {
        if (depth > DepthMax)
            throw new YamlException(_parser.Current!.Start, _parser.Current.End, $"more than {DepthMax} levels");
        if (_parser.Current is NodeEvent node && (!node.Anchor.IsEmpty || !node.Tag.IsEmpty))
            Fault(node.Start, "anchors (&) and tags (!) are not used here; quote the text if it begins with such a sign");
        if (_parser.TryConsume<AnchorAlias>(out var alias))
        {
            Fault(alias.Start, "aliases (*) are not used here; quote the text if it begins with a star");
            return null;
        }

        if (_parser.TryConsume<Scalar>(out var scalar))
            return new YamlText(scalar.Value, scalar.Style != ScalarStyle.Plain, scalar.Start.Line, scalar.Start.Column);
        return _parser.TryConsume<SequenceStart>(out var list) ? List(list, depth) : Map(_parser.Consume<MappingStart>(), depth);
    }

    private YamlList List(SequenceStart start, int depth)
    {
        var items = new List<YamlNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            if (Node(depth + 1) is { } item)
                items.Add(item);
        }

        return new(items, start.Start.Line, start.Start.Column);
    }

    private YamlMap Map(MappingStart start, int depth)
    {
        var entries = new List<KeyValuePair<YamlText, YamlNode>>();
        var lines = new Dictionary<string, long>(StringComparer.Ordinal);
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var at = _parser.Current!.Start;
            var key = Node(depth + 1) as YamlText;
            var value = Node(depth + 1);
            if (key is null)
                Fault(at, "a key must be plain text");
            else if (lines.TryGetValue(key.Text, out var line))
                Fault(at, $"`{key.Text}` is there twice; first on line {line}");
            else if (value is not null)
            {
                lines.Add(key.Text, key.Line);
                entries.Add(new(key, value));
            }
        }

        return new(entries, start.Start.Line, start.Start.Column);
    }

    private void Fault(Mark at, string what) => _faults.Add(new($"{_file}:{at.Line}:{at.Column}", what));
}
