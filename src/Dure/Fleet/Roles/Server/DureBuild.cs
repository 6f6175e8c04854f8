using System.Runtime.InteropServices;

namespace Dure.Fleet.Roles.Server;

/// <summary>A build of Dure on the operator's machine, and what of .NET goes with it.</summary>
/// <param name="Folder">Where the program <c>dure</c> is.</param>
/// <param name="Runtime">Folders below a .NET installation that it needs, by their path there; empty for a build that brings its own (a release).</param>
internal sealed record DureBuild(string Folder, IReadOnlyList<(string Source, string Path)> Runtime)
{
    /// <summary>The build in a folder; <c>self</c> is the running one.</summary>
    public static DureBuild Of(string folder)
    {
        var path = folder == "self" ? AppContext.BaseDirectory.TrimEnd('/') : folder;
        return new(path, BringsItsRuntime(path) ? [] : RunningRuntime());
    }

    private static bool BringsItsRuntime(string folder) => File.Exists(Path.Combine(folder, "libcoreclr.so"));

    // <root>/shared/Microsoft.NETCore.App/10.0.1: beside it are ASP.NET's of the same version and the part that starts programs.
    private static (string Source, string Path)[] RunningRuntime()
    {
        var core = Path.TrimEndingDirectorySeparator(RuntimeEnvironment.GetRuntimeDirectory());
        var web = Path.GetDirectoryName(typeof(Microsoft.AspNetCore.Http.IResult).Assembly.Location)!;
        var root = Path.GetFullPath(Path.Combine(core, "..", "..", ".."));
        var starter = Path.Combine(root, "host", "fxr", Path.GetFileName(core));
        return [.. new[] { core, web, starter }.Where(Directory.Exists).Select(source => (source, Path.GetRelativePath(root, source)))];
    }
}
