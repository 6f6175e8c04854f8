using Dure.Host.Configuration;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>What a folder was recognised as.</summary>
/// <param name="Runtime">One of <see cref="FunctionYaml.Runtimes"/>.</param>
/// <param name="Handler">Python and Node.js: <c>module.function</c>; others: the program in the folder once it is built.</param>
/// <param name="EntryFile">The file that made it so; null when <c>build:</c> makes it.</param>
public sealed record DetectedRuntime(string Runtime, string Handler, string? EntryFile);

/// <summary>Recognises the runtime and the handler of a folder, by <c>function.yaml</c> first, then by the names of its files.</summary>
public static class RuntimeDetection
{
    /// <summary>The program that compiling makes, as a path in the folder.</summary>
    public const string Program = SourcePaths.BuildFolder + "/program";

    private static readonly Convention[] s_conventions =
    [
        new("python", ["handler.py", "lambda_function.py"], [".py"]),
        new("node", ["index.mjs", "index.cjs", "index.js", "index.ts", "index.mts", "index.cts"], [".mjs", ".cjs", ".js", ".ts", ".mts", ".cts"]),
        new("go", ["main.go"], [".go"]),
        new("cpp", ["CMakeLists.txt", "main.cpp", "main.cc", "main.cxx"], [".cpp", ".cc", ".cxx"]),
        new("csharp", ["*.csproj"], [".cs"]),
        new("bootstrap", ["bootstrap"], []),
    ];

    /// <summary>What the folder is; or DURE0105, DURE0106, DURE0107.</summary>
    public static Outcome<DetectedRuntime> Detect(IReadOnlyList<SourceEntry> entries, FunctionSettings settings)
    {
        var files = entries.Where(e => e.Kind != SourceKind.Folder).Select(e => e.Path).ToHashSet(StringComparer.Ordinal);
        var root = files.Where(f => !f.Contains('/')).Order(StringComparer.Ordinal).ToList();
        return settings.Handler is null ? ByFiles(root, settings) : ByHandler(files, root, settings, settings.Handler);
    }

    private static Outcome<DetectedRuntime> ByFiles(List<string> root, FunctionSettings settings)
    {
        var matches = s_conventions
            .Where(c => settings.Runtime is null || c.Runtime == settings.Runtime)
            .Select(c => (Convention: c, File: c.FileIn(root)))
            .Where(m => m.File is not null)
            .ToList();
        if (matches.Count > 1)
        {
            var found = string.Join(", ", matches.Select(m => $"{m.File} ({m.Convention.Runtime})"));
            return DeployErrors.RuntimeAmbiguous.With(
                $"Found {found}. Say which is meant with `runtime: {matches[0].Convention.Runtime}` in {FunctionYaml.FileName}.");
        }

        if (matches is [var only])
            return new DetectedRuntime(only.Convention.Runtime, DefaultHandler(only.Convention.Runtime, only.File!), only.File);
        if (settings is { Build: not null, Runtime: "go" or "cpp" or "csharp" })
            return new DetectedRuntime(settings.Runtime, Program, null);
        return BySingleFile(root, settings);
    }

    /// <summary>A function of one file may have any name: its ending says what it is.</summary>
    private static Outcome<DetectedRuntime> BySingleFile(List<string> root, FunctionSettings settings)
    {
        var sources = root
            .Select(f => (File: f, Convention: s_conventions.FirstOrDefault(c => c.Endings.Contains(Path.GetExtension(f), StringComparer.Ordinal))))
            .Where(s => s.Convention is not null && (settings.Runtime is null || s.Convention.Runtime == settings.Runtime))
            .ToList();
        if (sources is [var only])
            return new DetectedRuntime(only.Convention!.Runtime, DefaultHandler(only.Convention.Runtime, only.File), only.File);
        if (settings.Runtime is not null)
        {
            var wanted = s_conventions.First(c => c.Runtime == settings.Runtime);
            return DeployErrors.HandlerMissing.With(
                $"The runtime is {settings.Runtime}, but there is no {string.Join(", ", wanted.Names)} at the top of the folder{AmongOthers(sources.Select(s => s.File))}.");
        }

        if (sources.Count > 1)
        {
            return DeployErrors.NothingRecognised.With(
                $"There are several source files ({Some(sources.Select(s => s.File))}) and none has a name that says where to begin. "
                + $"Name it in {FunctionYaml.FileName}, such as `handler: {Path.GetFileNameWithoutExtension(sources[0].File)}.handler`.");
        }

        var looked = string.Join("; ", s_conventions.Select(c => $"{c.Runtime}: {string.Join(", ", c.Names)}"));
        return DeployErrors.NothingRecognised.With(
            $"Looked at the top of the folder for {looked}; or a single file ending in {string.Join(", ", s_conventions.SelectMany(c => c.Endings))}. "
            + $"Found {(root.Count == 0 ? "no files there" : Some(root))}.");
    }

    private static Outcome<DetectedRuntime> ByHandler(HashSet<string> files, List<string> root, FunctionSettings settings, string handler)
    {
        if (settings.Runtime is null or "python" && ModuleFile(files, handler, python: true) is { } python)
            return new DetectedRuntime("python", handler, python);
        if (settings.Runtime is null or "node" && ModuleFile(files, handler, python: false) is { } node)
            return new DetectedRuntime("node", handler, node);
        if (settings.Runtime is "python" or "node")
        {
            var wanted = string.Join(", ", ModuleFiles(handler, settings.Runtime == "python"));
            return DeployErrors.HandlerMissing.With(wanted.Length == 0
                ? $"`handler: {handler}` must be module.function, such as handler.handler."
                : $"`handler: {handler}` needs {wanted}, which the folder does not hold.{Spelling.DidYouMean(wanted, files)}");
        }

        if (files.Contains(handler))
            return new DetectedRuntime(settings.Runtime ?? "bootstrap", handler, handler);
        if (settings.Build is not null)
            return new DetectedRuntime(settings.Runtime ?? "bootstrap", handler, null);

        // Not there yet: the name of the program that compiling makes.
        var compiled = s_conventions
            .Where(c => c.Compiles && (settings.Runtime is null || c.Runtime == settings.Runtime))
            .Select(c => (c.Runtime, File: c.FileIn(root) ?? c.OnlyIn(root)))
            .Where(c => c.File is not null)
            .ToList();
        if (compiled is [var only] && !handler.Contains('/'))
            return new DetectedRuntime(only.Runtime, $"{SourcePaths.BuildFolder}/{handler}", only.File);
        return DeployErrors.HandlerMissing.With(
            $"`handler: {handler}` points to nothing in the folder: neither a program nor a Python or Node.js module of this name is there.");
    }

    private static string DefaultHandler(string runtime, string file) => runtime switch
    {
        "python" => file == "lambda_function.py" ? "lambda_function.lambda_handler" : Path.GetFileNameWithoutExtension(file) + ".handler",
        "node" => Path.GetFileNameWithoutExtension(file) + ".handler",
        "bootstrap" => "bootstrap",
        _ => Program,
    };

    private static string? ModuleFile(HashSet<string> files, string handler, bool python) => ModuleFiles(handler, python).FirstOrDefault(files.Contains);

    private static IEnumerable<string> ModuleFiles(string handler, bool python)
    {
        var dot = handler.LastIndexOf('.');
        if (dot <= 0 || dot == handler.Length - 1)
            return [];
        var module = handler[..dot];
        if (!python)
            return s_conventions.First(c => c.Runtime == "node").Endings.Select(e => module + e);
        module = module.Replace('.', '/');
        return [module + ".py", module + "/__init__.py"];
    }

    private static string AmongOthers(IEnumerable<string> files) => Some(files) is { Length: > 0 } some ? $" and not exactly one source file of it ({some})" : "";

    private static string Some(IEnumerable<string> files)
    {
        var list = files.Select(SourcePaths.Show).ToList();
        return string.Join(", ", list.Take(10)) + (list.Count > 10 ? $" and {list.Count - 10} more" : "");
    }

    private sealed record Convention(string Runtime, string[] Names, string[] Endings)
    {
        public bool Compiles => Runtime is "go" or "cpp" or "csharp";

        public string? FileIn(List<string> root) => Names
            .Select(name => name.StartsWith('*') ? root.FirstOrDefault(f => f.EndsWith(name[1..], StringComparison.Ordinal)) : root.Find(f => f == name))
            .FirstOrDefault(f => f is not null);

        public string? OnlyIn(List<string> root) => root.Where(f => Endings.Contains(Path.GetExtension(f), StringComparer.Ordinal)).Take(2).ToList() is [var only] ? only : null;
    }
}
