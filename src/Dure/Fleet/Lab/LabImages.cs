using Dure.Host;

namespace Dure.Fleet.Lab;

/// <summary>Removes what labs are made from.</summary>
internal static class LabImages
{
    /// <summary>Removes the images and packages of every release; nothing else in the folder is touched.</summary>
    /// <returns>The folders that were removed.</returns>
    public static async Task<Outcome<IReadOnlyList<string>>> CleanAsync(LabPlaces places, CancellationToken cancel)
    {
        var folders = LabRelease.All.Select(release => BaseImage.FolderOf(places, release)).Where(Directory.Exists).ToList();
        if (folders.Find(MountTable.IsLower) is { } used)
            return LabErrors.ImagesInUse.With($"Machines run on {used}.");
        foreach (var folder in folders)
        {
            if (await BaseImage.DiscardAsync(folder, cancel) is { } stuck)
                return stuck;
        }
        return new Outcome<IReadOnlyList<string>>(folders);
    }
}
