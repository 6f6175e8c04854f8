using System.Text.Json;
using Dure.Functions.Worker;
using Dure.Host.Files;
using Dure.Host.Texts;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>
/// Makes a version out of a package: unpack, recognise, check, compile, install. Everything lands in its folder by one rename, so a
/// version is there whole or not at all; the same package twice, also at once or after a crash, is one build.
/// </summary>
public sealed class DeployBuild(DeployOptions options, BuildRun run, TimeProvider time)
{
    private const string ManifestFile = SourcePaths.BuildFolder + "/version.json";

    private readonly KeyedLock _locks = new();

    /// <summary>Removes what builds left behind that a crash ended. Call once, before the first build.</summary>
    public void CleanUp()
    {
        foreach (var folder in Directory.Exists(Temporary) ? Directory.EnumerateDirectories(Temporary, "deploy-*") : [])
            BuildFiles.Remove(folder);
    }

    /// <summary>Builds a version, or finds that it is built already.</summary>
    /// <param name="package">A .tar.gz, .tar or .zip.</param>
    /// <param name="sourceBlob">Digest of the package in the blob store.</param>
    /// <param name="progress">Gets what begins and what compilers and installers write.</param>
    /// <returns>The version; or any of <see cref="DeployErrors"/>, in which case nothing changed.</returns>
    public async Task<Outcome<BuiltVersion>> RunAsync(
        string functionName, Stream package, string sourceBlob, Func<BuildEvent, ValueTask> progress, CancellationToken cancel)
    {
        if (FunctionName.Check(functionName) is { Ok: false, Problem: { } bad })
            return bad;
        var scratch = Path.Combine(Temporary, "deploy-" + Path.GetRandomFileName());
        var unpackTo = Path.Combine(scratch, "source");
        try
        {
            foreach (var folder in new[] { CodeFolder, DepsFolder, BuildsFolder, Temporary, scratch })
                BuildFiles.MakeFolder(folder, UnixFile.Passage);
            BuildFiles.MakeFolder(unpackTo);
            await progress(new("unpacking", null));
            var source = await SourceUnpacker.UnpackAsync(package, unpackTo, options.Source, cancel);
            if (!source.Ok)
                return source.Problem;
            var settings = Settings(source.Value);
            if (!settings.Ok)
                return settings.Problem;
            var detected = RuntimeDetection.Detect(source.Value.Entries, settings.Value);
            if (!detected.Ok)
                return detected.Problem;
            var scene = new BuildScene(options, run, progress, time, scratch, source.Value, settings.Value);
            return await BuildAsync(scene, detected.Value, sourceBlob, cancel);
        }
        catch (IOException e) when (DurableFile.IsNoRoom(e))
        {
            return DeployErrors.DiskFull.With(e.Message);
        }
        finally
        {
            BuildFiles.Remove(scratch);
        }
    }

    /// <summary>Finds a built version again, such as after a restart.</summary>
    /// <returns>Null when it must be built (again): folders are gone, or the interpreter that its dependencies were installed for is.</returns>
    public async Task<BuiltVersion?> FindAsync(string digest, string sourceBlob, FunctionSpec spec, CancellationToken cancel)
    {
        var code = Path.Combine(CodeFolder, digest);
        var manifest = Path.Combine(code, ManifestFile);
        if (!File.Exists(manifest))
            return null;
        using var json = JsonDocument.Parse(await File.ReadAllBytesAsync(manifest, cancel));
        var key = await DependencyKeyAsync(spec.Runtime, json.RootElement.GetProperty("dependency_input").GetString(), cancel);
        var deps = key is null ? null : Path.Combine(DepsFolder, key);
        return deps is not null && !Directory.Exists(deps) ? null : Version(digest, sourceBlob, spec, code, deps);
    }

    private string Temporary => Path.Combine(options.DataDirectory, "tmp");

    private string CodeFolder => Path.Combine(options.DataDirectory, "code");

    private string DepsFolder => Path.Combine(options.DataDirectory, "deps");

    private string BuildsFolder => Path.Combine(options.DataDirectory, "builds");

    private static Outcome<FunctionSettings> Settings(UnpackedSource source)
    {
        var path = Path.Combine(source.Root, FunctionYaml.FileName);
        if (source.Entries.FirstOrDefault(e => e.Path == FunctionYaml.FileName) is not { Kind: SourceKind.File } entry)
            return new FunctionSettings();
        return entry.Length > YamlTree.LengthMax
            ? DeployErrors.YamlInvalid.With($"{FunctionYaml.FileName} is longer than {YamlTree.LengthMax / 1024} KiB.")
            : FunctionYaml.Parse(File.ReadAllText(path));
    }

    private async Task<Outcome<BuiltVersion>> BuildAsync(BuildScene scene, DetectedRuntime detected, string sourceBlob, CancellationToken cancel)
    {
        var recipe = BuildRecipe.For(detected.Runtime);
        if (recipe.Interpreter is { } tool && tool.Find() is null)
            return tool.Missing($"A {detected.Runtime} function");
        if (detected.Runtime == "csharp")
            detected = detected with { Handler = CSharpBuild.ProgramOf(scene.Source.Entries, scene.Source.Root, detected.Handler) };
        var spec = scene.Settings.Resolve(detected.Runtime, detected.Handler, scene.Settings.Mode ?? recipe.ModeOf(scene));
        var digest = VersionDigest.OfVersion(scene.Source.Entries, spec);
        using var held = await _locks.EnterAsync(digest, cancel);
        if (await FindAsync(digest, sourceBlob, spec, cancel) is { } built)
        {
            await scene.SayAsync("already built");
            return built;
        }

        var input = recipe.DependencyInput(scene);
        var problem = await recipe.BuildAsync(scene, detected, BuildsFolder, cancel);
        if (problem is not null)
            return problem;
        var deps = await InstallAsync(scene, recipe, spec, input, cancel);
        if (!deps.Ok)
            return deps.Problem;
        if (await recipe.FinishAsync(scene, detected, deps.Value.Length == 0 ? null : deps.Value, cancel) is { } unfinished)
            return unfinished;
        await scene.SayAsync("putting the version in place");
        var code = Path.Combine(CodeFolder, digest);
        if (!Directory.Exists(code))
        {
            WriteManifest(scene.Source.Root, input);
            BuildFiles.TakeBack(scene.Source.Root, options);
            BuildFiles.Publish(scene.Source.Root, code);
        }

        return Version(digest, sourceBlob, spec, code, deps.Value.Length == 0 ? null : deps.Value);
    }

    /// <summary>The folder with the dependencies, empty text when there are none. Versions that need the same share it.</summary>
    private async Task<Outcome<string>> InstallAsync(BuildScene scene, BuildRecipe recipe, FunctionSpec spec, string? input, CancellationToken cancel)
    {
        var key = await DependencyKeyAsync(spec.Runtime, input, cancel);
        if (key is null)
            return "";
        var place = Path.Combine(DepsFolder, key);
        using var held = await _locks.EnterAsync("deps " + key, cancel);
        if (Directory.Exists(place))
        {
            await scene.SayAsync("dependencies are installed already");
            return place;
        }

        var folder = scene.NewFolder("deps");
        if (await recipe.InstallAsync(scene, folder, cancel) is { } problem)
            return problem;
        BuildFiles.TakeBack(folder, options);
        BuildFiles.Publish(folder, place);
        return place;
    }

    private static async Task<string?> DependencyKeyAsync(string runtime, string? input, CancellationToken cancel) =>
        input is not null && BuildRecipe.For(runtime).Interpreter is { } tool && tool.Find() is not null
            ? VersionDigest.Of("deps-1", runtime, input, await tool.VersionAsync(cancel), System.Runtime.InteropServices.RuntimeInformation.OSArchitecture.ToString())
            : null;

    private static void WriteManifest(string root, string? input)
    {
        var path = Path.Combine(root, ManifestFile);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = File.Create(path);
        using var json = new Utf8JsonWriter(file);
        json.WriteStartObject();
        json.WriteNumber("format", 1);
        json.WriteString("dependency_input", input);
        json.WriteEndObject();
        json.Flush();
    }

    private static BuiltVersion Version(string digest, string sourceBlob, FunctionSpec spec, string code, string? deps) =>
        new(digest, sourceBlob, code, deps, SandboxSpecs.Prewarm(spec, deps), SandboxSpecs.Command(spec), spec);
}
