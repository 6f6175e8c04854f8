using Dure.Host;

namespace Dure.Apps.Adopting;

/// <summary>Finds lists of ports that people keep beside their apps, as whoever asks may read them.</summary>
internal static class StateFiles
{
    private const int AboveMost = 4;
    private const int BytesMost = 1 << 20;

    /// <summary>Reads a list that was named.</summary>
    public static Outcome<(IReadOnlyList<StateEntry> Entries, IReadOnlyList<string> Unread)> Read(string file)
    {
        var full = Path.GetFullPath(file);
        try
        {
            return new FileInfo(full) is { Exists: true, Length: <= BytesMost } ? StateFile.Parse(full, File.ReadAllBytes(full))
                : AdoptErrors.StateUnread.With(File.Exists(full) ? $"{full} is larger than a list of ports." : $"There is no file {full}.");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return AdoptErrors.StateUnread.With(refused.Message);
        }
    }

    /// <summary>Lists in the folders of apps and above them; what cannot be read is left out.</summary>
    public static (IReadOnlyList<StateEntry> Entries, IReadOnlyList<string> Unread) Near(IEnumerable<string> folders)
    {
        var files = folders.SelectMany(Above).Select(folder => Path.Combine(folder, StateFile.Name)).Distinct(StringComparer.Ordinal).Where(File.Exists);
        var read = files.Select(Read).Where(one => one.Ok).Select(one => one.Value).ToList();
        return ([.. read.SelectMany(one => one.Entries)], [.. read.SelectMany(one => one.Unread)]);
    }

    private static IEnumerable<string> Above(string folder)
    {
        var at = new DirectoryInfo(folder);
        for (var step = 0; at is not null && step < AboveMost; step++, at = at.Parent)
            yield return at.FullName;
    }
}
