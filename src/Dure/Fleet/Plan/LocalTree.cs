using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Dure.Fleet.Plan;

/// <summary>A file or folder of the operator's machine that is copied to others.</summary>
internal static class LocalTree
{
    private static readonly ConcurrentDictionary<string, Lazy<string>> Known = new(StringComparer.Ordinal);

    /// <summary>SHA-256 over names, modes and contents, hexadecimal. Read once per run of the program.</summary>
    public static string Digest(string source) => Known.GetOrAdd(source, static path => new Lazy<string>(() => Read(path))).Value;

    private static string Read(string source)
    {
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var files = File.Exists(source) ? [source] : Directory.GetFiles(source, "*", SearchOption.AllDirectories);
        Array.Sort(files, StringComparer.Ordinal);
        foreach (var path in files)
        {
            using var stream = File.OpenRead(path);
            var name = File.Exists(source) ? "" : Path.GetRelativePath(source, path);
            all.AppendData(Encoding.UTF8.GetBytes($"{name}\0{((int)File.GetUnixFileMode(path)).ToString(System.Globalization.CultureInfo.InvariantCulture)}\0{Convert.ToHexStringLower(SHA256.HashData(stream))}\n"));
        }

        return Convert.ToHexStringLower(all.GetHashAndReset());
    }
}
