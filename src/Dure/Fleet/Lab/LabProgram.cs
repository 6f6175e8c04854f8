using Dure.Host;
using Dure.Host.Programs;

namespace Dure.Fleet.Lab;

/// <summary>Programs of this machine that a lab is made with.</summary>
internal static class LabProgram
{
    private const int LongestReason = 2000;

    /// <summary>Runs what must succeed.</summary>
    /// <returns>DURE0844 with what it said, or null.</returns>
    public static async Task<Problem?> DoAsync(CancellationToken cancel, params IReadOnlyList<string> words) => Failure(words, await HostProgram.RunAsync(words, cancel));

    /// <summary>Words before a program that holds a lock for as long as it runs, even when we are killed before it ends.</summary>
    public static string[] Alone(string name) => ["flock", Path.Combine(LabPlaces.Locks, name + ".running")];

    /// <summary>The problem of a program that failed; null when it did not.</summary>
    public static Problem? Failure(IReadOnlyList<string> words, Ran ran) =>
        ran.ExitCode == 0 ? null : LabErrors.StepFailed.With($"{string.Join(' ', words)}: exit code {ran.ExitCode}: {(ran.Why.Length > LongestReason ? "..." + ran.Why[^LongestReason..] : ran.Why)}");
}
