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

    public TimeSpan? SleepAfter { get; init; }

    public long? MemoryBytes { get; init; }

    public string? Gpus { get; init; }

    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    public long? BodyBytes { get; init; }

    public Visibility? Visibility { get; init; }

    public bool? KeepsPrefix { get; init; }

    public bool? CacheHashed { get; init; }

    public AppWaf? Waf { get; init; }

    public IReadOnlyList<string> Exclude { get; init; } = [];

    public AppAbout About { get; init; } = AppAbout.Nothing;
}

/// <summary>Reads <c>app.yaml</c>. Every mistake is reported at once, with line and column.</summary>
internal static partial class AppYaml
{
    public const string FileName = "app.yaml";

    private static readonly string[] Reserved = ["HOST", "PORT", "BASE_PATH", "HOME", "DURE_APP", "DURE_APP_ROOT", "DURE_PROGRAM"];

    public static Outcome<AppSettings> Parse(string text)
    {
        var (settings, faults) = YamlFields.Parse(text, FileName, Read, new AppSettings());
        return faults.Count == 0 ? settings : AppErrors.YamlInvalid.With(faults.Count == 1 ? $"{FileName} has a mistake." : $"{FileName} has {faults.Count} mistakes.", faults);
    }

    private static AppSettings Read(YamlFields fields)
    {
        var settings = new AppSettings
        {
            Id = fields.Checked("id", AppSpec.IdFault),
            Kind = fields.Checked("kind", kind => Detection.Kinds.Contains(kind, StringComparer.Ordinal) ? null : $"there is no kind \"{Shown.Safely(kind)}\"; there are {string.Join(", ", Detection.Kinds)}"),
            Command = fields.Checked("command", OneLine),
            Entry = fields.Checked("entry", Inside),
            Health = fields.Checked("health", OneLine)?.TrimStart('/'),
            StartTimeout = fields.Duration("start_timeout", TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
            Drain = fields.Duration("drain", TimeSpan.Zero, TimeSpan.FromDays(7)),
            SleepAfter = fields.Duration("sleep_after", TimeSpan.FromSeconds(1), TimeSpan.FromDays(365)),
            MemoryBytes = fields.Bytes("memory", 16L << 20, 64L << 40),
            Gpus = fields.Checked("gpus", gpus => GpuPattern().IsMatch(gpus) ? null : "it must be all, none, or indices such as 0,1"),
            Environment = fields.Variables("environment", VariableFault, static value => value is YamlText text && !text.Text.Any(char.IsControl) ? null : "must be a single line"),
            BodyBytes = fields.Bytes("upload_limit", 0, 1L << 40),
            Visibility = fields.Choice("visibility", ("public", Edge.Visibility.Public), ("members", Edge.Visibility.Members), ("link", Edge.Visibility.Link), ("local", Edge.Visibility.Local)),
            KeepsPrefix = fields.Choice("base_path", ("keep", true), ("strip", false)),
            CacheHashed = fields.Flag("cache_hashed"),
            Waf = AppWafYaml.Read(fields),
            Exclude = Names(fields, "exclude"),
            About = AboutYaml.Read(fields),
        };
        if (settings is { Command: not null, Kind: not (null or AppSpec.Custom) })
            fields.Fault(fields.Node("kind")!, "`command:` says how it is started, so `kind:` has nothing to say; leave one of them out");
        if (settings is { Command: not null, Entry: not null })
            fields.Fault(fields.Node("entry")!, "`command:` says how it is started, so `entry:` has nothing to say; leave one of them out");
        fields.RefuseUnknown();
        return settings;
    }

    private static string? OneLine(string text) => text.Any(char.IsControl) ? "it must be one line" : null;

    private static string? Inside(string path) => path.StartsWith('/') || path.Split('/').Contains("..", StringComparer.Ordinal) || path.Any(char.IsControl) ? "it must be a file or folder inside" : null;

    private static string? VariableFault(string name) => !VariablePattern().IsMatch(name) ? $"\"{Shown.Safely(name)}\" cannot be the name of an environment variable"
        : Reserved.Contains(name, StringComparer.Ordinal) ? $"`{name}` is set by Dure itself" : null;

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
