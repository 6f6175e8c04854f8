using Dure.Functions.Worker;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>One piece of news about a deployment: what begins now, or a line that a compiler or installer wrote.</summary>
public sealed record BuildEvent(string? Progress, string? Log);

/// <summary>One command of a build.</summary>
/// <param name="Spec">Always <see cref="SandboxMode.Run"/>.</param>
/// <param name="HostNetwork">True: the command shares the host's network (<c>functions.build_network: host</c>) and <see cref="SandboxSpec.Network"/> says nothing.</param>
public sealed record BuildStep(SandboxSpec Spec, bool HostNetwork);

/// <summary>How a command of a build ended.</summary>
/// <param name="Code">0 is success.</param>
/// <param name="Reason">As in the worker's <c>exited</c> message: <c>exit</c>, <c>signal</c>, <c>memory</c>, <c>processes</c>, <c>stopped</c>.</param>
public sealed record BuildExit(int Code, string Reason, string? Detail);

/// <summary>Runs one command in a sandbox to its end. Cancelling ends every process of it before the task completes.</summary>
/// <param name="onLine">Gets every line of standard output and standard error, in order.</param>
/// <returns>How it ended; a problem when it could not be started.</returns>
public delegate Task<Outcome<BuildExit>> BuildRun(BuildStep step, Func<string, ValueTask> onLine, CancellationToken cancel);

/// <summary>What builds may reach while they install dependencies. Compiling reaches nothing.</summary>
public enum BuildNetwork
{
    /// <summary>The outside through the sandbox's user-mode network, never the host's loopback.</summary>
    Egress,

    /// <summary>The host's own network, for registries that only the host reaches (on its loopback, behind its VPN).</summary>
    Host,
}

/// <summary>Settings of the build pipeline.</summary>
/// <param name="DataDirectory">Absolute. <c>code/</c>, <c>deps/</c>, <c>builds/</c> and <c>tmp/</c> below it belong to the pipeline.</param>
public sealed record DeployOptions(string DataDirectory)
{
    /// <summary>What a package may hold.</summary>
    public SourceLimits Source { get; init; } = new();

    /// <summary><c>functions.build_network</c>.</summary>
    public BuildNetwork Network { get; init; } = BuildNetwork.Egress;

    /// <summary>Memory of one build command, bytes. 4 GiB by default.</summary>
    public long MemoryBytes { get; init; } = 4L << 30;

    /// <summary>One build command at most. 30 minutes by default.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>The user that sandboxes run as when the server is root; null when they run as the server's own user.</summary>
    public int? SandboxUid { get; init; }

    /// <summary>The server's environment, of which builds get what configures pip, npm, Go, NuGet and certificates.</summary>
    public IReadOnlyDictionary<string, string> ServerEnvironment { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);
}
