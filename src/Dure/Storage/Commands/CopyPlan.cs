using Dure.Host;
using Dure.Host.Files;

namespace Dure.Storage.Commands;

/// <summary>From where to where.</summary>
public enum CopyKind
{
    Upload,
    Download,
    Inside,
}

/// <summary>One file or object to copy.</summary>
/// <param name="Path">The local file; null inside a store.</param>
/// <param name="From">The object; null for an upload.</param>
/// <param name="To">The object; null for a download.</param>
/// <param name="Bytes">Null when unknown.</param>
public sealed record CopyItem(CopyKind Kind, string? Path, S3Address? From, S3Address? To, long? Bytes)
{
    public string Source => From?.ToString() ?? Path!;

    public string Target => To?.ToString() ?? Path!;
}

/// <summary>What the words of <c>dure cp</c> come to. Pure, but for a look at local folders.</summary>
public static class CopyPlan
{
    /// <summary>Standard input or output.</summary>
    public const string Pipe = "-";

    /// <summary>The key that a file gets: the address itself, or its name below it when the address is a folder.</summary>
    public static S3Address KeyFor(S3Address target, string path) => target.IsFolder ? target with { Key = target.Key + System.IO.Path.GetFileName(path) } : target;

    /// <summary>The path that an object gets: the path itself, or its name below it when that is a folder.</summary>
    public static string PathFor(string target, S3Address source) =>
        target.EndsWith('/') || Directory.Exists(target) ? System.IO.Path.Combine(target, source.Name) : target;

    /// <summary>Every file below a folder, by name, for the keys below an address. Links to folders are not followed, what is no file is left out.</summary>
    public static IReadOnlyList<CopyItem> Files(string folder, S3Address target) =>
    [
        .. Walk(new DirectoryInfo(folder), "")
            .Select(file => new CopyItem(CopyKind.Upload, System.IO.Path.Combine(folder, file.Path), null, target with { Key = target.FolderPrefix + file.Path }, file.Length)),
    ];

    /// <summary>Where an object below a prefix goes in a folder; or why its key cannot be a path there.</summary>
    public static Outcome<string> PathBelow(string folder, S3Address prefix, string key)
    {
        var rest = key[prefix.FolderPrefix.Length..];
        return rest.Split('/').Any(segment => segment is "" or "." or ".." || segment.Contains('\0', StringComparison.Ordinal))
            ? TransferErrors.LocalFile.With($"s3://{prefix.Bucket}/{key}: a key with empty parts, '.' or '..' cannot be a path.")
            : System.IO.Path.Combine(folder, rest);
    }

    private static IEnumerable<(string Path, long Length)> Walk(DirectoryInfo folder, string prefix)
    {
        foreach (var entry in folder.EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            if (entry is DirectoryInfo below)
            {
                foreach (var found in below.LinkTarget is null ? Walk(below, prefix + entry.Name + "/") : [])
                {
                    yield return found;
                }

                continue;
            }

            var file = entry.LinkTarget is null ? entry : entry.ResolveLinkTarget(returnFinalTarget: true)!;
            if (FileFacts.Of(file.FullName)?.Regular == true)
            {
                yield return (prefix + entry.Name, ((FileInfo)file).Length);
            }
        }
    }
}
