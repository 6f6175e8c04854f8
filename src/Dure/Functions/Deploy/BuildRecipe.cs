using Dure.Functions.Worker;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>What building means for one runtime.</summary>
/// <param name="Interpreter">The program that runs the code, and for whose version dependencies are installed; null for compiled code.</param>
/// <param name="ModeOf">Who speaks the function protocol, seen in the code.</param>
/// <param name="DependencyInput">Digest of what the dependencies folder depends on; null when the version has none.</param>
/// <param name="BuildAsync">Checks or compiles; gets the folder of cached builds. Outputs go into the source tree.</param>
/// <param name="InstallAsync">Fills the dependencies folder.</param>
/// <param name="FinishAsync">What needs the dependencies; gets their folder.</param>
internal sealed record BuildRecipe(
    BuildTool? Interpreter,
    Func<BuildScene, SandboxMode> ModeOf,
    Func<BuildScene, string?> DependencyInput,
    Func<BuildScene, DetectedRuntime, string, CancellationToken, Task<Problem?>> BuildAsync,
    Func<BuildScene, string, CancellationToken, Task<Problem?>> InstallAsync,
    Func<BuildScene, DetectedRuntime, string?, CancellationToken, Task<Problem?>> FinishAsync)
{
    private static readonly BuildRecipe s_python = new(
        BuildTool.Python,
        static _ => SandboxMode.Shim,
        PythonBuild.DependencyInput,
        static (scene, detected, _, cancel) => PythonBuild.BuildAsync(scene, detected, cancel),
        PythonBuild.InstallAsync,
        static (_, _, _, _) => Task.FromResult<Problem?>(null));

    private static readonly BuildRecipe s_node = new(
        BuildTool.Node,
        static _ => SandboxMode.Shim,
        NodeBuild.DependencyInput,
        static (scene, detected, _, cancel) => NodeBuild.BuildAsync(scene, detected, cancel),
        NodeBuild.InstallAsync,
        NodeBuild.FinishAsync);

    private static readonly BuildRecipe s_go = Compiled(GoBuild.ModeOf, GoBuild.BuildAsync);
    private static readonly BuildRecipe s_cpp = Compiled(CppBuild.ModeOf, CppBuild.BuildAsync);
    private static readonly BuildRecipe s_csharp = Compiled(CSharpBuild.ModeOf, CSharpBuild.BuildAsync);

    private static readonly BuildRecipe s_bootstrap = Compiled(
        static _ => SandboxMode.RuntimeApi,
        static async (scene, detected, _, cancel) =>
            (scene.Settings.Build is null ? null : await scene.RunOwnCommandAsync(cancel)) ?? CompiledBuild.MakeRunnable(scene, detected.Handler));

    /// <summary>The recipe of a runtime.</summary>
    public static BuildRecipe For(string runtime) => runtime switch
    {
        "python" => s_python,
        "node" => s_node,
        "go" => s_go,
        "cpp" => s_cpp,
        "csharp" => s_csharp,
        "bootstrap" => s_bootstrap,
        _ => throw new ArgumentOutOfRangeException(nameof(runtime), runtime, null),
    };

    private static BuildRecipe Compiled(
        Func<BuildScene, SandboxMode> modeOf, Func<BuildScene, DetectedRuntime, string, CancellationToken, Task<Problem?>> build) =>
        new(
            null,
            modeOf,
            static _ => null,
            build,
            static (_, _, _) => Task.FromResult<Problem?>(null),
            static (_, _, _, _) => Task.FromResult<Problem?>(null));
}
