using Dure.Functions.Worker;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>C++: the sources at the top of the folder in one go, or CMake where there is a CMakeLists.txt.</summary>
internal static class CppBuild
{
    private static readonly string[] s_endings = [".cpp", ".cc", ".cxx"];

    public static SandboxMode ModeOf(BuildScene scene) =>
        CompiledBuild.Mentions(scene, "dure.hpp") ? SandboxMode.Shim
        : CompiledBuild.Mentions(scene, "aws/lambda-runtime", "AWS_LAMBDA_RUNTIME_API") ? SandboxMode.RuntimeApi
        : SandboxMode.Plain;

    public static Task<Problem?> BuildAsync(BuildScene scene, DetectedRuntime detected, string builds, CancellationToken cancel)
    {
        if (!scene.Has("CMakeLists.txt"))
            return CompiledBuild.RunAsync(scene, detected, [BuildTool.Cpp], builds, output => CompileAsync(scene, detected, output, cancel), cancel);
        var maker = BuildTool.Ninja.Find() is null ? BuildTool.Make : BuildTool.Ninja;
        return CompiledBuild.RunAsync(scene, detected, [BuildTool.Cpp, maker, BuildTool.CMake], builds, output => CMakeAsync(scene, detected, output, maker, cancel), cancel);
    }

    private static async Task<Problem?> CompileAsync(BuildScene scene, DetectedRuntime detected, string output, CancellationToken cancel)
    {
        var sources = scene.Source.Entries
            .Where(e => e.Kind == SourceKind.File && !e.Path.Contains('/') && s_endings.Contains(Path.GetExtension(e.Path), StringComparer.Ordinal))
            .Select(e => e.Path);
        string[] command =
        [
            BuildTool.Cpp.Find()!, "-O2", "-std=c++17", "-pthread", "-static-libstdc++", "-static-libgcc", "-fdiagnostics-color=never", "-I.", "-I/dure/rt/cpp",
            "-o", "/out/" + Path.GetFileName(detected.Handler), .. sources,
        ];
        var ended = await scene.RunAsync(command, [scene.Code(), new(output, "/out", true)], [], cancel: cancel);
        if (!ended.Ok)
            return ended.Problem;
        return ended.Value.Code == 0 ? null : CompilerOutput.Problem(scene.Lines, "C++", ended.Value);
    }

    private static async Task<Problem?> CMakeAsync(BuildScene scene, DetectedRuntime detected, string output, BuildTool maker, CancellationToken cancel)
    {
        var cmake = BuildTool.CMake.Find()!;
        List<SandboxMount> mounts = [scene.Code(), new(output, "/out", true), new(scene.NewFolder("cmake"), "/build", true)];
        string[] configure =
        [
            cmake, "-S", "/code", "-B", "/build", "-G", maker == BuildTool.Ninja ? "Ninja" : "Unix Makefiles", "-DCMAKE_BUILD_TYPE=Release",
            "-DCMAKE_CXX_FLAGS=-I/dure/rt/cpp", "-DCMAKE_RUNTIME_OUTPUT_DIRECTORY=/out", "-DCMAKE_LIBRARY_OUTPUT_DIRECTORY=/out", "-DCMAKE_BUILD_RPATH_USE_ORIGIN=ON",
        ];
        var configured = await scene.RunAsync(configure, mounts, [], cancel: cancel);
        if (!configured.Ok)
            return configured.Problem;
        if (configured.Value.Code != 0)
            return CompilerOutput.Problem(scene.Lines, "CMake", configured.Value);
        var built = await scene.RunAsync([cmake, "--build", "/build", "--parallel"], mounts, [], cancel: cancel);
        if (!built.Ok)
            return built.Problem;
        if (built.Value.Code != 0)
            return CompilerOutput.Problem(scene.Lines, "C++", built.Value);
        OnlyProgram(output, Path.GetFileName(detected.Handler));
        return null;
    }

    /// <summary>When a project makes one program, whatever its name, that is the one.</summary>
    private static void OnlyProgram(string output, string name)
    {
        var wanted = Path.Combine(output, name);
        var programs = Directory.EnumerateFiles(output)
            .Where(f => UnixFile.KindOf(f) == SourceKind.File && File.GetUnixFileMode(f).HasFlag(UnixFileMode.UserExecute) && !Path.GetFileName(f).Contains(".so", StringComparison.Ordinal))
            .Take(2).ToList();
        if (!File.Exists(wanted) && programs is [var only])
            File.Move(only, wanted);
    }
}
