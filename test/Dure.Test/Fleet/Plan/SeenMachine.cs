using System.Text;
using Dure.Fleet.Desired;
using Dure.Fleet.Observe;
using Dure.Fleet.Plan;

namespace Dure.Test.Fleet.Plan;

/// <summary>What a machine would print of itself, made up line by line.</summary>
internal sealed class SeenMachine
{
    private readonly Dictionary<string, (string Type, string Mode, string Owner, string Group, string? Text)> _paths = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string[]> _units = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _stamps = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _sysctls = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _users = new(StringComparer.Ordinal);

    public HashSet<string> Packages { get; } = new(StringComparer.Ordinal);

    public HashSet<int> StepsDone { get; } = [];

    public Manifest Manifest { get; set; } = Manifest.Empty;

    /// <summary>A machine that was made what it should be.</summary>
    public static SeenMachine After(Lowered desired, Manifest? before = null, params string[] packagesBefore)
    {
        var seen = new SeenMachine { Manifest = Manifest.After(desired, before ?? Manifest.Empty, packagesBefore.ToDictionary(name => name, _ => "1", StringComparer.Ordinal)) };
        seen.Packages.UnionWith(desired.Packages.Select(package => package.Name).Concat(packagesBefore));
        foreach (var folder in desired.Folders)
            seen._paths[folder.Path] = ("41ed", folder.Mode.TrimStart('0'), folder.Owner, folder.Group, null);
        foreach (var file in desired.Files.Where(file => file.Kind != FileKind.Absent))
            seen.File(file.Path, file.Kind == FileKind.Block ? Block.Put("mine\n", file.Text) : file.Text, file.Mode.TrimStart('0'), file.Owner, file.Group);
        foreach (var tree in desired.Trees)
            seen._paths[tree.Path] = ("41ed", "755", "root", "root", null);
        foreach (var unit in desired.Units)
        {
            seen.Unit(unit.Name, unit.State == UnitState.Running ? "active" : "inactive", unit.State switch { UnitState.Masked => "masked", UnitState.Stopped => "disabled", _ => "enabled" });
            if (unit.State == UnitState.Running)
                seen.Stamp(unit.Name, desired.Stamp(unit));
        }

        foreach (var sysctl in desired.Sysctls)
            seen._sysctls[sysctl.Key] = sysctl.Value;
        foreach (var user in desired.Users)
            seen._users[user.Name] = string.Join(' ', user.Groups.Prepend(user.Name));
        seen.StepsDone.UnionWith(Enumerable.Range(0, desired.Steps.Count));
        return seen;
    }

    public SeenMachine File(string path, string text, string mode = "644", string owner = "root", string group = "root")
    {
        _paths[path] = ("81a4", mode, owner, group, text);
        return this;
    }

    public SeenMachine Gone(string path)
    {
        _paths.Remove(path);
        return this;
    }

    public SeenMachine Unit(string name, string active, string fileState)
    {
        _units[name] = [fileState == "masked" ? "masked" : "loaded", active, fileState];
        return this;
    }

    public SeenMachine Stamp(string unit, string stamp)
    {
        _stamps[unit] = stamp;
        return this;
    }

    public SeenMachine Sysctl(string key, string value)
    {
        _sysctls[key] = value;
        return this;
    }

    public Observation Read()
    {
        var lines = new List<string>();
        lines.AddRange(Manifest.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => "manifest\t" + line));
        foreach (var (path, there) in _paths)
        {
            lines.Add($"stat\t{path}\t{there.Type}\t{there.Mode}\t{there.Owner}\t{there.Group}");
            if (there.Text is { } text)
            {
                lines.Add($"{Lowered.Digest(text)}  {path}");
                lines.Add($"text\t{path}\t{Convert.ToBase64String(Encoding.UTF8.GetBytes(text))}");
            }
        }

        lines.AddRange(Packages.Select(name => $"package\t{name}\tinstalled\t1"));
        if (_units.Count > 0)
            lines.Add("units\t" + string.Join(' ', _units.Keys));
        lines.AddRange(string.Join("\n\n", _units.Values.Select(unit => $"LoadState={unit[0]}\nActiveState={unit[1]}\nSubState=x\nUnitFileState={unit[2]}\nNeedDaemonReload=no")).Split('\n').Where(_ => _units.Count > 0));
        lines.AddRange(_stamps.Select(stamp => $"stamp\t{stamp.Key}\t{stamp.Value}"));
        lines.AddRange(_sysctls.Select(sysctl => $"sysctl\t{sysctl.Key}\t{sysctl.Value}"));
        lines.AddRange(_users.SelectMany(user => new[] { $"user\t{user.Key}:x:999:999::/:/bin/false", $"groups\t{user.Key}\t{user.Value}" }));
        lines.AddRange(StepsDone.Select(step => $"step\t{step}\t0"));
        lines.Add("end");
        return Observation.Read(lines)!;
    }
}
