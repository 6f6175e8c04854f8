using System.Text.Unicode;

namespace Dure.Functions.Deploy;

/// <summary>One file or link of a version's source.</summary>
/// <param name="Kind"><c>text</c> (UTF-8), <c>binary</c> or <c>link</c>.</param>
/// <param name="Target">Where a link leads to.</param>
public sealed record SourceItem(string Path, string Kind, long Bytes, bool Executable, string? Target);

/// <summary>What a version was deployed from, as <see cref="BuiltVersion.CodeDirectory"/> has it: without what builds made.</summary>
public static class VersionSource
{
    private const int LookedAtBytes = 64 * 1024;

    /// <summary>Files and links in the order of their paths.</summary>
    /// <param name="after">Only those behind this path; empty for all.</param>
    public static IReadOnlyList<SourceItem> List(string codeFolder, string after, int most, CancellationToken cancel)
    {
        var found = BuildFiles.Walk(codeFolder)
            .Where(entry => entry.Kind is SourceKind.File or SourceKind.Link)
            .Select(entry => (Path: Path.GetRelativePath(codeFolder, entry.Path), File: entry.Path, entry.Kind))
            .Where(entry => !SourcePaths.IsMade(entry.Path) && string.CompareOrdinal(entry.Path, after) > 0)
            .OrderBy(entry => entry.Path, StringComparer.Ordinal).Take(most);
        var items = new List<SourceItem>();
        foreach (var (path, file, kind) in found)
        {
            cancel.ThrowIfCancellationRequested();
            var info = new FileInfo(file);
            items.Add(kind == SourceKind.Link ? new SourceItem(path, "link", 0, false, info.LinkTarget)
                : new SourceItem(path, IsText(file, info.Length) ? "text" : "binary", info.Length, info.UnixFileMode.HasFlag(UnixFileMode.UserExecute), null));
        }
        return items;
    }

    /// <summary>The file at a path of the source; null when there is none there, or only by way of a link.</summary>
    public static FileInfo? Find(string codeFolder, string path)
    {
        if (SourcePaths.Fault(path, new SourceLimits()) is not null || SourcePaths.IsMade(path))
            return null;
        var at = codeFolder;
        var parts = path.Split('/');
        for (var i = 0; i < parts.Length; i++)
        {
            at = Path.Combine(at, parts[i]);
            if (!Path.Exists(at) || UnixFile.KindOf(at) != (i == parts.Length - 1 ? SourceKind.File : SourceKind.Folder))
                return null;
        }
        return new FileInfo(at);
    }

    private static bool IsText(string file, long length)
    {
        var start = new byte[(int)Math.Min(length, LookedAtBytes)];
        using (var stream = File.OpenRead(file))
            start = start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        // The last character looked at may be cut.
        var cut = length > LookedAtBytes ? 3 : 0;
        return !start.AsSpan().Contains((byte)0) && Enumerable.Range(0, Math.Min(cut, start.Length) + 1).Any(less => Utf8.IsValid(start.AsSpan(0, start.Length - less)));
    }
}
