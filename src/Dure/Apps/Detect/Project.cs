using Dure.Host;

namespace Dure.Apps.Detect;

/// <summary>What is to be published: a folder, and in it the file that was named, if one was.</summary>
/// <param name="Only">Just that file goes along; its folder is not a project of its own.</param>
internal sealed record Project(string Folder, string? Entry, bool Only)
{
    /// <summary>A folder with one of these is a project.</summary>
    private static readonly string[] Signs = [AppYaml.FileName, "pyproject.toml", "requirements.txt", "uv.lock", ".venv", "venv", "renv.lock", "DESCRIPTION", "observablehq.config.js", ".git"];

    /// <summary>Where it comes from, in one word that stays the same.</summary>
    public string Origin => Entry is null ? Folder : Path.Combine(Folder, Entry);

    /// <summary>What its name would be.</summary>
    public string Name => Entry is null ? Path.GetFileName(Folder) : Path.GetFileNameWithoutExtension(Entry);

    public static Outcome<Project> At(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Directory.Exists(full))
            return new Project(full, null, false);
        if (!File.Exists(full))
            return AppErrors.SourceMissing.With($"{Host.Texts.Shown.Safely(path)} is neither a file nor a folder.");
        var folder = Path.GetDirectoryName(full)!;
        return Path.GetFileName(full) == AppYaml.FileName
            ? new Project(folder, null, false)
            : new Project(folder, Path.GetFileName(full), !Signs.Any(sign => Path.Exists(Path.Combine(folder, sign))));
    }

    /// <summary>What app.yaml says; nothing when there is none.</summary>
    public Outcome<AppSettings> Settings()
    {
        var file = Path.Combine(Folder, AppYaml.FileName);
        return File.Exists(file) && !Only ? AppYaml.Parse(File.ReadAllText(file)) : new AppSettings();
    }
}
