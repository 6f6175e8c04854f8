using Dure.Host;

namespace Dure.Functions.Worker;

/// <summary>All that is known when nothing of a sandbox lives any more.</summary>
/// <param name="Status">Wait status of bubblewrap.</param>
/// <param name="Breach">Limit that was hit: <c>memory</c>, <c>processes</c> or null.</param>
/// <param name="CommandRan">Whether bubblewrap got as far as starting the command.</param>
/// <param name="LastWords">End of its error output.</param>
internal sealed record SandboxEnd(
    int Status, string? Breach, bool StopAsked, bool Started, bool CommandRan, Problem? Fault, string LastWords)
{
    /// <summary>Exit code, 128 + signal when a signal ended it. bubblewrap passes the code of the command on in the same form.</summary>
    public int Code => (Status & 0x7f) == 0 ? (Status >> 8) & 0xff : 128 + (Status & 0x7f);

    /// <summary>The signal that ended it; 0 for none.</summary>
    public int Signal => Code is > 128 and <= 128 + 64 ? Code - 128 : 0;

    /// <summary>The message for the server.</summary>
    public static FromWorker Describe(Sandbox sandbox, SandboxEnd end)
    {
        if (!end.Started && !end.StopAsked)
        {
            var problem = end.Fault ?? (end.CommandRan || end.Breach is not null
                ? WorkerErrors.EndedEarly.With(end.Sentence(sandbox.Spec) + Quote(end.LastWords))
                : WorkerErrors.NotStarted.With("bubblewrap ended" + Quote(end.LastWords)));
            return new SandboxStartFailed(sandbox.Slot, problem.Kind.Id, problem.Detail);
        }

        var reason = end.Breach ?? (end.StopAsked ? "stopped" : end.Signal > 0 ? "signal" : "exit");
        return new SandboxExited(sandbox.Slot, end.Code, end.Signal, reason, end.Sentence(sandbox.Spec),
            sandbox.Group?.CpuMicros ?? 0, sandbox.Group?.MemoryPeakBytes ?? 0);
    }

    private static string Quote(string words) => words.Length == 0 ? "" : ": " + words.TrimEnd();

    private string Sentence(SandboxSpec? spec) => Breach switch
    {
        "memory" => $"memory limit {Size(spec?.Limits.MemoryBytes ?? 0)} reached (cgroup OOM)",
        "processes" => $"process limit {spec?.Limits.Processes ?? 0} reached",
        _ when Fault is not null => Fault.Detail,
        _ when StopAsked => "stopped on request",
        _ when !CommandRan && Started => "the sandbox could not be set up" + Quote(LastWords),
        _ when Signal > 0 => $"ended by signal {Signal}",
        _ => $"exited with code {Code}",
    };

    private static string Size(long bytes) =>
        bytes % (1 << 20) == 0 ? $"{bytes >> 20} MiB" : $"{bytes} bytes";
}
