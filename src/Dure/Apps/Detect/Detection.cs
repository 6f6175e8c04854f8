using System.Text.RegularExpressions;
using Dure.Apps.Running;
using Dure.Host;
using Dure.Host.Ssh;

namespace Dure.Apps.Detect;

/// <summary>Finds out how a project is served. What app.yaml says wins.</summary>
internal static partial class Detection
{
    public static readonly IReadOnlyList<string> Kinds = [AppSpec.Marimo, AppSpec.Jupyter, AppSpec.Shiny, AppSpec.Static, AppSpec.Custom];

    private const int HeadBytes = 256 * 1024;

    /// <summary>What is started, before app.yaml's other settings are laid over it.</summary>
    public static Outcome<AppSpec> Find(Project project, AppSettings settings)
    {
        var environment = VirtualEnvironment.Of(project.Folder);
        // An environment inside the project does not travel with it: it is used where it lies.
        var found = settings.Command is { } command ? new AppSpec(AppSpec.Custom, Activated(environment, command)) : Recognise(project, settings, environment);
        return found.Ok ? Laid(found.Value with { VirtualEnvironment = environment }, settings) : found.Problem;
    }

    private static Outcome<AppSpec> Recognise(Project project, AppSettings settings, string? environment)
    {
        var entry = project.Entry ?? settings.Entry;
        if (entry is not null && !Path.Exists(Path.Combine(project.Folder, entry)))
            return AppErrors.SourceMissing.With($"There is no {entry} in {project.Folder}.");
        string[] candidates = entry is not null ? [entry] : [.. Directory.GetFiles(project.Folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
        bool Wanted(string kind) => settings.Kind is null || settings.Kind == kind;
        string? First(string kind, Func<string, bool> matches) => Wanted(kind) ? candidates.FirstOrDefault(matches) : null;

        if (First(AppSpec.Marimo, file => file.EndsWith(".py", StringComparison.Ordinal) && MarimoPattern().IsMatch(Head(project, file))) is { } notebook)
            return Marimo(project, notebook, environment);
        if (First(AppSpec.Shiny, file => file is "app.R" or "server.R") is not null)
            return Shiny();
        if (First(AppSpec.Shiny, file => file.EndsWith(".py", StringComparison.Ordinal) && ShinyPattern().IsMatch(Head(project, file))) is { } shiny)
            return Tool(environment, "shiny") is { } program
                ? new AppSpec(AppSpec.Shiny, $"exec {Shell.Word(program)} run --host \"$HOST\" --port \"$PORT\" {Shell.Word(shiny)}") { KeepsPrefix = false }
                : Missing("shiny", project);
        if (Wanted(AppSpec.Static) && StaticFolder(project, entry) is { } folder)
            return new AppSpec(AppSpec.Static, $"exec \"$DURE_PROGRAM\" apps serve {Shell.Word(folder)}");
        if (First(AppSpec.Jupyter, file => file.EndsWith(".ipynb", StringComparison.Ordinal)) is { } jupyter)
            return Jupyter(project, jupyter, environment);
        return AppErrors.NothingRecognised.With($"{project.Origin}: no marimo notebook (a .py file with marimo.App), no app.R, no folder with index.html, no .ipynb{(settings.Kind is null ? "" : $" for kind {settings.Kind}")}.");
    }

    private static Outcome<AppSpec> Marimo(Project project, string notebook, string? environment) => Tool(environment, "marimo") is { } marimo
        ? new AppSpec(AppSpec.Marimo, $"exec {Shell.Word(marimo)} run --headless --no-token --host \"$HOST\" --port \"$PORT\" --base-url \"$BASE_PATH\" {Shell.Word(notebook)}") { Health = "health" }
        : Missing("marimo", project);

    // Without systemd an app is who the server is, and in a container that is root, as which Jupyter refuses to run.
    private const string RootToo = """ $([ "$(id -u)" != 0 ] || echo --allow-root)""";

    // Its own token stays on: whoever may open a notebook server may run code. The log shows the token.
    private static Outcome<AppSpec> Jupyter(Project project, string notebook, string? environment)
    {
        if (Tool(environment, "voila") is { } voila)
            return new AppSpec(AppSpec.Jupyter, $"exec {Shell.Word(voila)} --no-browser --Voila.ip=\"$HOST\" --port=\"$PORT\" --base_url=\"$BASE_PATH/\" {Shell.Word(notebook)}");
        // Those with pages for people first. Debian's notebook 6 is a server of its own, with settings of its own, which later ones understand.
        (string Name, string App)[] servers = [("jupyter-lab", "ServerApp"), ("jupyter-notebook", "NotebookApp"), ("jupyter-server", "ServerApp")];
        var (program, app) = servers.Select(server => (Program: Tool(environment, server.Name), server.App)).FirstOrDefault(server => server.Program is not null);
        return program is not null
            ? new AppSpec(AppSpec.Jupyter, $"exec {Shell.Word(program)} --no-browser --{app}.ip=\"$HOST\" --{app}.port=\"$PORT\" --{app}.port_retries=0 --{app}.base_url=\"$BASE_PATH/\" --{app}.allow_remote_access=True{RootToo}") { Health = "api" }
            : Missing("jupyter", project);
    }

    private static Outcome<AppSpec> Shiny() => Tool(null, "Rscript") is null
        ? AppErrors.ProgramMissing.With("Shiny needs R: apt-get install r-cran-shiny")
        : new AppSpec(AppSpec.Shiny, "exec Rscript -e 'shiny::runApp(\".\", host = Sys.getenv(\"HOST\"), port = as.integer(Sys.getenv(\"PORT\")), launch.browser = FALSE)'") { KeepsPrefix = false };

    private static readonly string[] StaticFolders = ["dist", ".", "public", "_site", "site"];

    private static string? StaticFolder(Project project, string? entry)
    {
        if (entry is not null)
            return entry.EndsWith(".html", StringComparison.OrdinalIgnoreCase) ? "." : File.Exists(Path.Combine(project.Folder, entry, "index.html")) ? entry : null;
        return StaticFolders.FirstOrDefault(folder => File.Exists(Path.Combine(project.Folder, folder, "index.html"))
            && (folder != "dist" || File.Exists(Path.Combine(project.Folder, "observablehq.config.js")) || !File.Exists(Path.Combine(project.Folder, "index.html")) || File.Exists(Path.Combine(project.Folder, "package.json"))));
    }

    /// <summary>What is started, with app.yaml's settings laid over it.</summary>
    public static AppSpec Laid(AppSpec spec, AppSettings settings) => spec with
    {
        Health = settings.Health ?? spec.Health,
        StartSeconds = (int?)settings.StartTimeout?.TotalSeconds ?? spec.StartSeconds,
        DrainSeconds = (int?)settings.Drain?.TotalSeconds ?? spec.DrainSeconds,
        SleepSeconds = (int?)settings.SleepAfter?.TotalSeconds,
        MemoryBytes = settings.MemoryBytes,
        Gpus = settings.Gpus ?? spec.Gpus,
        Variables = settings.Environment ?? spec.Variables,
        BodyBytes = settings.BodyBytes ?? spec.BodyBytes,
        Visibility = settings.Visibility ?? spec.Visibility,
        KeepsPrefix = settings.KeepsPrefix ?? spec.KeepsPrefix,
        CachesHashed = settings.CacheHashed ?? spec.CachesHashed,
        About = settings.About,
        Waf = settings.Waf,
    };

    /// <summary>The command as it would be typed with the environment active.</summary>
    private static string Activated(string? environment, string command) => environment is null ? $"exec {command}" : $"PATH={Shell.Word(Path.Combine(environment, "bin"))}:$PATH VIRTUAL_ENV={Shell.Word(environment)}\nexport PATH VIRTUAL_ENV\nexec {command}";

    private static string? Tool(string? environment, string name)
    {
        var folders = (environment is null ? Enumerable.Empty<string>() : [Path.Combine(environment, "bin")]).Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries));
        return folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
    }

    private static Problem Missing(string tool, Project project) => AppErrors.ProgramMissing.With(VirtualEnvironment.Of(project.Folder) is { } environment
        ? $"{tool} is not in {environment}: {environment}/bin/pip install {tool}"
        : $"{project.Folder} has no virtual environment, and {tool} is not on PATH: python3 -m venv {Path.Combine(project.Folder, ".venv")} && {Path.Combine(project.Folder, ".venv")}/bin/pip install {tool}");

    private static string Head(Project project, string file)
    {
        using var stream = File.OpenRead(Path.Combine(project.Folder, file));
        var bytes = new byte[(int)Math.Min(HeadBytes, stream.Length)];
        stream.ReadExactly(bytes);
        return System.Text.Encoding.UTF8.GetString(bytes);
    }

    [GeneratedRegex(@"^\s*app\s*=\s*marimo\.App\(", RegexOptions.Multiline | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex MarimoPattern();

    [GeneratedRegex(@"^\s*(?:from|import)\s+shiny\b", RegexOptions.Multiline | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ShinyPattern();
}
