using Dure.Functions.Worker;
using Dure.Host.Texts;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>One build at work: its folders, and the way to run commands in the sandbox.</summary>
internal sealed class BuildScene(
    DeployOptions options, BuildRun run, Func<BuildEvent, ValueTask> progress, TimeProvider time, string scratch, UnpackedSource source, FunctionSettings settings)
{
    private const int LinesMax = 5_000;
    private const int LineCharsMax = 4_000;

    /// <summary>What was unpacked. Compiled programs and the like are put into it.</summary>
    public UnpackedSource Source { get; } = source;

    public FunctionSettings Settings { get; } = settings;

    public DeployOptions Options { get; } = options;

    /// <summary>The lines that the last command wrote, the first <see cref="LinesMax"/> of them.</summary>
    public List<string> Lines { get; } = [];

    public ValueTask SayAsync(string what) => progress(new(what, null));

    /// <summary>A new folder that a command may write to; it goes when the build ends unless it is moved away.</summary>
    public string NewFolder(string name)
    {
        var path = Path.Combine(scratch, name);
        BuildFiles.MakeFolder(path);
        BuildFiles.GiveToSandbox(path, Options);
        return path;
    }

    /// <summary>The folder in the source tree that takes what the build makes.</summary>
    public string NewBuildFolder() => BuildFiles.MakeFolder(HostPath(SourcePaths.BuildFolder));

    public bool Has(string path) => Source.Entries.Any(e => e.Path == path && e.Kind == SourceKind.File);

    public string HostPath(string path) => Path.Combine(Source.Root, path);

    /// <summary>Runs a command in <c>/code</c>, or in the folder <paramref name="at"/>.</summary>
    /// <param name="network">True for installs, which may reach registries; compiling reaches nothing.</param>
    /// <param name="quiet">True keeps the lines out of the user's sight; they are in <see cref="Lines"/>.</param>
    /// <returns>How it ended; DURE0114 when a limit ended it.</returns>
    public async Task<Outcome<BuildExit>> RunAsync(
        IReadOnlyList<string> command,
        IEnumerable<SandboxMount> mounts,
        IEnumerable<KeyValuePair<string, string>> environment,
        bool network = false,
        bool quiet = false,
        string at = "/code",
        CancellationToken cancel = default)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = "/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin",
            ["HOME"] = "/tmp",
            ["LANG"] = "C.UTF-8",
        };
        foreach (var (name, value) in environment)
            values[name] = value;
        var reach = network && Options.Network == BuildNetwork.Egress ? SandboxNetwork.Egress : SandboxNetwork.None;
        const int processes = 2048, openFiles = 65_536;
        var limits = new SandboxLimits(Options.MemoryBytes, 0, processes, Options.MemoryBytes / 2, openFiles);
        string[] shell = ["/bin/sh", "-c", "cd \"$1\" && shift && exec \"$@\"", "sh", at];
        var spec = new SandboxSpec(SandboxMode.Run, null, [.. shell, .. command], null, null, values, [.. mounts], reach, limits, []);

        Lines.Clear();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var timer = time.CreateTimer(static s => ((CancellationTokenSource)s!).Cancel(), limit, Options.Timeout, Timeout.InfiniteTimeSpan);
        try
        {
            var dropped = 0;
            var ended = await run(new(spec, network && Options.Network == BuildNetwork.Host), line => OnLineAsync(line, quiet, ref dropped), limit.Token);
            if (dropped > 0)
                await progress(new(null, $"({dropped} more lines)"));
            return ended is { Ok: true, Value.Reason: "memory" or "processes" } ? Limit(ended.Value) : ended;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return DeployErrors.BuildLimit.With($"It ran longer than {Quantities.Duration(Options.Timeout)}.");
        }
    }

    /// <summary>Runs <c>build:</c> of function.yaml in the source tree, which it may write to.</summary>
    public async Task<Problem?> RunOwnCommandAsync(CancellationToken cancel)
    {
        await SayAsync("running the build command");
        BuildFiles.MakeWritable(Source.Root);
        BuildFiles.GiveToSandbox(Source.Root, Options);
        var (environment, mounts) = ToolEnvironment.For(Options.ServerEnvironment, "DURE_BUILD_");
        environment["HOME"] = "/build";
        environment["TMPDIR"] = "/build";
        mounts.AddRange([Code(writable: true), new(NewFolder("own"), "/build", true)]);
        var ended = await RunAsync(["/bin/sh", "-c", Settings.Build!], mounts, environment, network: true, cancel: cancel);
        BuildFiles.TakeBack(Source.Root, Options);
        if (!ended.Ok)
            return ended.Problem;
        return ended.Value.Code == 0 ? null : CompilerOutput.Problem(Lines, $"`{Settings.Build}` ended with {ended.Value.Code}", ended.Value);
    }

    /// <summary>The source tree as a command sees it.</summary>
    public SandboxMount Code(bool writable = false) => new(Source.Root, "/code", writable);

    private Problem Limit(BuildExit exit) => DeployErrors.BuildLimit.With(exit.Reason == "memory"
        ? $"It needed more than {Quantities.Bytes(Options.MemoryBytes)} of memory."
        : $"It was ended for its number of processes. {exit.Detail}");

    private ValueTask OnLineAsync(string line, bool quiet, ref int dropped)
    {
        if (Lines.Count >= LinesMax)
        {
            dropped++;
            return ValueTask.CompletedTask;
        }

        var text = line.Length > LineCharsMax ? line[..LineCharsMax] + "..." : line;
        Lines.Add(text);
        return quiet ? ValueTask.CompletedTask : progress(new(null, text));
    }
}
