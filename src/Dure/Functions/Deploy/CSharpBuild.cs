using System.Security;
using System.Text.RegularExpressions;
using Dure.Functions.Worker;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>C#: a project, or files without one, for which a project is written. Packages are restored with the network, the rest runs without.</summary>
internal static partial class CSharpBuild
{
    private const string Source = "/build/source";
    private const string OwnProject = "program.csproj";

    public static SandboxMode ModeOf(BuildScene scene) =>
        CompiledBuild.Mentions(scene, "Amazon.Lambda.RuntimeSupport", "AWS_LAMBDA_RUNTIME_API") ? SandboxMode.RuntimeApi : SandboxMode.Plain;

    /// <summary>What <c>dotnet</c> is given to run: the project's assembly in the build folder.</summary>
    public static string ProgramOf(IReadOnlyList<SourceEntry> entries, string root, string handler)
    {
        if (Path.GetExtension(handler) == ".dll" || handler != RuntimeDetection.Program)
            return handler;
        if (Project(entries) is not { } project)
            return RuntimeDetection.Program + ".dll";
        var named = AssemblyName().Match(File.ReadAllText(Path.Combine(root, project)));
        var name = named.Success ? named.Groups["name"].Value.Trim() : Path.GetFileNameWithoutExtension(project);
        return $"{SourcePaths.BuildFolder}/{name}.dll";
    }

    public static Task<Problem?> BuildAsync(BuildScene scene, DetectedRuntime detected, string builds, CancellationToken cancel) =>
        CompiledBuild.RunAsync(scene, detected, [BuildTool.Dotnet], builds, output => CompileAsync(scene, output, cancel), cancel);

    private static string? Project(IReadOnlyList<SourceEntry> entries) =>
        entries.FirstOrDefault(e => e.Kind == SourceKind.File && !e.Path.Contains('/') && e.Path.EndsWith(".csproj", StringComparison.Ordinal))?.Path;

    private static async Task<Problem?> CompileAsync(BuildScene scene, string output, CancellationToken cancel)
    {
        var work = scene.NewFolder("dotnet");
        var source = Directory.CreateDirectory(Path.Combine(work, "source")).FullName;
        BuildFiles.Overlay(scene.Source.Root, source);
        var project = Project(scene.Source.Entries);
        if (project is null)
            await File.WriteAllTextAsync(Path.Combine(source, project = OwnProject), await WriteProjectAsync(scene, source, cancel), cancel);
        BuildFiles.MakeWritable(work);
        BuildFiles.GiveToSandbox(work, scene.Options);

        var (environment, mounts) = ToolEnvironment.For(scene.Options.ServerEnvironment, "NUGET_");
        mounts.AddRange([new(work, "/build", true), new(output, "/out", true)]);
        foreach (var (name, value) in Quiet)
            environment[name] = value;
        var dotnet = BuildTool.Dotnet.Find()!;
        var packages = CompiledBuild.Mentions(scene, "PackageReference", "#:package", "#:sdk");
        string[] restore = [dotnet, "restore", project, "-nologo", "-nodeReuse:false", "-v:q", "-p:NuGetAudit=false"];
        var restored = await scene.RunAsync(restore, mounts, environment, network: packages, at: Source, cancel: cancel);
        if (!restored.Ok)
            return restored.Problem;
        if (restored.Value.Code != 0)
            return packages ? DeployErrors.InstallFailed.With($"dotnet restore: {scene.Lines.FirstOrDefault(l => l.Contains("error", StringComparison.Ordinal)) ?? scene.Lines.LastOrDefault()}") : CompilerOutput.Problem(Tidy(scene), "C#", restored.Value);
        string[] publish =
        [
            dotnet, "publish", project, "--no-restore", "-c", "Release", "-o", "/out", "-nologo", "-nodeReuse:false", "-v:q", "-clp:NoSummary",
            "-p:UseAppHost=false", "-p:PublishAot=false", "-p:UseSharedCompilation=false", "-p:DebugType=embedded", "-p:SatelliteResourceLanguages=en",
        ];
        var published = await scene.RunAsync(publish, mounts, environment, at: Source, cancel: cancel);
        if (!published.Ok)
            return published.Problem;
        return published.Value.Code == 0 ? null : CompilerOutput.Problem(Tidy(scene), "C#", published.Value);
    }

    private static Dictionary<string, string> Quiet => new(StringComparer.Ordinal)
    {
        ["HOME"] = "/build",
        ["TMPDIR"] = "/build",
        ["NUGET_PACKAGES"] = "/build/packages",
        ["DOTNET_CLI_HOME"] = "/build",
        ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
        ["DOTNET_NOLOGO"] = "1",
        ["DOTNET_SKIP_FIRST_TIME_EXPERIENCE"] = "1",
        ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1",
        ["DOTNET_SKIP_WORKLOAD_INTEGRITY_CHECK"] = "1",
        ["MSBUILDDISABLENODEREUSE"] = "1",
    };

    private static IReadOnlyList<string> Tidy(BuildScene scene) => [.. scene.Lines.Select(l => l.Replace(Source + "/", "", StringComparison.Ordinal))];

    private static async Task<string> WriteProjectAsync(BuildScene scene, string source, CancellationToken cancel)
    {
        var version = await BuildTool.Dotnet.VersionAsync(cancel);
        var packages = scene.Source.Entries
            .Where(e => e.Kind == SourceKind.File && !e.Path.Contains('/') && e.Path.EndsWith(".cs", StringComparison.Ordinal))
            .SelectMany(e => TakeDirectives(Path.Combine(source, e.Path)));
        return $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net{version.Split('.')[0]}.0</TargetFramework>
                <AssemblyName>program</AssemblyName>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <InvariantGlobalization>true</InvariantGlobalization>
                <TieredPGO>false</TieredPGO>
              </PropertyGroup>
              <ItemGroup>{string.Concat(packages)}</ItemGroup>
            </Project>
            """;
    }

    /// <summary>Takes <c>#:package Name@Version</c> lines, which the compiler refuses in projects, out of a file.</summary>
    private static List<string> TakeDirectives(string path)
    {
        var lines = File.ReadAllLines(path);
        var found = new List<string>();
        for (var i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith("#:", StringComparison.Ordinal))
                continue;
            if (PackageDirective().Match(lines[i]) is { Success: true } package)
                found.Add($"<PackageReference Include=\"{SecurityElement.Escape(package.Groups["name"].Value)}\" Version=\"{SecurityElement.Escape(package.Groups["version"].Value)}\" />");
            lines[i] = "";
        }

        if (found.Count > 0)
        {
            File.Delete(path);
            File.WriteAllLines(path, lines);
        }

        return found;
    }

    [GeneratedRegex("<AssemblyName>(?<name>[^<$]+)</AssemblyName>", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex AssemblyName();

    [GeneratedRegex(@"^#:package\s+(?<name>[\w.-]+)\s*@\s*(?<version>\S+)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex PackageDirective();
}
