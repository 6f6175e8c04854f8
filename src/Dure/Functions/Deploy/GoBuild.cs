using System.Text.RegularExpressions;
using Dure.Functions.Worker;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>Go: modules are downloaded first, with the network; then the compiler runs without. Our package comes in as a workspace module.</summary>
internal static partial class GoBuild
{
    private const string OurModule = "/dure/rt/go/dure";
    private const string WorkFile = "/build/work/go.work";

    private static readonly string[] s_passed = ["GOPROXY", "GOPRIVATE", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOINSECURE", "GOVCS", "GOFLAGS"];

    /// <summary>
    /// Without -trimpath: the paths are the sandbox's and always the same, and the distribution's compiled standard library is used, which
    /// takes 0.3 s instead of 10. A shell line, for a module's files can only be laid beside a workspace file by copying.
    /// </summary>
    private const string Compile = """
        set -e
        cd "$DURE_SOURCE"
        if [ ! -e go.mod ]; then printf 'module function\n\ngo %s\n' "$DURE_GO_VERSION" > go.mod; fi
        if [ -n "$DURE_WORK" ]; then printf 'go %s\n\nuse (\n\t%s\n\t%s\n)\n' "$DURE_GO_VERSION" "$DURE_SOURCE" "$DURE_MODULE" > "$DURE_WORK"; export GOWORK="$DURE_WORK"; fi
        exec go build -o "$1" .
        """;

    public static SandboxMode ModeOf(BuildScene scene) =>
        OurImport(scene) ? SandboxMode.Shim
        : CompiledBuild.Mentions(scene, "github.com/aws/aws-lambda-go", "AWS_LAMBDA_RUNTIME_API") ? SandboxMode.RuntimeApi
        : SandboxMode.Plain;

    public static Task<Problem?> BuildAsync(BuildScene scene, DetectedRuntime detected, string builds, CancellationToken cancel) =>
        CompiledBuild.RunAsync(scene, detected, [BuildTool.Go], builds, output => CompileAsync(scene, detected, output, cancel), cancel);

    private static async Task<Problem?> CompileAsync(BuildScene scene, DetectedRuntime detected, string output, CancellationToken cancel)
    {
        var vendored = scene.Has("vendor/modules.txt");
        var (environment, mounts) = ToolEnvironment.For(scene.Options.ServerEnvironment, s_passed);
        var work = scene.NewFolder("go");
        var source = Path.Combine(work, "work", "source");
        BuildFiles.Overlay(scene.Source.Root, Directory.CreateDirectory(source).FullName);
        BuildFiles.MakeWritable(work);
        BuildFiles.GiveToSandbox(work, scene.Options);
        mounts.AddRange([new(work, "/build", true), new(output, "/out", true)]);
        environment["HOME"] = "/build";
        environment["GOPATH"] = "/build/path";
        environment["GOCACHE"] = "/build/cache";
        environment["GOTMPDIR"] = "/build";
        environment["GOTOOLCHAIN"] = "local";
        environment["DURE_SOURCE"] = "/build/work/source";
        environment["DURE_MODULE"] = OurModule;
        environment["DURE_GO_VERSION"] = VersionPattern().Match(await BuildTool.Go.VersionAsync(cancel)).Value;
        environment["CGO_ENABLED"] = CompiledBuild.Mentions(scene, "import \"C\"") ? "1" : "0";
        if (vendored)
            environment["GOFLAGS"] = (environment.GetValueOrDefault("GOFLAGS") + " -mod=vendor").Trim();
        else if (OurImport(scene))
            environment["DURE_WORK"] = WorkFile;
        if (!vendored && scene.Has("go.mod") && CompiledBuild.Mentions(scene, "require") && await DownloadAsync(scene, mounts, environment, cancel) is { } problem)
            return problem;
        environment["GOPROXY"] = "off";
        var program = "/out/" + Path.GetFileName(detected.Handler);
        var ended = await scene.RunAsync(["/bin/sh", "-c", Compile, "sh", program], mounts, environment, at: "/build", cancel: cancel);
        if (!ended.Ok)
            return ended.Problem;
        return ended.Value.Code == 0 ? null : CompilerOutput.Problem(scene.Lines, "Go", ended.Value);
    }

    private static async Task<Problem?> DownloadAsync(BuildScene scene, List<SandboxMount> mounts, Dictionary<string, string> environment, CancellationToken cancel)
    {
        await scene.SayAsync("downloading modules");
        string[] command = [BuildTool.Go.Find()!, "mod", "download"];
        var ended = await scene.RunAsync(command, mounts, environment, network: true, at: "/build/work/source", cancel: cancel);
        if (!ended.Ok)
            return ended.Problem;
        return ended.Value.Code == 0 ? null : DeployErrors.InstallFailed.With($"go mod download: {scene.Lines.LastOrDefault()}");
    }

    private static bool OurImport(BuildScene scene) => scene.Source.Entries
        .Where(e => e.Kind == SourceKind.File && e.Path.EndsWith(".go", StringComparison.Ordinal) && !e.Path.StartsWith("vendor/", StringComparison.Ordinal))
        .Any(e => ImportPattern().IsMatch(File.ReadAllText(scene.HostPath(e.Path))));

    [GeneratedRegex("(^|\\n)\\s*(import\\s+)?([\\w.]+\\s+)?\"dure\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex ImportPattern();

    [GeneratedRegex("[0-9]+\\.[0-9]+", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex VersionPattern();
}
