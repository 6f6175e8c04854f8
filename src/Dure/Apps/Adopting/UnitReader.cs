using System.Text.RegularExpressions;
using Dure.Apps.Running;

namespace Dure.Apps.Adopting;

/// <summary>What a unit's text says of an app.</summary>
internal static partial class UnitReader
{
    /// <summary>Set by Dure itself for each version, or by systemd.</summary>
    private static readonly string[] Reserved = ["HOST", "PORT", "BASE_PATH", "HOME", "DURE_APP", "DURE_APP_ROOT", "DURE_PROGRAM", "PYTHONUNBUFFERED"];

    /// <summary>What a unit can ask for and a published app does not get from it.</summary>
    private static readonly string[] Left =
    [
        "ExecStartPre", "ExecStartPost", "ExecStop", "ExecStopPost", "MemoryMax", "MemoryHigh", "MemoryLimit", "CPUQuota", "SupplementaryGroups", "LoadCredential", "StateDirectory", "CacheDirectory", "RuntimeDirectory",
        "BindPaths", "BindReadOnlyPaths", "ReadWritePaths", "AmbientCapabilities", "LimitNOFILE", "LimitMEMLOCK",
    ];

    /// <param name="homeOf">The home of a user; null for nobody.</param>
    /// <returns>Null for what serves nothing that could be an app.</returns>
    public static FoundUnit? Read(string name, string file, string text, Func<string, string?> homeOf)
    {
        var unit = UnitText.Parse(text);
        if (unit.Last("ExecStart") is not { } start)
            return null;
        var user = unit.Last("User");
        var obstacles = new List<string>();
        var home = homeOf(user ?? "root");
        string Said(string value) => Specified(value, name, home, obstacles);
        var variables = unit.All("Environment").SelectMany(line => UnitText.Words(Said(line))).Select(pair => pair.Split('=', 2)).Where(pair => pair.Length == 2)
            .GroupBy(pair => pair[0], StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Last()[1], StringComparer.Ordinal);
        var marks = start[..(start.Length - start.TrimStart('@', '-', ':', '+', '!', '|').Length)];
        var words = UnitText.Words(Said(start[marks.Length..]));
        if (words.Count == 0)
            return null;
        var command = new UnitCommand(words, variables);
        if (command.Port is null && !command.IsServer && !name.StartsWith("paper", StringComparison.Ordinal))
            return null;
        var folder = FolderOf(unit.Last("WorkingDirectory") is { } written ? Said(written) : null, home, obstacles);
        Hinder(unit, marks, obstacles);
        if (command.Port is null)
            obstacles.Add("neither ExecStart nor Environment says which port it listens on");
        var environment = EnvironmentOf(command.Program, variables);
        if (Hidden(command.Program, folder, environment))
            obstacles.Add($"{command.Program} lies in a home and in no virtual environment: a published app does not see it");
        var marimo = command.Is(AppSpec.Marimo);
        var spec = command.Port is null ? null : new AppSpec(marimo ? AppSpec.Marimo : AppSpec.Custom, command.Shell(folder, environment))
        {
            Health = marimo ? "health" : "",
            VirtualEnvironment = environment,
            Variables = variables.Where(pair => !Reserved.Contains(pair.Key, StringComparer.Ordinal) && !command.Ported.Contains(pair.Key, StringComparer.Ordinal)).ToDictionary(StringComparer.Ordinal),
        };
        return new(name, file, start, folder, user, command.Port, spec, obstacles, [.. Left.Where(key => unit.Last(key) is not null).Select(key => $"{key}= of the unit does not go along")])
        {
            EnvironmentFiles = [.. unit.All("EnvironmentFile")],
        };
    }

    private static string? FolderOf(string? written, string? home, List<string> obstacles)
    {
        var folder = written?.TrimStart('-') is ['/', _, ..] path ? Path.TrimEndingDirectorySeparator(path) : null;
        if (folder is null)
            obstacles.Add("it has no WorkingDirectory=, so which folder to publish is not known");
        else if (folder == home || folder is "/root" or "/home" or "/srv" or "/opt" || Path.GetDirectoryName(folder) == "/home")
            obstacles.Add($"its WorkingDirectory {folder} holds more than one app");
        else
            return folder;
        return null;
    }

    private static void Hinder(UnitText unit, string marks, List<string> obstacles)
    {
        if (marks.Contains('@', StringComparison.Ordinal))
            obstacles.Add("ExecStart=@ gives its program another name");
        if (marks.Contains('|', StringComparison.Ordinal))
            obstacles.Add("ExecStart=| runs it in a login shell");
        if (unit.All("ExecStart").Count > 1)
            obstacles.Add("it has more than one ExecStart=");
        if (unit.Last("Type") is ("forking" or "oneshot") and var type)
            obstacles.Add($"Type={type}: its process is not the one that serves");
        foreach (var key in new[] { "RootDirectory", "RootImage", "NetworkNamespacePath" })
        {
            if (unit.Last(key) is not null)
                obstacles.Add($"{key}=: it lives in a system of its own");
        }
    }

    private static string? EnvironmentOf(string program, Dictionary<string, string> variables)
    {
        if (program.StartsWith('/') && Path.GetDirectoryName(Path.GetDirectoryName(program)) is { } above && VirtualEnvironment.IsOne(above))
            return above;
        return variables.TryGetValue("VIRTUAL_ENV", out var active) && VirtualEnvironment.IsOne(active) ? active : null;
    }

    private static bool Hidden(string program, string? folder, string? environment) =>
        (program.StartsWith("/home/", StringComparison.Ordinal) || program.StartsWith("/root/", StringComparison.Ordinal))
        && !(environment is not null && program.StartsWith(environment + "/", StringComparison.Ordinal)) && !(folder is not null && program.StartsWith(folder + "/", StringComparison.Ordinal));

    // %n and its like.
    private static string Specified(string text, string name, string? home, List<string> obstacles) => SpecifierPattern().Replace(text, match =>
    {
        var bare = UnitText.Bare(name);
        var at = bare.IndexOf('@', StringComparison.Ordinal);
        string? value = match.Value switch
        {
            "%%" => "%",
            "%n" => name,
            "%N" => bare,
            "%p" => at < 0 ? bare : bare[..at],
            "%i" or "%I" => at < 0 ? "" : bare[(at + 1)..],
            "%h" => home,
            _ => null,
        };
        if (value is null)
            obstacles.Add($"{match.Value} in it is not understood");
        return value ?? match.Value;
    });

    [GeneratedRegex("%.", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex SpecifierPattern();
}
