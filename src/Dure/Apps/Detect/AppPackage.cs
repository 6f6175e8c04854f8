using System.Formats.Tar;
using System.IO.Compression;
using Dure.Host;

namespace Dure.Apps.Detect;

/// <summary>Packs a project: everything but what belongs to this machine or can be made again.</summary>
internal static class AppPackage
{
    private static readonly HashSet<string> LeftOut = new(StringComparer.Ordinal) { ".git", ".venv", "venv", "env", "node_modules", "__pycache__", ".ipynb_checkpoints", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".DS_Store" };

    /// <summary>Writes a .tar.gz.</summary>
    public static async Task<Outcome<bool>> PackAsync(Project project, IReadOnlyList<string> exclude, Stream to, CancellationToken cancel)
    {
        try
        {
            await using var zip = new GZipStream(to, CompressionLevel.Fastest, leaveOpen: true);
            await using var tar = new TarWriter(zip, TarEntryFormat.Pax, leaveOpen: true);
            foreach (var path in project.Only ? [project.Entry!] : Paths(project.Folder, "", exclude))
                await WriteAsync(tar, Path.Combine(project.Folder, path), path, cancel);
            return true;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return AppErrors.SourceMissing.With(unreadable.Message);
        }
    }

    private static IEnumerable<string> Paths(string root, string below, IReadOnlyList<string> exclude)
    {
        foreach (var info in new DirectoryInfo(Path.Combine(root, below)).GetFileSystemInfos().OrderBy(info => info.Name, StringComparer.Ordinal))
        {
            var path = Path.Combine(below, info.Name);
            if (LeftOut.Contains(info.Name) || exclude.Contains(path, StringComparer.Ordinal) || exclude.Contains(info.Name, StringComparer.Ordinal))
                continue;
            if (info is FileInfo || info.LinkTarget is not null)
                yield return path;
            else if (!File.Exists(Path.Combine(info.FullName, "pyvenv.cfg")))
            {
                yield return path;
                foreach (var inner in Paths(root, path, exclude))
                    yield return inner;
            }
        }
    }

    // Readable for everybody: the app runs as a user of its own.
    private static async Task WriteAsync(TarWriter tar, string full, string path, CancellationToken cancel)
    {
        var info = Directory.Exists(full) ? (FileSystemInfo)new DirectoryInfo(full) : new FileInfo(full);
        const UnixFileMode readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        const UnixFileMode executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        if (info.LinkTarget is { } target)
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.SymbolicLink, path) { LinkName = target }, cancel);
        else if (info is DirectoryInfo)
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.Directory, path + "/") { Mode = readable | executable }, cancel);
        else if ((File.GetUnixFileMode(full) & UnixFileMode.UserExecute) is var run && new FileInfo(full).Exists)
        {
            await using var content = File.OpenRead(full);
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, path) { Mode = run == 0 ? readable : readable | executable, DataStream = content }, cancel);
        }
    }
}
