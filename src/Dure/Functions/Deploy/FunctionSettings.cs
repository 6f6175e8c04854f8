using Dure.Functions.Worker;

namespace Dure.Functions.Deploy;

/// <summary>What a <c>function.yaml</c> asks for: only what it says; the rest is null and comes from the runtime's defaults.</summary>
/// <param name="Name">The function's name, where neither <c>--name</c> nor the address gives one.</param>
/// <param name="Build">A shell command, run in the build sandbox in the folder, in place of the runtime's own build.</param>
public sealed record FunctionSettings(
    string? Name = null,
    string? Runtime = null,
    string? Handler = null,
    SandboxMode? Mode = null,
    string? Build = null,
    long? MemoryBytes = null,
    int? CpuMillis = null,
    int? Processes = null,
    long? TmpBytes = null,
    int? OpenFiles = null,
    int? Gpus = null,
    TimeSpan? Timeout = null,
    IReadOnlyDictionary<string, string>? Environment = null,
    IReadOnlyList<string>? Secrets = null,
    SandboxNetwork? Network = null,
    FunctionSchedule? Schedule = null,
    int? Concurrency = null,
    int? Instances = null,
    TimeSpan? IdleTimeout = null,
    RetryPolicy? Retries = null,
    bool? AtMostOnce = null,
    bool? Idempotent = null,
    Durability? Durability = null)
{
    /// <summary>Wait before the first retry when <c>retries</c> says only how many.</summary>
    public static readonly TimeSpan FirstDelayDefault = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait between retries when <c>retries</c> says only how many.</summary>
    public static readonly TimeSpan LongestDelayDefault = TimeSpan.FromMinutes(5);

    /// <summary>The settings with every default filled in.</summary>
    /// <param name="runtime">As recognised in the folder.</param>
    /// <param name="handler">As recognised in the folder.</param>
    /// <param name="mode">Who speaks the protocol, as recognised in the code.</param>
    public FunctionSpec Resolve(string runtime, string handler, SandboxMode mode) => new(
        runtime,
        handler,
        mode,
        new SandboxLimits(
            MemoryBytes ?? SandboxLimits.Default.MemoryBytes, CpuMillis ?? 0, Processes ?? SandboxLimits.Default.Processes,
            TmpBytes ?? SandboxLimits.Default.TmpBytes, OpenFiles ?? SandboxLimits.Default.OpenFiles),
        Gpus ?? 0,
        Timeout == TimeSpan.Zero ? null : Timeout,
        Environment ?? new Dictionary<string, string>(StringComparer.Ordinal),
        Secrets ?? [],
        Network ?? SandboxNetwork.None,
        Schedule,
        Concurrency ?? 1,
        Instances ?? 0,
        IdleTimeout,
        Retries ?? new RetryPolicy(0, FirstDelayDefault, LongestDelayDefault),
        AtMostOnce ?? false,
        Idempotent ?? false,
        Durability ?? Functions.Durability.Durable);
}
