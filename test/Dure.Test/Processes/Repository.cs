namespace Dure.Test.Processes;

/// <summary>The repository that this program was built in.</summary>
internal static class Repository
{
    /// <summary>Its top folder, found by walking up to <c>Dure.slnx</c>.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Dure.slnx")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"There is no Dure.slnx above {AppContext.BaseDirectory}.");
    }
}
