using Dure.Test.Processes;

namespace Dure.Drill.Storage;

/// <summary>Makes a folder again from the shadow that powercut.c left.</summary>
internal static class Shadow
{
    /// <summary>Fills <paramref name="target"/> with what was durable of <paramref name="root"/>.</summary>
    public static async Task RebuildAsync(string shadow, string root, string target)
    {
        Directory.CreateDirectory(target);
        File.SetUnixFileMode(target, File.GetUnixFileMode(root));
        Fill(shadow, await KeyOfAsync(root), root, target);
    }

    private static void Fill(string shadow, string key, string original, string target)
    {
        var entries = Path.Combine(shadow, "folders", key);
        // A folder that was never flushed lost what is in it.
        if (!File.Exists(entries))
            return;
        foreach (var line in File.ReadLines(entries))
        {
            if (line.Split(' ', 3) is not [var child, var type, var name])
                continue;
            var (was, made) = (Path.Combine(original, name), Path.Combine(target, name));
            if (type == "d")
            {
                Directory.CreateDirectory(made);
                CopyMode(was, made);
                Fill(shadow, child, was, made);
            }
            else if (type == "f")
            {
                // A name whose bytes were never flushed is an empty file.
                if (Path.Combine(shadow, "files", child) is var bytes && File.Exists(bytes))
                    File.Copy(bytes, made);
                else
                    File.Create(made).Dispose();
                CopyMode(was, made);
            }
        }
    }

    private static void CopyMode(string from, string to)
    {
        if (Path.Exists(from))
            File.SetUnixFileMode(to, File.GetUnixFileMode(from));
    }

    // As powercut.c writes it: inode and birth time.
    private static async Task<string> KeyOfAsync(string folder)
    {
        var (_, text) = await Child.RunAsync(CancellationToken.None, "stat", "-c", "%i %W %w", folder);
        var words = text.Trim().Split(' ');
        var nanoseconds = words[3].Split('.')[1].TrimStart('0');
        return $"{words[0]}-{words[1]}-{(nanoseconds.Length == 0 ? "0" : nanoseconds)}";
    }
}
