using System.Text;

namespace Dure.Host.Files;

/// <summary>The end of a log that another process may be writing to.</summary>
internal static class LogEnd
{
    /// <summary>Reads it.</summary>
    /// <param name="longest">Bytes at most.</param>
    /// <param name="from">Where it begins at the earliest, bytes.</param>
    /// <returns>Null when there is no such file.</returns>
    public static string? Read(string path, int longest, long from = 0)
    {
        if (!File.Exists(path))
            return null;
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        file.Seek(Math.Max(from, file.Length - longest), SeekOrigin.Begin);
        using var reader = new StreamReader(file, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
