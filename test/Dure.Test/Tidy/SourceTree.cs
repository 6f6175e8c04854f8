using System.Diagnostics;
using Dure.Test.Processes;

namespace Dure.Test.Tidy;

/// <summary>The files of the repository that this test was built in.</summary>
internal static class SourceTree
{
    private static readonly string[] NotSource = ["artifacts", "node_modules", ".git", "dist", "__pycache__"];

    /// <summary>Its root.</summary>
    public static string Root => Repository.Root;

    /// <summary>Every text file that git keeps or would keep; without git, every text file that was not built.</summary>
    public static IReadOnlyList<SourceFile> Files { get; } = [.. ListFiles().Select(Read).OfType<SourceFile>()];

    /// <summary>The C# files under a folder.</summary>
    public static IEnumerable<SourceFile> CSharp(string under = "") =>
        Files.Where(file => file.Kind == ".cs" && file.Path.StartsWith(under, StringComparison.Ordinal));

    /// <summary>Lines that a git command wrote; null when there is no git here.</summary>
    public static IReadOnlyList<string>? Git(params IEnumerable<string> words)
    {
        try
        {
            var start = new ProcessStartInfo("git", ["-C", Root, .. words]) { UseShellExecute = false, RedirectStandardOutput = true };
            using var git = Process.Start(start)!;
            var said = git.StandardOutput.ReadToEnd();
            git.WaitForExit();
            return git.ExitCode == 0 ? said.Split('\n', StringSplitOptions.RemoveEmptyEntries) : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static IEnumerable<string> ListFiles() =>
        Git("-c", "core.quotePath=off", "ls-files", "--cached", "--others", "--exclude-standard")?.Distinct(StringComparer.Ordinal)
        ?? Walk(new DirectoryInfo(Root)).Select(file => Path.GetRelativePath(Root, file.FullName));

    private static IEnumerable<FileInfo> Walk(DirectoryInfo folder) =>
        folder.EnumerateFiles().Concat(folder.EnumerateDirectories()
            .Where(inner => !NotSource.Contains(inner.Name, StringComparer.Ordinal) && inner.LinkTarget is null)
            .SelectMany(Walk));

    private static SourceFile? Read(string path)
    {
        var file = new FileInfo(Path.Combine(Root, path));
        if (!file.Exists || file.LinkTarget is not null || file.Length > 4 << 20)
        {
            return null;
        }
        var text = File.ReadAllText(file.FullName);
        return text.Contains('\0', StringComparison.Ordinal) ? null : new SourceFile(path, text);
    }
}
