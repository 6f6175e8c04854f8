using Dure.Functions.Worker;

namespace Dure.Functions.Deploy;

/// <summary>From a version to what the worker starts. The commands are those of <c>runtimes/README.md</c>.</summary>
public static class SandboxSpecs
{
    /// <summary>The sandbox for one process of a version.</summary>
    /// <param name="secrets">Values of the secrets that the version names. They win over nothing: names are disjoint.</param>
    /// <param name="gpus">Indices of the GPUs that were assigned.</param>
    /// <param name="functionName">Told to the code as <c>DURE_FUNCTION</c>.</param>
    public static SandboxSpec For(
        BuiltVersion version, IReadOnlyDictionary<string, string> secrets, IReadOnlyList<int> gpus, string? functionName = null)
    {
        var spec = version.Spec;
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = "/usr/local/bin:/usr/bin:/bin",
            ["HOME"] = "/tmp",
            ["LANG"] = "C.UTF-8",
        };
        foreach (var (name, value) in spec.Environment)
            environment[name] = value;
        foreach (var name in spec.Secrets)
        {
            if (secrets.TryGetValue(name, out var value))
                environment[name] = value;
        }

        if (functionName is not null)
            environment["DURE_FUNCTION"] = functionName;
        environment["DURE_VERSION"] = version.Digest;
        if (spec.Concurrency > 1)
            environment["DURE_CONCURRENCY"] = spec.Concurrency.ToString(System.Globalization.CultureInfo.InvariantCulture);
        switch (spec.Mode)
        {
            case SandboxMode.Shim when spec.Runtime is "python" or "node":
                environment["DURE_HANDLER"] = spec.Handler;
                break;
            case SandboxMode.RuntimeApi:
                environment["_HANDLER"] = spec.Handler;
                environment["LAMBDA_TASK_ROOT"] = "/code";
                break;
            default:
                break;
        }

        return new(spec.Mode, version.Prewarm, version.Command, version.CodeDirectory, version.DepsDirectory, environment, [], spec.Network, spec.Limits, gpus);
    }

    /// <summary>The pool whose pre-started processes can serve a version; null for none.</summary>
    internal static string? Prewarm(FunctionSpec spec, string? depsDirectory) => spec switch
    {
        { Mode: SandboxMode.Plain } => "plain",
        { Mode: not SandboxMode.Shim } => null,
        { Runtime: "python" } => "python:" + (depsDirectory is null ? "" : Path.GetFileName(depsDirectory)),
        { Runtime: "node" } => "node",
        _ => null,
    };

    /// <summary>What to start, as seen in the sandbox.</summary>
    internal static IReadOnlyList<string> Command(FunctionSpec spec) => spec switch
    {
        { Runtime: "python", Mode: SandboxMode.Shim } => ["/usr/bin/python3", "-I", "-S", "-X", "utf8", "/dure/rt/python/shim.py"],
        { Runtime: "node", Mode: SandboxMode.Shim } => [BuildTool.Node.Find() ?? "/usr/bin/node", "/dure/rt/node/shim.mjs"],
        { Runtime: "csharp" } when spec.Handler.EndsWith(".dll", StringComparison.Ordinal) => [BuildTool.Dotnet.Find() ?? "/usr/bin/dotnet", "/code/" + spec.Handler],
        _ => ["/code/" + spec.Handler],
    };
}
