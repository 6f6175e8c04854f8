using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Dure.Host.Configuration;

/// <summary>A value as it stands in a file. Lists of words are joined by commas.</summary>
/// <param name="Where"><c>dure.yaml:3:5</c>, where the value begins.</param>
internal sealed record FileEntry(string Key, string Text, string Where, string KeyWhere);

/// <summary>Reads dure.yaml into dotted keys, keeping lines and columns, and finding every fault in one pass.</summary>
internal sealed class ConfigurationFile(string path)
{
    /// <summary>Longest file that is read, bytes.</summary>
    public const int LengthMax = 4 << 20;

    /// <summary>Sections of dure.yaml that declare a fleet of machines. They are read elsewhere and are no settings of a server.</summary>
    public static readonly IReadOnlyList<string> FleetSections = ["fleet", "networks", "machines", "roles", "objectives"];

    private readonly List<FileEntry> _entries = [];
    private readonly List<Fault> _faults = [];

    /// <summary>Every value in the file and every fault of its form; keys are not checked here.</summary>
    public static (IReadOnlyList<FileEntry> Entries, IReadOnlyList<Fault> Faults) Read(string path, string content)
    {
        var file = new ConfigurationFile(path);
        try
        {
            file.ReadDocument(new Parser(new StringReader(content)));
        }
        catch (YamlException syntax)
        {
            var tab = Array.FindIndex(content.Split('\n'), line => line.StartsWith('\t'));
            file._faults.Add(tab >= 0
                ? new(file.At(new Mark(0, tab + 1, 1)), "indent with spaces; YAML does not allow tabs")
                : new(file.At(syntax.End), "this is not YAML: " + syntax.Message.TrimEnd('.')));
        }

        return (file._entries, file._faults);
    }

    private void ReadDocument(Parser parser)
    {
        parser.Consume<StreamStart>();
        if (!parser.TryConsume<DocumentStart>(out _))
        {
            return;
        }

        if (parser.TryConsume<MappingStart>(out _))
        {
            ReadMapping(parser, "");
        }
        else if (parser.Current is not Scalar { Value.Length: 0 })
        {
            _faults.Add(new(At(parser.Current!.Start), "expected keys and values, such as `port: 7070`"));
        }
    }

    private void ReadMapping(Parser parser, string prefix)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (!parser.TryConsume<Scalar>(out var key))
            {
                _faults.Add(new(At(parser.Current!.Start), "expected a key"));
                parser.SkipThisAndNestedEvents();
                parser.SkipThisAndNestedEvents();
                continue;
            }

            var dotted = prefix + key.Value;
            if (!seen.Add(key.Value))
            {
                _faults.Add(new(At(key.Start), $"{dotted} is given twice"));
            }

            if (prefix.Length == 0 && FleetSections.Contains(key.Value, StringComparer.Ordinal))
            {
                parser.SkipThisAndNestedEvents();
                continue;
            }

            ReadValue(parser, dotted, At(key.Start));
        }
    }

    private void ReadValue(Parser parser, string dotted, string keyWhere)
    {
        var where = At(parser.Current!.Start);
        if (parser.TryConsume<MappingStart>(out _))
        {
            ReadMapping(parser, dotted + ".");
        }
        else if (parser.TryConsume<SequenceStart>(out _))
        {
            _entries.Add(new(dotted, string.Join(',', ReadSequence(parser)), where, keyWhere));
        }
        else if (parser.TryConsume<Scalar>(out var scalar))
        {
            var isEmpty = scalar.Style == ScalarStyle.Plain && scalar.Value is "" or "~" or "null";
            var isSection = Settings.All.Any(setting => setting.Section.Equals(dotted, StringComparison.Ordinal)) || dotted is "storage" or "storage.providers" or "signin.oidc";
            if (isEmpty && !isSection)
            {
                _faults.Add(new(keyWhere, $"{dotted} has no value; leave the line out to take the default, or write \"\" for an empty text"));
            }
            else if (!isEmpty)
            {
                _entries.Add(new(dotted, scalar.Value, where, keyWhere));
            }
        }
        else
        {
            _faults.Add(new(where, "anchors and aliases are not supported here"));
            parser.SkipThisAndNestedEvents();
        }
    }

    private List<string> ReadSequence(Parser parser)
    {
        var items = new List<string>();
        while (!parser.TryConsume<SequenceEnd>(out _))
        {
            if (parser.TryConsume<Scalar>(out var item))
            {
                items.Add(item.Value);
            }
            else
            {
                _faults.Add(new(At(parser.Current!.Start), "expected a word or a number"));
                parser.SkipThisAndNestedEvents();
            }
        }

        return items;
    }

    private string At(Mark mark) => string.Create(CultureInfo.InvariantCulture, $"{path}:{mark.Line}:{mark.Column}");
}
