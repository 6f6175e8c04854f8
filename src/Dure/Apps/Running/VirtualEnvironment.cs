namespace Dure.Apps.Running;

/// <summary>Python's virtual environments: where they are, and what else they need.</summary>
internal static class VirtualEnvironment
{
    private static readonly string[] Names = [".venv", "venv", "env"];

    /// <summary>The environment of a project: its own, that of a folder above it, or the one that is active.</summary>
    public static string? Of(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
        {
            if (Names.Select(name => Path.Combine(at.FullName, name)).FirstOrDefault(IsOne) is { } found)
                return found;
        }

        return Environment.GetEnvironmentVariable("VIRTUAL_ENV") is { Length: > 0 } active && IsOne(active) ? active : null;
    }

    public static bool IsOne(string folder) => File.Exists(Path.Combine(folder, "pyvenv.cfg"));

    /// <summary>What a sandbox must show for an app to start: the environment, the interpreter behind it, and for folders Dure itself.</summary>
    public static IReadOnlyList<string> FoldersOf(string? environment, string program, string kind)
    {
        var folders = new List<string>();
        if (kind == AppSpec.Static)
            folders.Add(Path.TrimEndingDirectorySeparator(program));
        if (environment is not null && IsOne(environment))
        {
            folders.Add(environment);
            // Only what is an installation of Python: the file is the publisher's, and could name anything.
            var home = File.ReadLines(Path.Combine(environment, "pyvenv.cfg")).Select(line => line.Split('=', 2)).FirstOrDefault(parts => parts.Length == 2 && parts[0].Trim() == "home")?[1].Trim();
            if (home is not null && Directory.Exists(home) && Directory.GetFiles(home, "python3*").Length > 0 && Path.GetDirectoryName(home) is { Length: > 1 } prefix && prefix != "/usr"
                && Directory.Exists(Path.Combine(prefix, "lib")))
                folders.Add(prefix);
        }

        return folders;
    }
}
