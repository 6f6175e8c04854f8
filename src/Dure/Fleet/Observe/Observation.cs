using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Dure.Fleet.Plan;

namespace Dure.Fleet.Observe;

/// <summary>What stands at a path.</summary>
/// <param name="Type">The bits of <c>st_mode</c> that say what it is, stat(2).</param>
/// <param name="Digest">SHA-256 in hexadecimal; null for what is no readable file.</param>
internal sealed record SeenPath(int Type, string Mode, string Owner, string Group, string? Digest)
{
    private const int TypeMask = 0xF000;

    public bool IsFile => (Type & TypeMask) == 0x8000;

    public bool IsFolder => (Type & TypeMask) == 0x4000;
}

/// <summary>A unit as systemd shows it.</summary>
internal sealed record SeenUnit(string Load, string Active, string Sub, string FileState, bool NeedsReload)
{
    public static readonly SeenUnit None = new("not-found", "inactive", "dead", "", false);

    public bool IsActive => Active is "active" or "reloading" or "activating";

    /// <summary>It starts with the machine, or something else starts it, or nothing can enable it.</summary>
    public bool IsEnabled => FileState is "enabled" or "static" or "indirect" or "generated" or "alias" or "transient" or "enabled-runtime" or "linked";
}

/// <summary>What a health check said. The text is empty when it passed.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SeenHealth(int ExitCode, string Text);

/// <summary>What one machine said of itself at one moment.</summary>
internal sealed class Observation
{
    /// <summary>Of SHA-256 in hexadecimal.</summary>
    private const int DigestLength = 64;

    private readonly List<string> _unitNames = [];
    private readonly List<Dictionary<string, string>> _unitBlocks = [];
    private readonly Dictionary<string, string> _digests = new(StringComparer.Ordinal);
    private readonly List<string> _manifest = [];
    private bool _complete;

    public Dictionary<string, string> Facts { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, SeenPath> Paths { get; } = new(StringComparer.Ordinal);

    /// <summary>Texts of files of which only a block is the fleet's.</summary>
    public Dictionary<string, string> Texts { get; } = new(StringComparer.Ordinal);

    /// <summary>Versions of installed packages.</summary>
    public Dictionary<string, string> Packages { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, SeenUnit> Units { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, string> Stamps { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, string> Sysctls { get; } = new(StringComparer.Ordinal);

    /// <summary>Lines of passwd(5).</summary>
    public Dictionary<string, string> Users { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, string> Groups { get; } = new(StringComparer.Ordinal);

    /// <summary>Steps that are done, by their number.</summary>
    public HashSet<int> StepsDone { get; } = [];

    /// <summary>Roles that this machine leads.</summary>
    public HashSet<string> Leads { get; } = new(StringComparer.Ordinal);

    public Dictionary<int, SeenHealth> Health { get; } = [];

    /// <summary>SHA-256 of the record that <see cref="Manifest"/> was read from: a plan holds as long as it is the same.</summary>
    public string ManifestDigest => Lowered.Digest(string.Concat(_manifest.Select(line => line + "\n")));

    /// <summary>What earlier applies made.</summary>
    public Manifest Manifest { get; private set; } = Manifest.Empty;

    /// <summary>Reads what <see cref="ObservationScript"/> printed; null when it is not all there.</summary>
    public static Observation? Read(IEnumerable<string> lines)
    {
        var seen = new Observation();
        foreach (var line in lines)
            seen.Take(line);
        if (!seen._complete)
            return null;
        seen.Manifest = Manifest.Read(seen._manifest);
        foreach (var (path, digest) in seen._digests)
        {
            if (seen.Paths.TryGetValue(path, out var known))
                seen.Paths[path] = known with { Digest = digest };
        }

        for (var i = 0; i < Math.Min(seen._unitNames.Count, seen._unitBlocks.Count); i++)
        {
            var block = seen._unitBlocks[i];
            string Of(string key) => block.GetValueOrDefault(key, "");
            seen.Units[seen._unitNames[i]] = new(Of("LoadState"), Of("ActiveState"), Of("SubState"), Of("UnitFileState"), Of("NeedDaemonReload") == "yes");
        }

        return seen;
    }

    private void Take(string line)
    {
        switch (line.Split('\t'))
        {
            case ["fact", var name, var value]:
                Facts[name] = value;
                break;
            case ["manifest", .. var rest]:
                _manifest.Add(string.Join('\t', rest));
                break;
            case ["stat", var path, var type, var mode, var owner, var group]:
                Paths[path] = new(int.Parse(type, NumberStyles.HexNumber, CultureInfo.InvariantCulture), mode, owner, group, null);
                break;
            case ["text", var path, var packed]:
                Texts[path] = Encoding.UTF8.GetString(Convert.FromBase64String(packed));
                break;
            case ["package", var name, "installed", var version]:
                Packages[name] = version;
                break;
            case ["units", var names]:
                _unitNames.AddRange(names.Split(' ', StringSplitOptions.RemoveEmptyEntries));
                break;
            case ["end"]:
                _complete = true;
                break;
            case [var plain]:
                TakePlain(plain);
                break;
            case var fields:
                TakeMore(fields);
                break;
        }
    }

    /// <summary>Lines as programs print them: <c>sha256sum</c>'s digests, and the properties of <c>systemctl show</c>, where one that comes again begins the next unit.</summary>
    private void TakePlain(string line)
    {
        var sum = line.StartsWith('\\') ? line[1..] : line;
        if (sum.Length > DigestLength + 2 && sum[DigestLength] == ' ' && !sum.AsSpan(0, DigestLength).ContainsAnyExcept("0123456789abcdef"))
        {
            _digests[sum[(DigestLength + 2)..]] = sum[..DigestLength];
        }
        else if (_unitNames.Count > 0 && line.IndexOf('=', StringComparison.Ordinal) is > 0 and var at)
        {
            if (_unitBlocks.Count == 0 || _unitBlocks[^1].ContainsKey(line[..at]))
                _unitBlocks.Add(new(StringComparer.Ordinal));
            _unitBlocks[^1][line[..at]] = line[(at + 1)..];
        }
    }

    private void TakeMore(string[] fields)
    {
        switch (fields)
        {
            case ["stamp", var unit, var stamp]:
                Stamps[unit] = stamp;
                break;
            case ["sysctl", var key, .. var value]:
                Sysctls[key] = string.Join('\t', value);
                break;
            case ["user", var line]:
                Users[line.Split(':')[0]] = line;
                break;
            case ["groups", var user, var names]:
                Groups[user] = names;
                break;
            case ["step", var number, "0"]:
                StepsDone.Add(int.Parse(number, CultureInfo.InvariantCulture));
                break;
            case ["leads", var role, "0"]:
                Leads.Add(role);
                break;
            case ["health", var number, var code, var text]:
                Health[int.Parse(number, CultureInfo.InvariantCulture)] = new(int.Parse(code, CultureInfo.InvariantCulture), Encoding.UTF8.GetString(Convert.FromBase64String(text)));
                break;
        }
    }
}
