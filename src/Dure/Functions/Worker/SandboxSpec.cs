namespace Dure.Functions.Worker;

/// <summary>Who speaks the function protocol (docs/protocol.md) on <c>fn.sock</c> for a sandbox.</summary>
public enum SandboxMode
{
    /// <summary>The process in the sandbox itself: our Python and Node.js shims, the Go package, the C++ header.</summary>
    Shim,

    /// <summary><c>dure-init</c>, which starts the program once per invocation: event on stdin, result on stdout.</summary>
    Plain,

    /// <summary>The worker, on behalf of a program that speaks the AWS Lambda Runtime API on a loopback port of the sandbox.</summary>
    RuntimeApi,

    /// <summary>Nobody: the command runs once to its end (builds, dependency installs).</summary>
    Run,
}

/// <summary>What a sandboxed process may reach.</summary>
public enum SandboxNetwork
{
    /// <summary>Loopback of its own only.</summary>
    None,

    /// <summary>The outside through a user-mode network, never the host's loopback.</summary>
    Egress,

    /// <summary>The host's own network. Only for builds, and only where the configuration says so.</summary>
    Host,
}

/// <summary>A host folder made visible in the sandbox.</summary>
/// <param name="Source">Absolute path on the host.</param>
/// <param name="Target">Absolute path in the sandbox.</param>
/// <param name="Writable">False mounts it read-only.</param>
public sealed record SandboxMount(string Source, string Target, bool Writable);

/// <summary>Limits of one sandbox. Zero means no limit, but for <paramref name="TmpBytes"/> where it means no /tmp space at all.</summary>
/// <param name="MemoryBytes">Resident and tmpfs memory of all processes together, bytes.</param>
/// <param name="CpuMillis">Thousandths of a core.</param>
/// <param name="Processes">Processes and threads together.</param>
/// <param name="TmpBytes">Size of /tmp and /dev/shm, bytes each.</param>
/// <param name="OpenFiles">Open files per process.</param>
public sealed record SandboxLimits(long MemoryBytes, int CpuMillis, int Processes, long TmpBytes, int OpenFiles)
{
    /// <summary>What a function has that asks for nothing; pre-started processes have its /tmp and open files.</summary>
    public static SandboxLimits Default { get; } = new(512L << 20, 0, 256, 512L << 20, 1024);
}

/// <summary>Everything the worker must know to start a sandbox. The worker knows nothing of functions, versions or invocations.</summary>
/// <param name="Mode">Who speaks the function protocol.</param>
/// <param name="Prewarm">
/// Names the pool of pre-started generic processes that may serve this spec: <c>python:</c> followed by the digest of the
/// dependencies folder (empty for none), <c>node</c>, or <c>plain</c> (its command goes with ASSIGN); null always starts afresh.
/// </param>
/// <param name="Command">Program and arguments as seen inside the sandbox.</param>
/// <param name="CodeDirectory">Host folder shown read-only at <c>/code</c>; null for none.</param>
/// <param name="DepsDirectory">Host folder of installed dependencies shown read-only at <c>/deps</c>; null for none.</param>
/// <param name="Environment">The whole environment; nothing of the host's is added. May hold secrets: never logged, never in arguments.</param>
/// <param name="Mounts">Further folders.</param>
/// <param name="Gpus">Indices of the GPUs whose device nodes and driver libraries appear; none for none.</param>
public sealed record SandboxSpec(
    SandboxMode Mode,
    string? Prewarm,
    IReadOnlyList<string> Command,
    string? CodeDirectory,
    string? DepsDirectory,
    IReadOnlyDictionary<string, string> Environment,
    IReadOnlyList<SandboxMount> Mounts,
    SandboxNetwork Network,
    SandboxLimits Limits,
    IReadOnlyList<int> Gpus);
