using System.Text;
using Dure.Host.Texts;

namespace Dure.Functions.Deploy;

/// <summary>One file that differs between two versions.</summary>
/// <param name="Change"><c>added</c>, <c>removed</c> or <c>modified</c>.</param>
/// <param name="Diff">A unified diff; for files that are not text or longer than 1 MiB a line that says so.</param>
public sealed record FileDiff(string Path, string Change, string Diff);

/// <summary>What differs between the code of two versions. What builds made (<c>.dure/</c>, bytecode) is left out.</summary>
public static class SourceDiff
{
    private const long ShownBytesMax = 1 << 20;

    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Compares two folders as <see cref="BuiltVersion.CodeDirectory"/> has them.</summary>
    /// <returns>Sorted by path; empty when nothing differs.</returns>
    public static IReadOnlyList<FileDiff> Compare(string oldFolder, string newFolder, CancellationToken cancel)
    {
        var (before, after) = (Files(oldFolder), Files(newFolder));
        var diffs = new List<FileDiff>();
        foreach (var path in before.Keys.Union(after.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            cancel.ThrowIfCancellationRequested();
            var (a, b) = (before.GetValueOrDefault(path), after.GetValueOrDefault(path));
            if (Different(path, a, b) is { } diff)
                diffs.Add(diff);
        }

        return diffs;
    }

    private static FileDiff? Different(string path, Side? a, Side? b)
    {
        var change = a is null ? "added" : b is null ? "removed" : "modified";
        var mode = a is not null && b is not null && a.Executable != b.Executable ? $"mode {Mode(a)} -> {Mode(b)}\n" : "";
        var (oldName, newName) = (a is null ? "/dev/null" : "a/" + path, b is null ? "/dev/null" : "b/" + path);
        if (Text(a) is { } oldText && Text(b) is { } newText)
        {
            var diff = mode + LineDiff.Unified(oldName, newName, oldText, newText);
            return diff.Length > 0 || change != "modified" ? new(path, change, diff) : null;
        }

        if (a is not null && b is not null && Same(a, b))
            return mode.Length > 0 ? new(path, change, mode) : null;
        var why = (a?.Length ?? 0) > ShownBytesMax || (b?.Length ?? 0) > ShownBytesMax ? "Large" : "Binary";
        return new(path, change, $"{mode}{why} files {oldName} and {newName} differ\n");
    }

    private static string Mode(Side side) => side.Executable ? "executable" : "plain";

    /// <summary>The text of a file (a missing one has none, a link its target), or null when it is not for showing.</summary>
    private static string? Text(Side? side)
    {
        if (side is null)
            return "";
        if (side.Target is not null)
            return $"link to {side.Target}\n";
        if (side.Length > ShownBytesMax)
            return null;
        var bytes = File.ReadAllBytes(side.File);
        if (bytes.AsSpan().Contains((byte)0))
            return null;
        try
        {
            return s_strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static bool Same(Side a, Side b)
    {
        if (a.Target is not null || b.Target is not null || a.Length != b.Length)
            return false;
        using var one = File.OpenRead(a.File);
        using var two = File.OpenRead(b.File);
        var (left, right) = (new byte[64 * 1024], new byte[64 * 1024]);
        while (one.ReadAtLeast(left, left.Length, throwOnEndOfStream: false) is > 0 and var n)
        {
            if (two.ReadAtLeast(right, right.Length, throwOnEndOfStream: false) != n || !left.AsSpan(0, n).SequenceEqual(right.AsSpan(0, n)))
                return false;
        }

        return true;
    }

    private static Dictionary<string, Side> Files(string folder)
    {
        var files = new Dictionary<string, Side>(StringComparer.Ordinal);
        foreach (var (path, kind) in BuildFiles.Walk(folder))
        {
            var name = Path.GetRelativePath(folder, path);
            if (SourcePaths.IsMade(name))
                continue;
            var info = new FileInfo(path);
            if (kind == SourceKind.Link)
                files[name] = new(path, 0, false, info.LinkTarget);
            else if (kind == SourceKind.File)
                files[name] = new(path, info.Length, info.UnixFileMode.HasFlag(UnixFileMode.UserExecute), null);
        }

        return files;
    }

    private sealed record Side(string File, long Length, bool Executable, string? Target);
}
