using Dure.Functions.Worker.Native;

namespace Dure.Functions.Worker.Warm;

/// <summary>Puts a version's files into a pre-started sandbox's folder as hard links.</summary>
internal static class CodeLinks
{
    /// <summary>A version with more files and folders starts afresh instead.</summary>
    public const int Most = 512;

    /// <summary>Whether the trees are small enough together. Null folders count nothing.</summary>
    public static bool Fit(params ReadOnlySpan<string?> folders)
    {
        var count = 0;
        foreach (var folder in folders)
        {
            if (folder is null) continue;
            var all = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = true };
            count += Directory.EnumerateFileSystemEntries(folder, "*", all).Take(Most + 1).Count();
            if (count > Most) return false;
        }

        return true;
    }

    /// <summary>Fills the empty folder <paramref name="target"/> with what is in <paramref name="source"/>; copies where links cannot be made.</summary>
    /// <exception cref="IOException">The disk is full, or the source went away.</exception>
    public static void Make(string source, string target)
    {
        foreach (var entry in new DirectoryInfo(source).EnumerateFileSystemInfos())
        {
            var to = target + "/" + entry.Name;
            if (entry.LinkTarget is { } link)
            {
                File.CreateSymbolicLink(to, link);
            }
            else if (entry is DirectoryInfo)
            {
                Directory.CreateDirectory(to);
                Make(entry.FullName, to);
            }
            else if (Libc.link(entry.FullName, to) != 0)
            {
                File.Copy(entry.FullName, to);
            }
        }
    }
}
