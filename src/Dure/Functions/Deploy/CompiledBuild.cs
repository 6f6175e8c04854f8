using Dure.Functions.Worker;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>
/// What Go, C++ and C# share: compile into an empty folder without any network, keep the result by the digest of sources and
/// compiler, and lay it into the version as <c>.dure/</c>. Settings may change without compiling again.
/// </summary>
internal static class CompiledBuild
{
    private static readonly string[] s_sourceEndings = [".go", ".cpp", ".cc", ".cxx", ".h", ".hpp", ".hh", ".c", ".cs", ".csproj", ".mod", ".txt"];

    /// <summary>Compiles, or finds the result of the same sources and compiler.</summary>
    /// <param name="tools">What compiles; their versions are part of the key.</param>
    /// <param name="builds">Where results are kept.</param>
    /// <param name="compile">Fills the folder that it gets.</param>
    public static async Task<Problem?> RunAsync(
        BuildScene scene, DetectedRuntime detected, IReadOnlyList<BuildTool> tools, string builds, Func<string, Task<Problem?>> compile, CancellationToken cancel)
    {
        if (scene.Settings.Build is not null)
            return await scene.RunOwnCommandAsync(cancel) ?? MakeRunnable(scene, detected.Handler);
        if (tools.FirstOrDefault(t => t.Find() is null) is { } missing)
            return missing.Missing($"A {detected.Runtime} function");
        if (scene.Has(detected.Handler))
            return MakeRunnable(scene, detected.Handler);
        var sources = scene.Source.Entries.Where(e => e.Path != FunctionYaml.FileName);
        List<string> parts = ["build-1", detected.Runtime, detected.Handler, VersionDigest.OfTree(sources)];
        foreach (var tool in tools)
            parts.Add(await tool.VersionAsync(cancel));
        var kept = Path.Combine(builds, VersionDigest.Of([.. parts]));
        if (Directory.Exists(kept))
        {
            await scene.SayAsync("compiled already");
        }
        else
        {
            await scene.SayAsync($"compiling with {(parts[^1].Contains(tools[^1].Name, StringComparison.Ordinal) ? "" : tools[^1].Name + " ")}{parts[^1]}");
            var output = scene.NewFolder("out");
            if (await compile(output) is { } problem)
                return problem;
            BuildFiles.TakeBack(output, scene.Options);
            BuildFiles.Publish(output, kept);
        }

        BuildFiles.Overlay(kept, scene.NewBuildFolder());
        return MakeRunnable(scene, detected.Handler);
    }

    /// <summary>Whether any source file of the folder holds one of the texts.</summary>
    public static bool Mentions(BuildScene scene, params ReadOnlySpan<string> texts)
    {
        const long bytesMax = 1 << 20;
        foreach (var entry in scene.Source.Entries)
        {
            if (entry.Kind != SourceKind.File || entry.Length > bytesMax || !s_sourceEndings.Contains(Path.GetExtension(entry.Path), StringComparer.Ordinal))
                continue;
            var text = File.ReadAllText(scene.HostPath(entry.Path));
            foreach (var part in texts)
            {
                if (text.Contains(part, StringComparison.Ordinal))
                    return true;
            }
        }

        return false;
    }

    /// <summary>The program must be there, executable, and of a kind that this machine can start.</summary>
    public static Problem? MakeRunnable(BuildScene scene, string program)
    {
        var path = scene.HostPath(program);
        if (!File.Exists(path) || UnixFile.KindOf(path) is not SourceKind.File)
            return DeployErrors.HandlerMissing.With($"The build made no program {program}.{Made(scene)}");
        if (Path.GetExtension(program) == ".dll")
            return null;
        if (ProgramFile.Fault(path) is { } fault)
            return DeployErrors.HandlerMissing.With($"{program} cannot be started: {fault}", [new(program, fault)]);
        File.SetUnixFileMode(path, UnixFile.Program);
        return null;
    }

    private static string Made(BuildScene scene)
    {
        var folder = scene.HostPath(SourcePaths.BuildFolder);
        var files = Directory.Exists(folder) ? Directory.EnumerateFiles(folder).Select(f => Path.GetFileName(f)).Take(10).ToList() : [];
        return files.Count == 0 ? " Say with `handler:` which file it is." : $" It made {string.Join(", ", files)}; say with `handler:` which one it is.";
    }
}
