using System.Text;

namespace Dure.Storage.Providers;

/// <summary>Walks an object folder in the order of keys, from a key on, without reading folders that cannot hold what is asked for.</summary>
/// <param name="prefix">Only keys that begin with it.</param>
/// <param name="after">Only keys after it; empty for all.</param>
internal sealed class FolderListing(string root, string prefix, string after)
{
    private readonly byte[] _prefix = Encoding.UTF8.GetBytes(prefix);
    private readonly byte[] _after = Encoding.UTF8.GetBytes(after);

    /// <summary>Keys and the paths of their files.</summary>
    public IEnumerable<(string Key, string Path)> Files() => Walk(root, []);

    private IEnumerable<(string Key, string Path)> Walk(string folder, byte[] above)
    {
        foreach (var (key, path, isFolder) in Entries(folder, above))
        {
            if (isFolder)
            {
                foreach (var inner in Walk(path, key))
                {
                    yield return inner;
                }
            }
            else
            {
                yield return (Encoding.UTF8.GetString(key), path);
            }
        }
    }

    private List<(byte[] Key, string Path, bool IsFolder)> Entries(string folder, byte[] above)
    {
        var entries = new List<(byte[] Key, string Path, bool IsFolder)>();
        try
        {
            foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos())
            {
                var isFolder = (entry.Attributes & FileAttributes.Directory) != 0;
                if (FolderPath.Read(entry.Name, isFolder) is { } name && Wanted([.. above, .. name], isFolder) is { } key)
                {
                    entries.Add((key, entry.FullName, isFolder));
                }
            }
        }
        catch (DirectoryNotFoundException)
        {
            // Emptied and removed since.
        }

        entries.Sort(static (a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key));
        return entries;
    }

    private byte[]? Wanted(byte[] key, bool isFolder)
    {
        var shared = Math.Min(key.Length, _prefix.Length);
        if (!key.AsSpan(0, shared).SequenceEqual(_prefix.AsSpan(0, shared)) || (!isFolder && key.Length < _prefix.Length))
        {
            return null;
        }

        // A folder before the key is of interest only when the key lies in it.
        return key.AsSpan().SequenceCompareTo(_after) > 0 || (isFolder && _after.AsSpan().StartsWith(key)) ? key : null;
    }
}
