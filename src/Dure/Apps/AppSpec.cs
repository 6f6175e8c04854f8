using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Dure.Apps.Adopting;
using Dure.Edge;
using Dure.Edge.Waf;

namespace Dure.Apps;

/// <summary>What a version of an app is: how it is started, when it is well, what it may use.</summary>
/// <param name="Kind">What it was recognised as: marimo, jupyter, shiny, static, command.</param>
/// <param name="Command">One line of shell. It finds HOST, PORT and BASE_PATH in its environment.</param>
public sealed partial record AppSpec(string Kind, string Command)
{
    public const string Marimo = "marimo";
    public const string Jupyter = "jupyter";
    public const string Shiny = "shiny";
    public const string Static = "static";
    public const string Custom = "command";

    /// <summary>Below the app's path, without a slash before it; it is well when this answers below 400.</summary>
    public string Health { get; init; } = "";

    public int StartSeconds { get; init; } = 60;

    /// <summary>How long a version that is no longer live is kept for those who are still connected to it.</summary>
    public int DrainSeconds { get; init; } = 600;

    /// <summary>It is stopped when nobody asked for it for so long; null for never.</summary>
    public int? SleepSeconds { get; init; }

    /// <summary>Bytes; null for all there is.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>all, none, or indices with commas.</summary>
    public string Gpus { get; init; } = "all";

    /// <summary>Folder of the virtual environment that it is started from, outside the folder that is published; null for none.</summary>
    public string? VirtualEnvironment { get; init; }

    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Of a request's body; 0 for no limit.</summary>
    public long BodyBytes { get; init; } = 64L << 20;

    public Visibility Visibility { get; init; }

    /// <summary>Whether the app sees the whole path, or only what comes after its own.</summary>
    public bool KeepsPrefix { get; init; } = true;

    public bool CachesHashed { get; init; } = true;

    /// <summary>For the index; null in what was published before there was one.</summary>
    public AppAbout? About { get; init; }

    /// <summary>How the edge's firewall looks at it; null for as the server's settings say.</summary>
    public AppWaf? Waf { get; init; }

    /// <summary>The hand-made unit in whose place it comes; null when there is none, or none any more.</summary>
    public AdoptedUnit? Adopts { get; init; }

    /// <summary>The reason why it cannot be an id of an app; null when it can.</summary>
    public static string? IdFault(string id) => IdPattern().IsMatch(id) ? null : $"'{Host.Texts.Shown.Safely(id)}' cannot be the id of an app.";

    /// <summary>What an id could be made of a name; null when nothing of it can be used.</summary>
    public static string? IdFrom(string name)
    {
        var id = NotForIds().Replace(name.ToLowerInvariant(), "-").Trim('-');
        id = id.Length > 40 ? id[..40].TrimEnd('-') : id;
        return id.Length > 0 ? id : null;
    }

    [GeneratedRegex("^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex IdPattern();

    [GeneratedRegex("[^a-z0-9]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex NotForIds();
}

/// <summary>What an app says itself of the firewall before it; null for as the server's settings say.</summary>
/// <param name="Exclude">As <see cref="WafExclusion"/> is written; paths without a slash at their beginning are below the app's.</param>
public sealed record AppWaf(WafMode? Mode, int? Paranoia, IReadOnlyList<string> Exclude);

/// <summary>JSON of specifications, as the database keeps them and as the command line sends them.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(AppSpec))]
internal sealed partial class SpecJson : JsonSerializerContext;
