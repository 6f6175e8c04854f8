namespace Dure.Host.Files;

/// <summary>The folder <c>&lt;data&gt;/keys</c>: nobody but the owner of the data may look into it.</summary>
public static class KeyFolder
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Where it is.</summary>
    public static string PathIn(string data) => Path.Combine(data, "keys");

    /// <summary>Reads a key file; null when there is none. One that others could read is closed to them.</summary>
    public static string? Read(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }
        if (File.GetUnixFileMode(path) != OwnerOnly)
        {
            File.SetUnixFileMode(path, OwnerOnly);
        }
        return File.ReadAllText(path);
    }

    /// <summary>Puts a key file in place, durably, readable by the owner only from its first moment on.</summary>
    /// <exception cref="IOException">The disk is full or failed.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        DurableFile.Write(path, content, OwnerOnly);
        DurableFile.FlushFolder(Path.GetDirectoryName(folder)!);
    }
}
