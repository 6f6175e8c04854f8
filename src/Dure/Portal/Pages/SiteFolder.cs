namespace Dure.Portal.Pages;

/// <summary>Where the built pages lie.</summary>
internal static class SiteFolder
{
    private const string Name = "portal";

    /// <summary>The folder beside the program; for a program that was only built, not published, the one beside the folders of all programs.</summary>
    public static string Find(string program)
    {
        for (var folder = new DirectoryInfo(program); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, Name);
            if (File.Exists(Path.Combine(candidate, "index.html")))
                return candidate;
            if (folder.Name == "bin")
                break;
        }
        return Path.Combine(program, Name);
    }
}
