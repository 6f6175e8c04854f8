using System.Text.RegularExpressions;
using Dure.Edge;
using Dure.Host;
using Dure.Host.Texts;

namespace Dure.Apps.Detect;

/// <summary>What <c>app.yaml</c> says; null where it says nothing.</summary>
public sealed record AppSettings
{
    public string? Id { get; init; }

    public string? Kind { get; init; }

    public string? Command { get; init; }

    public string? Entry { get; init; }

    public string? Health { get; init; }

    public TimeSpan? StartTimeout { get; init; }

    public TimeSpan? Drain { get; init; }

    public long? MemoryBytes { get; init; }

    public string? Gpus { get; init; }

    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    public long? BodyBytes { get; init; }

    public Visibility? Visibility { get; init; }

    public bool? KeepsPrefix { get; init; }

    public bool? CacheHashed { get; init; }

    public IReadOnlyList<string> Exclude { get; init; } = [];
}

/// <summary>Reads <c>app.yaml</c>. Every mistake is reported at once, with line and column.</summary>
internal static partial class AppYaml
{
    public const string FileName = "app.yaml";

    private static readonly string[] Reserved = ["HOST", "PORT", "BASE_PATH", "HOME", "DURE_APP", "DURE_APP_ROOT", "DURE_PROGRAM"];

    public static Outcome<AppSettings> Parse(string text)
    {
        var faults = new List<Fault>();
        var settings = new AppSettings();
        switch (YamlTree.Read(text, FileName, faults))
        {
            case YamlMap map:
                settings = Read(new YamlFields(map, FileName, "", faults));
                break;
            case YamlText { IsNull: true } or null:
                break;
            case var other:
                faults.Add(new($"{FileName}:{other.Line}:{other.Column}", "the file must hold `key: value` lines"));
                break;
        }

        return faults.Count == 0 ? settings : AppErrors.YamlInvalid.With(faults.Count == 1 ? $"{FileName} has a mistake." : $"{FileName} has {faults.Count} mistakes.", faults);
    }

    private static AppSettings Read(YamlFields fields)
    {
        var settings = new AppSettings
        {
            Id = Checked(fields, "id", AppSpec.IdFault),
            Kind = Checked(fields, "kind", kind => Detection.Kinds.Contains(kind, StringComparer.Ordinal) ? null : $"there is no kind \"{Shown.Safely(kind)}\"; there are {string.Join(", ", Detection.Kinds)}"),
            Command = Checked(fields, "command", OneLine),
            Entry = Checked(fields, "entry", Inside),
            Health = Checked(fields, "health", OneLine)?.TrimStart('/'),
            StartTimeout = fields.Duration("start_timeout", TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
            Drain = fields.Duration("drain", TimeSpan.Zero, TimeSpan.FromDays(7)),
            MemoryBytes = fields.Bytes("memory", 16L << 20, 64L << 40),
            Gpus = Checked(fields, "gpus", gpus => GpuPattern().IsMatch(gpus) ? null : "it must be all, none, or indices such as 0,1"),
            Environment = Variables(fields),
            BodyBytes = fields.Bytes("upload_limit", 0, 1L << 40),
            Visibility = fields.Choice("visibility", ("public", Edge.Visibility.Public), ("local", Edge.Visibility.Local)),
            KeepsPrefix = fields.Choice("base_path", ("keep", true), ("strip", false)),
            CacheHashed = fields.Flag("cache_hashed"),
            Exclude = Names(fields, "exclude"),
        };
        if (settings is { Command: not null, Kind: not (null or AppSpec.Custom) })
            fields.Fault(fields.Node("kind")!, "`command:` says how it is started, so `kind:` has nothing to say; leave one of them out");
        if (settings is { Command: not null, Entry: not null })
            fields.Fault(fields.Node("entry")!, "`command:` says how it is started, so `entry:` has nothing to say; leave one of them out");
        fields.RefuseUnknown();
        return settings;
    }

    private static string? Checked(YamlFields fields, string key, Func<string, string?> fault)
    {
        if (fields.Scalar(key) is not { } text)
            return null;
        if (fault(text.Text) is not { } what)
            return text.Text;
        fields.Fault(text, $"`{key}`: {what}");
        return null;
    }

    private static string? OneLine(string text) => text.Any(char.IsControl) ? "it must be one line" : null;

    private static string? Inside(string path) => path.StartsWith('/') || path.Split('/').Contains("..", StringComparer.Ordinal) || path.Any(char.IsControl) ? "it must be a file or folder inside" : null;

    private static Dictionary<string, string>? Variables(YamlFields fields)
    {
        if (fields.Node("environment") is not { } node)
            return null;
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        if (node is not YamlMap map)
        {
            fields.Fault(node, "`environment` must be `NAME: value` lines");
            return null;
        }

        foreach (var (name, value) in map.Entries)
        {
            if (!VariablePattern().IsMatch(name.Text))
                fields.Fault(name, $"\"{Shown.Safely(name.Text)}\" cannot be the name of an environment variable");
            else if (Reserved.Contains(name.Text, StringComparer.Ordinal))
                fields.Fault(name, $"`{name.Text}` is set by Dure itself");
            else if (value is not YamlText text || text.Text.Any(char.IsControl))
                fields.Fault(value, $"`environment.{name.Text}` must be a single line");
            else
                values[name.Text] = text.IsNull ? "" : text.Text;
        }

        return values;
    }

    private static List<string> Names(YamlFields fields, string key)
    {
        var names = new List<string>();
        if (fields.Node(key) is not { } node)
            return names;
        foreach (var item in node is YamlList list ? list.Items : [node])
        {
            if (item is YamlText text && Inside(text.Text) is null)
                names.Add(text.Text.Trim('/'));
            else
                fields.Fault(item, $"`{key}` must be a list of files and folders inside");
        }

        return names;
    }

    [GeneratedRegex("^(?:all|none|[0-9]{1,3}(?:,[0-9]{1,3})*)\\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex GpuPattern();

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]{0,127}\\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex VariablePattern();
}
