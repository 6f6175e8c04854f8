using System.Text.Json;
using Dure.Functions.Worker;
using Dure.Host.Configuration;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>Python: checks the handler without running it, makes bytecode, installs <c>requirements.txt</c>, takes over vendored folders.</summary>
internal static class PythonBuild
{
    public const string Requirements = "requirements.txt";

    /// <summary>The machine's own pip settings. The sandbox has an /etc of its own, so builds get a copy.</summary>
    private const string SystemSettings = "/etc/pip.conf";

    private static readonly string[] s_vendored = ["vendor", "deps"];

    /// <summary>
    /// Reads, never runs: the handler's file must parse and define the handler (or be able to: a star import or __getattr__ may).
    /// Bytecode is made for all files, valid whatever their times, for /code is read-only when functions run.
    /// </summary>
    private const string Check = """
        code = 0
        import ast, compileall, json, py_compile, sys
        path, name, root = sys.argv[1], sys.argv[2], sys.argv[3]
        def say(**what):
            global code
            code = 3
            print("dure:" + json.dumps(what), flush=True)
        try:
            with open(path, "rb") as f:
                source = f.read()
            tree = ast.parse(source, path)
            names, open_end = [], False
            def bind(target):
                if isinstance(target, ast.Name):
                    names.append(target.id)
                for part in getattr(target, "elts", []):
                    bind(part)
            def look(body):
                global open_end
                for node in body:
                    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                        names.append(node.name)
                        open_end |= node.name == "__getattr__"
                    elif isinstance(node, (ast.Import, ast.ImportFrom)):
                        for alias in node.names:
                            open_end |= alias.name == "*"
                            names.append((alias.asname or alias.name).split(".")[0])
                    elif isinstance(node, ast.Assign):
                        for target in node.targets:
                            bind(target)
                    elif isinstance(node, (ast.AnnAssign, ast.AugAssign)):
                        bind(node.target)
                    for part in ("body", "orelse", "finalbody"):
                        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                            look(getattr(node, part, []))
                    for inner in getattr(node, "handlers", []) + getattr(node, "cases", []):
                        look(inner.body)
            look(tree.body)
            open_end |= b"globals()" in source or b"setattr" in source
            if name not in names and not open_end:
                say(missing=sorted({n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))}))
        except SyntaxError as e:
            say(line=e.lineno or 0, column=e.offset or 0, message=e.msg, text=(e.text or "").strip())
        except (ValueError, RecursionError, MemoryError) as e:
            say(line=0, column=0, message=str(e) or type(e).__name__, text="")
        compileall.compile_dir(root, quiet=2, workers=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        sys.exit(code)
        """;

    private const string CompileAll =
        "import compileall, py_compile, sys; compileall.compile_dir(sys.argv[1], quiet=2, workers=0, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)";

    /// <summary>What the installed dependencies depend on, but for the interpreter; null when there are none.</summary>
    public static string? DependencyInput(BuildScene scene)
    {
        var vendored = Vendored(scene);
        if (!scene.Has(Requirements))
            return vendored.Count == 0 ? null : VersionDigest.Of("python-deps-1", "", VersionDigest.OfTree(vendored));
        var own = RefersToFolder(scene);
        var files = scene.Source.Entries.Where(e => e.Path != FunctionYaml.FileName && (own || IsWheel(e.Path) || IsRequirements(e.Path)));
        return VersionDigest.Of("python-deps-1", VersionDigest.OfTree(files), VersionDigest.OfTree(vendored));
    }

    public static async Task<Problem?> BuildAsync(BuildScene scene, DetectedRuntime detected, CancellationToken cancel)
    {
        if (BuildTool.Python.Find() is not { } python)
            return BuildTool.Python.Missing("A Python function");
        await scene.SayAsync("checking the code");
        var name = detected.Handler[(detected.Handler.LastIndexOf('.') + 1)..];
        BuildFiles.GiveToSandbox(scene.Source.Root, scene.Options);
        string[] command = [python, "-I", "-S", "-X", "utf8", "-c", Check, "/code/" + detected.EntryFile, name, "/code"];
        var ended = await scene.RunAsync(command, [scene.Code(writable: true)], [], quiet: true, cancel: cancel);
        if (!ended.Ok)
            return ended.Problem;
        BuildFiles.TakeBack(scene.Source.Root, scene.Options);
        foreach (var line in scene.Lines.Where(l => l.StartsWith("dure:", StringComparison.Ordinal)))
        {
            using var said = JsonDocument.Parse(line["dure:".Length..]);
            return Verdict(said.RootElement, detected, name);
        }

        return ended.Value.Code == 0
            ? null
            : DeployErrors.CompileFailed.With($"{python} could not check {detected.EntryFile} ({ended.Value.Reason} {ended.Value.Code}): {scene.Lines.LastOrDefault() ?? ended.Value.Detail}");
    }

    /// <summary>Fills a folder with the dependencies: pip's, then the vendored ones on top.</summary>
    public static async Task<Problem?> InstallAsync(BuildScene scene, string deps, CancellationToken cancel)
    {
        if (scene.Has(Requirements) && await PipAsync(scene, deps, cancel) is { } problem)
            return problem;
        BuildFiles.TakeBack(deps, scene.Options);
        foreach (var folder in s_vendored)
        {
            if (Vendored(scene).Any(e => e.Path.StartsWith(folder + "/", StringComparison.Ordinal)))
                BuildFiles.Overlay(scene.HostPath(folder), deps);
        }

        BuildFiles.GiveToSandbox(deps, scene.Options);
        string[] compile = [BuildTool.Python.Find()!, "-I", "-S", "-c", CompileAll, "/deps"];
        var compiled = await scene.RunAsync(compile, [new(deps, "/deps", true)], [], quiet: true, at: "/tmp", cancel: cancel);
        BuildFiles.TakeBack(deps, scene.Options);
        return compiled.Problem;
    }

    private static async Task<Problem?> PipAsync(BuildScene scene, string deps, CancellationToken cancel)
    {
        var python = BuildTool.Python.Find()!;
        var probe = await scene.RunAsync([python, "-I", "-m", "pip", "--version"], [], [], quiet: true, at: "/tmp", cancel: cancel);
        if (!probe.Ok)
            return probe.Problem;
        if (probe.Value.Code != 0)
            return (BuildTool.Python with { Name = "pip", Package = "python3-pip" }).Missing(Requirements);
        await scene.SayAsync($"installing {Requirements}");
        var (environment, mounts) = ToolEnvironment.For(scene.Options.ServerEnvironment, "PIP_");
        environment["TMPDIR"] = "/build";
        environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1";
        List<string> command =
        [
            python, "-m", "pip", "install", "--target", "/deps", "--no-compile", "--no-cache-dir", "--no-input", "--progress-bar", "off",
            "--root-user-action", "ignore", "-r", Requirements,
        ];
        foreach (var folder in Wheels(scene).Select(w => w.Path.Split('/')[0]).Distinct(StringComparer.Ordinal))
            command.AddRange(["--find-links", "/code/" + folder]);
        var build = scene.NewFolder("pip");
        if (File.Exists(SystemSettings) && environment.TryAdd("PIP_CONFIG_FILE", "/build/pip.conf"))
            File.Copy(SystemSettings, Path.Combine(build, "pip.conf"));
        mounts.AddRange([RefersToFolder(scene) ? CopyOfCode(scene) : scene.Code(), new(deps, "/deps", true), new(build, "/build", true)]);
        var ended = await scene.RunAsync(command, mounts, environment, network: true, cancel: cancel);
        if (!ended.Ok)
            return ended.Problem;
        return ended.Value.Code == 0 ? null : DeployErrors.InstallFailed.With($"pip could not install {Requirements}: {LastError(scene.Lines)}");
    }

    /// <summary>Whether pip is to build something of the folder itself, which it does in place.</summary>
    private static bool RefersToFolder(BuildScene scene) => scene.Source.Entries
        .Where(e => e.Kind == SourceKind.File && IsRequirements(e.Path))
        .SelectMany(e => File.ReadLines(scene.HostPath(e.Path)))
        .Any(l => l.TrimStart() is var line && (line.StartsWith("-e", StringComparison.Ordinal) || line.StartsWith("--editable", StringComparison.Ordinal)
            || line.StartsWith('.') || line.Contains("./", StringComparison.Ordinal) || line.Contains("file:", StringComparison.Ordinal)));

    private static SandboxMount CopyOfCode(BuildScene scene)
    {
        var copy = scene.NewFolder("pip-source");
        BuildFiles.Overlay(scene.Source.Root, copy);
        BuildFiles.MakeWritable(copy);
        BuildFiles.GiveToSandbox(copy, scene.Options);
        return new(copy, "/code", true);
    }

    private static bool IsRequirements(string path) => path.EndsWith(".txt", StringComparison.Ordinal) || path.EndsWith(".in", StringComparison.Ordinal);

    private static string LastError(List<string> lines)
    {
        var last = lines.LastOrDefault(l => l.StartsWith("ERROR:", StringComparison.Ordinal)) ?? lines.LastOrDefault() ?? "it said nothing.";
        return lines.Exists(l => l.Contains("Retrying (", StringComparison.Ordinal)) ? last + " (The package index could not be reached.)" : last;
    }

    private static Problem Verdict(JsonElement said, DetectedRuntime detected, string name)
    {
        if (said.TryGetProperty("missing", out var names))
        {
            var there = names.EnumerateArray().Select(n => n.GetString()!).ToList();
            var list = there.Count == 0 ? "It defines no function." : $"It defines {string.Join(", ", there)}.";
            return DeployErrors.HandlerMissing.With(
                $"{detected.EntryFile} does not define `{name}`. {list}{Spelling.DidYouMean(name, there)}",
                [new(detected.EntryFile!, $"no function `{name}`")]);
        }

        var line = said.GetProperty("line").GetInt32();
        var where = line == 0 ? detected.EntryFile! : $"{detected.EntryFile}:{line}:{said.GetProperty("column").GetInt32()}";
        var message = said.GetProperty("message").GetString()!;
        var text = said.GetProperty("text").GetString()!;
        return DeployErrors.SyntaxError.With($"{where}: {message}", [new(where, text.Length == 0 ? message : $"{message}: {text}")]);
    }

    /// <summary>Folders of installed packages that the package brings along. Folders of wheels are for pip instead.</summary>
    private static List<SourceEntry> Vendored(BuildScene scene) =>
        [.. scene.Source.Entries.Where(e => s_vendored.Contains(e.Path.Split('/')[0], StringComparer.Ordinal) && e.Path.Contains('/') && !IsWheel(e.Path))];

    private static IEnumerable<SourceEntry> Wheels(BuildScene scene) =>
        scene.Source.Entries.Where(e => IsWheel(e.Path) && e.Path.Split('/') is [var top, _] && s_vendored.Append("wheels").Contains(top, StringComparer.Ordinal));

    private static bool IsWheel(string path) => path.EndsWith(".whl", StringComparison.Ordinal);
}
