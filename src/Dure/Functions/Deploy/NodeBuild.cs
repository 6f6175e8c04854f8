using System.Text.Json;
using System.Text.RegularExpressions;
using Dure.Functions.Worker;
using Dure.Host.Configuration;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>Node.js: checks the handler's syntax without running it, installs <c>package.json</c>, compiles TypeScript.</summary>
internal static partial class NodeBuild
{
    public const string Package = "package.json";

    private static readonly string[] s_locks = ["package-lock.json", "npm-shrinkwrap.json"];
    private static readonly string[] s_dependencyKeys = ["dependencies", "optionalDependencies"];

    /// <summary>What the installed dependencies depend on, but for the interpreter; null when there are none or the folder brings them.</summary>
    public static string? DependencyInput(BuildScene scene)
    {
        if (!scene.Has(Package) || scene.Source.Entries.Any(e => e.Path == "node_modules") || Dependencies(scene) is not { } text)
            return null;
        var local = LocalPackages().Matches(text).Select(m => m.Groups["path"].Value.TrimEnd('/')).ToList();
        var files = scene.Source.Entries.Where(e =>
            s_locks.Contains(e.Path, StringComparer.Ordinal) || e.Path is Package or ".npmrc"
            || local.Any(l => e.Path == l || e.Path.StartsWith(l + "/", StringComparison.Ordinal)));
        return VersionDigest.Of("node-deps-1", VersionDigest.OfTree(files));
    }

    public static async Task<Problem?> BuildAsync(BuildScene scene, DetectedRuntime detected, CancellationToken cancel)
    {
        if (scene.Has(Package) && PackageFault(scene) is { } fault)
            return fault;
        if (scene.Settings.Build is not null && await scene.RunOwnCommandAsync(cancel) is { } failed)
            return failed;
        return TypeScript.Is(detected.EntryFile!) ? null : await CheckAsync(scene, detected, cancel);
    }

    /// <summary>After the dependencies are there: TypeScript may be one of them.</summary>
    public static Task<Problem?> FinishAsync(BuildScene scene, DetectedRuntime detected, string? deps, CancellationToken cancel) =>
        TypeScript.Is(detected.EntryFile!) ? TypeScript.CompileAsync(scene, detected, deps, cancel) : Task.FromResult<Problem?>(null);

    /// <summary>Runs npm in a copy of the folder, so that dependencies on its own folders are found, and keeps node_modules.</summary>
    public static async Task<Problem?> InstallAsync(BuildScene scene, string deps, CancellationToken cancel)
    {
        if (BuildTool.Npm.Find() is not { } npm)
            return BuildTool.Npm.Missing(Package);
        var locked = s_locks.Any(scene.Has);
        await scene.SayAsync(locked ? "installing the locked packages (npm ci)" : "installing packages (npm install)");
        var work = scene.NewFolder("npm");
        BuildFiles.Overlay(scene.Source.Root, work);
        BuildFiles.MakeWritable(work);
        BuildFiles.GiveToSandbox(work, scene.Options);
        var (environment, mounts) = ToolEnvironment.For(scene.Options.ServerEnvironment, "npm_config_");
        environment["npm_config_cache"] = "/build/cache";
        environment["npm_config_update_notifier"] = "false";
        mounts.AddRange([new(work, "/deps", true), new(scene.NewFolder("npm-cache"), "/build", true)]);
        string[] command = [npm, locked ? "ci" : "install", "--omit=dev", "--no-audit", "--no-fund", "--no-progress"];
        var ended = await scene.RunAsync(command, mounts, environment, network: true, at: "/deps", cancel: cancel);
        if (!ended.Ok)
            return ended.Problem;
        if (ended.Value.Code != 0)
            return DeployErrors.InstallFailed.With($"npm could not install {Package}: {FirstError(scene.Lines)}");
        var modules = Path.Combine(work, "node_modules");
        Directory.CreateDirectory(modules);
        BuildFiles.TakeBack(work, scene.Options);
        CopyLinkedPackages(modules, work);
        Directory.Move(modules, Path.Combine(deps, "node_modules"));
        return null;
    }

    /// <summary>npm links to packages that are folders of the project; the links would lead nowhere in the sandbox.</summary>
    private static void CopyLinkedPackages(string modules, string work)
    {
        var scopes = Directory.EnumerateDirectories(modules, "@*").Where(d => UnixFile.KindOf(d) == SourceKind.Folder);
        foreach (var link in scopes.Prepend(modules).SelectMany(Directory.EnumerateFileSystemEntries).Where(p => UnixFile.KindOf(p) == SourceKind.Link).ToList())
        {
            var path = Path.GetRelativePath(work, link);
            var target = new FileInfo(link).LinkTarget!;
            if (SourceLinks.Fault(path, target, at => new FileInfo(Path.Combine(work, at)).LinkTarget) is not null)
                continue;
            var folder = Path.GetFullPath(target, Path.GetDirectoryName(link)!);
            if (!Directory.Exists(folder) || folder.StartsWith(modules + "/", StringComparison.Ordinal) || UnixFile.KindOf(folder) != SourceKind.Folder)
                continue;
            File.Delete(link);
            BuildFiles.MakeFolder(link);
            BuildFiles.Overlay(folder, link);
        }
    }

    private static async Task<Problem?> CheckAsync(BuildScene scene, DetectedRuntime detected, CancellationToken cancel)
    {
        await scene.SayAsync("checking the code");
        var entry = detected.EntryFile!;
        var ended = await scene.RunAsync([BuildTool.Node.Find()!, "--check", "/code/" + entry], [scene.Code()], [], quiet: true, cancel: cancel);
        if (!ended.Ok)
            return ended.Problem;
        if (ended.Value.Code != 0)
            return SyntaxProblem(scene.Lines, entry);
        return MissingHandler(await File.ReadAllTextAsync(scene.HostPath(entry), cancel), detected);
    }

    /// <summary>What Node.js wrote about a file that it cannot parse: the place on the first line, the reason further down.</summary>
    private static Problem SyntaxProblem(List<string> lines, string entry)
    {
        var place = lines.FirstOrDefault(l => l.Contains("/code/", StringComparison.Ordinal));
        var where = place is null ? entry : place[(place.IndexOf("/code/", StringComparison.Ordinal) + "/code/".Length)..].Trim();
        var message = lines.FirstOrDefault(l => l.Contains("Error", StringComparison.Ordinal) && l.Contains(':', StringComparison.Ordinal) && l != place) ?? "it cannot be parsed";
        return DeployErrors.SyntaxError.With($"{where}: {message.Trim()}", [new(where, message.Trim())]);
    }

    /// <summary>Only when it is certain: the name is nowhere in the text, and nothing is exported under names not written there.</summary>
    internal static Problem? MissingHandler(string text, DetectedRuntime detected)
    {
        var name = detected.Handler[(detected.Handler.LastIndexOf('.') + 1)..];
        if (Regex.IsMatch(text, $@"(?<![\w$]){Regex.Escape(name)}(?![\w$])", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)) || OpenExports().IsMatch(text))
            return null;
        var there = Exports().Matches(text).Select(m => m.Groups["name"].Value).Distinct(StringComparer.Ordinal).ToList();
        var list = there.Count == 0 ? "It exports nothing by name." : $"It exports {string.Join(", ", there)}.";
        return DeployErrors.HandlerMissing.With(
            $"{detected.EntryFile} does not export `{name}`. {list}{Spelling.DidYouMean(name, there)}", [new(detected.EntryFile!, $"no export `{name}`")]);
    }

    private static Problem? PackageFault(BuildScene scene)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(scene.HostPath(Package)));
            return json.RootElement.ValueKind == JsonValueKind.Object ? null : Wrong("it must be an object");
        }
        catch (JsonException e)
        {
            return Wrong($"line {e.LineNumber + 1}: it is not valid JSON");
        }

        static Problem Wrong(string what) => DeployErrors.SyntaxError.With($"{Package}: {what}.", [new(Package, what)]);
    }

    /// <summary>The dependencies as text; null when there are none.</summary>
    private static string? Dependencies(BuildScene scene)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(scene.HostPath(Package)));
            var found = s_dependencyKeys
                .Where(k => json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(k, out _))
                .Select(k => json.RootElement.GetProperty(k))
                .Where(d => d.ValueKind == JsonValueKind.Object && d.EnumerateObject().Any())
                .Select(d => d.GetRawText());
            return string.Concat(found) is { Length: > 0 } text ? text : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string FirstError(List<string> lines) =>
        lines.FirstOrDefault(l => l.StartsWith("npm error", StringComparison.Ordinal) && !l.StartsWith("npm error code", StringComparison.Ordinal))
        ?? lines.LastOrDefault() ?? "it said nothing.";

    [GeneratedRegex(@"""file:(\./)?(?<path>[^""]+)""", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex LocalPackages();

    [GeneratedRegex(@"module\.exports\s*=|export\s*\*|exports\s*\[|Object\.(assign|defineProperty)\s*\(\s*(module\.)?exports|\beval\b", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex OpenExports();

    [GeneratedRegex(@"exports\.(?<name>[\w$]+)\s*=|export\s+(async\s+)?(function\s*\*?|const|let|var|class)\s+(?<name>[\w$]+)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Exports();
}
