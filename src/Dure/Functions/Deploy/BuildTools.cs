using System.Collections.Concurrent;
using System.Diagnostics;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>A program of this machine that builds need.</summary>
/// <param name="Paths">Where it may be; the sandbox sees <c>/usr</c> and <c>/opt</c> of the host.</param>
/// <param name="Package">The Debian package that brings it.</param>
/// <param name="VersionArguments">Makes it print its version.</param>
internal sealed record BuildTool(string Name, string[] Paths, string Package, string[] VersionArguments)
{
    public static readonly BuildTool Python = new(
        "python3", ["/usr/bin/python3"], "python3", ["-I", "-S", "-c", "import sys; print(sys.implementation.cache_tag, sys.version.split()[0])"]);

    public static readonly BuildTool Node = new("node", ["/usr/bin/node", "/usr/local/bin/node"], "nodejs", ["--version"]);
    public static readonly BuildTool Npm = new("npm", ["/usr/bin/npm", "/usr/local/bin/npm"], "npm", ["--version"]);
    public static readonly BuildTool Go = new("go", ["/usr/local/go/bin/go", "/usr/bin/go", "/usr/local/bin/go"], "golang-go", ["version"]);
    public static readonly BuildTool Cpp = new("g++", ["/usr/bin/g++"], "g++", ["--version"]);
    public static readonly BuildTool CMake = new("cmake", ["/usr/bin/cmake", "/usr/local/bin/cmake"], "cmake", ["--version"]);
    public static readonly BuildTool Make = new("make", ["/usr/bin/make"], "make", ["--version"]);
    public static readonly BuildTool Ninja = new("ninja", ["/usr/bin/ninja"], "ninja-build", ["--version"]);
    public static readonly BuildTool Dotnet = new("dotnet", ["/usr/bin/dotnet", "/usr/share/dotnet/dotnet", "/usr/lib/dotnet/dotnet"], "dotnet-sdk-10.0", ["--version"]);
    public static readonly BuildTool Esbuild = new("esbuild", ["/usr/bin/esbuild", "/usr/local/bin/esbuild"], "esbuild", ["--version"]);
    public static readonly BuildTool Tsc = new("tsc", ["/usr/bin/tsc", "/usr/local/bin/tsc"], "node-typescript", ["--version"]);

    private static readonly ConcurrentDictionary<(string Path, DateTime Written), string> s_versions = new();

    /// <summary>Where it is, as the host and the sandbox see it; null when this machine lacks it.</summary>
    public string? Find() => Paths.FirstOrDefault(File.Exists);

    /// <summary>DURE0111 with the command that installs it.</summary>
    public Problem Missing(string why) => DeployErrors.ToolMissing.With($"{why} needs {Name}, which this machine lacks. Install it: sudo apt-get install {Package}");

    /// <summary>What it says of its version, on one line; remembered until the program changes.</summary>
    public async Task<string> VersionAsync(CancellationToken cancel)
    {
        var path = Find() ?? throw new InvalidOperationException($"{Name} is not here");
        var key = (path, File.GetLastWriteTimeUtc(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path));
        if (s_versions.TryGetValue(key, out var known))
            return known;
        var start = new ProcessStartInfo(path, VersionArguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = "/" };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(cancel);
        var text = await process.StandardOutput.ReadToEndAsync(cancel);
        _ = await error;
        await process.WaitForExitAsync(cancel);
        return s_versions[key] = text.Split('\n')[0].Trim();
    }
}
