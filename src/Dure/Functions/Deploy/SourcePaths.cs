using System.Text;
using Dure.Host.Texts;

namespace Dure.Functions.Deploy;

/// <summary>The rules for paths inside a package, the same for the side that packs and the side that unpacks.</summary>
internal static class SourcePaths
{
    /// <summary>Outputs of a build go here, so a package may not bring it along.</summary>
    public const string BuildFolder = ".dure";

    /// <summary>Whether a path is of what builds and runs make, rather than of what somebody deployed.</summary>
    public static bool IsMade(string path) => path.StartsWith(BuildFolder + "/", StringComparison.Ordinal) || ("/" + path).Contains("/__pycache__/", StringComparison.Ordinal);

    /// <summary>Leaves out what says nothing: leading <c>./</c>, trailing <c>/</c>.</summary>
    public static string Tidy(string path)
    {
        var tidy = path;
        while (tidy.StartsWith("./", StringComparison.Ordinal))
            tidy = tidy[2..];
        tidy = tidy.TrimEnd('/');
        return tidy == "." ? "" : tidy.Length == 0 && path.StartsWith('/') ? "/" : tidy;
    }

    /// <summary>What is wrong with a tidied path, or null when nothing is.</summary>
    public static string? Fault(string path, SourceLimits limits)
    {
        if (path.Length == 0)
            return "an entry without a name";
        if (path[0] == '/' || (path.Length > 1 && path[1] == ':' && char.IsAsciiLetter(path[0])))
            return "an absolute path; paths must be relative to the folder";
        foreach (var c in path)
        {
            if (c == '\0')
                return "the name holds a NUL byte";
            if (char.IsControl(c))
                return "the name holds a control character";
            if (c == '\uFFFD' || char.IsSurrogate(c) && !IsPaired(path))
                return "the name is not valid UTF-8";
        }

        var bytes = Encoding.UTF8.GetByteCount(path);
        if (bytes > limits.PathBytesMax)
            return $"the path is {bytes} bytes long; {limits.PathBytesMax} are allowed";
        var parts = path.Split('/');
        if (parts.Length > limits.DepthMax)
            return $"{parts.Length} folders deep; {limits.DepthMax} are allowed";
        foreach (var part in parts)
        {
            if (part == "..")
                return "the path leaves the folder with `..`";
            if (part is "" or ".")
                return "the path has an empty part";
            if (Encoding.UTF8.GetByteCount(part) > 255)
                return "a part of the path is longer than 255 bytes";
        }

        return parts[0] == BuildFolder ? $"the folder {BuildFolder}/ is kept for what a build makes; rename yours" : null;
    }

    /// <summary>A path as it may be shown: control characters written as escapes.</summary>
    public static string Show(string path) => Shown.Safely(path);

    private static bool IsPaired(string path)
    {
        for (var i = 0; i < path.Length; i++)
        {
            if (char.IsHighSurrogate(path[i]) && i + 1 < path.Length && char.IsLowSurrogate(path[i + 1]))
                i++;
            else if (char.IsSurrogate(path[i]))
                return false;
        }

        return true;
    }
}

/// <summary>Follows symbolic links on paper, as the kernel would, to see whether one leaves the folder.</summary>
internal static class SourceLinks
{
    private const int HopsMax = 40;

    /// <summary>What is wrong with a link, or null when it stays inside.</summary>
    /// <param name="path">Where the link lies.</param>
    /// <param name="target">What it points to, as written.</param>
    /// <param name="linkAt">The target of the link at a path, or null when there is no link.</param>
    public static string? Fault(string path, string target, Func<string, string?> linkAt)
    {
        if (target.Length == 0 || target.Contains('\0'))
            return "a link without a valid target";
        if (target[0] == '/')
            return $"a link to the absolute path {SourcePaths.Show(target)}; use a relative one inside the folder";
        var at = path.Split('/').SkipLast(1).ToList();
        var ahead = new Stack<string>(target.Split('/').Reverse());
        var hops = 0;
        while (ahead.TryPop(out var part))
        {
            if (part is "" or ".")
                continue;
            if (part == "..")
            {
                if (at.Count == 0)
                    return $"a link that leaves the folder: {SourcePaths.Show(target)}";
                at.RemoveAt(at.Count - 1);
                continue;
            }

            at.Add(part);
            var next = linkAt(string.Join('/', at));
            if (next is null)
                continue;
            if (++hops > HopsMax)
                return $"a link that goes round in circles: {SourcePaths.Show(target)}";
            if (next.StartsWith('/'))
                return $"a link that leaves the folder: {SourcePaths.Show(target)}";
            at.RemoveAt(at.Count - 1);
            foreach (var further in next.Split('/').Reverse())
                ahead.Push(further);
        }

        return null;
    }
}
