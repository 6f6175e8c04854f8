namespace Dure.Test.Processes;

/// <summary>Control groups of a killed worker. The next worker on its data would clear them away; after a test there is none, and thousands slow the machine.</summary>
internal static class LeftGroups
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    /// <summary>Removes those that the workers of a data folder have recorded; their processes must be ending.</summary>
    public static async Task RemoveAsync(string data)
    {
        var records = Path.Combine(data, "run", "w");
        foreach (var record in Directory.Exists(records) ? Directory.GetFiles(records, "*.cgroups") : [])
        {
            foreach (var folder in await File.ReadAllLinesAsync(record))
                await RemoveTreeAsync(folder);
        }
    }

    private static async Task RemoveTreeAsync(string folder)
    {
        for (var i = 0; i < 100 && Directory.Exists(folder); i++)
        {
            foreach (var inner in Directory.GetDirectories(folder))
                TryRemove(inner);
            TryRemove(folder);
            if (Directory.Exists(folder))
                await Task.Delay(Look);
        }
    }

    private static void TryRemove(string folder)
    {
        try
        {
            Directory.Delete(folder);
        }
        catch (IOException)
        {
            // Something in it still ends.
        }
    }
}
