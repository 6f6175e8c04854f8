using Dure.Host;

namespace Dure.Fleet.Lab;

/// <summary>Removes what labs are made from.</summary>
internal static class LabImages
{
    /// <summary>Removes the images and packages of every release; nothing else in the folder is touched.</summary>
    /// <returns>The folders that were removed.</returns>
    public static async Task<Outcome<IReadOnlyList<string>>> CleanAsync(LabPlaces places, CancellationToken cancel)
    {
        using var images = await LabLock.TakeAsync("image", TimeSpan.FromSeconds(1), cancel);
        using var packages = await LabLock.TakeAsync("packages", TimeSpan.FromSeconds(1), cancel);
        if (images is null || packages is null)
            return LabErrors.Busy.With("A lab builds an image or fetches packages.");
        var folders = LabRelease.All.Select(release => BaseImage.FolderOf(places, release)).Where(Directory.Exists).ToList();
        if (folders.Find(MountTable.IsLower) is { } used)
            return LabErrors.ImagesInUse.With($"Machines run on {used}.");
        // One whose host was started anew has nothing mounted, and still needs its image.
        if (places.Labs().Select(lab => lab.Read()).FirstOrDefault(lab => lab.Ok && folders.Exists(folder => lab.Value.Root.StartsWith(folder + "/", StringComparison.Ordinal))) is { Ok: true } lab)
            return LabErrors.ImagesInUse.With($"The lab {lab.Value.Name} stands on {lab.Value.Root}.");
        foreach (var folder in folders)
        {
            if (await BaseImage.DiscardAsync(folder, cancel) is { } stuck)
                return stuck;
        }
        return new Outcome<IReadOnlyList<string>>(folders);
    }
}
