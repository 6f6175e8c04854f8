using Dure.Functions.Usage;
using Dure.Functions.Worker;

namespace Dure.Functions.Dispatch;

/// <content>What sandboxes use, as the worker measures it about each second.</content>
internal sealed partial class Dispatcher
{
    private static readonly TimeSpan MeasuredFrom = TimeSpan.FromSeconds(1);

    /// <summary>Takes what running invocations use; null keeps nothing.</summary>
    public UsageBook? Usages { get; init; }

    /// <summary>What a sandbox uses, by the last report; null when none was heard.</summary>
    public SlotUse? UseOf(string slot) => _slots.TryGetValue(slot, out var entry) ? entry.Use : null;

    // Who is not in the report uses what he used, and no processor.
    private void OnUsage(SandboxUsage usage)
    {
        var at = usage.Ts > 0 ? usage.Ts : _time.GetUtcNow().ToUnixTimeMilliseconds();
        var told = usage.Slots.ToDictionary(s => s.Slot, StringComparer.Ordinal);
        var round = new Dictionary<long, UsagePoint>();
        foreach (var (slot, entry) in _slots)
        {
            if (entry.Pool is null || entry.Process is null)
                continue;
            var before = entry.Use;
            if (!told.TryGetValue(slot, out var now) && before is null)
                continue;
            var (memory, cpu) = now is null ? (before!.MemoryBytes, before.CpuMicros) : (now.MemoryBytes, now.CpuMicros);
            var millis = before is { } b && at > b.At ? (int)Math.Clamp((cpu - b.CpuMicros) / (at - b.At), 0, int.MaxValue) : 0;
            entry.Use = new SlotUse(at, memory, cpu, millis);
            // Those that share a process share what it uses: each is told the whole.
            foreach (var invocation in before is null ? [] : entry.Pool.RunningFor(entry.Process, MeasuredFrom) ?? [])
                round[invocation.Id] = new UsagePoint(at, invocation.Attempt, 1, millis, millis, millis, memory, memory);
        }
        Usages?.Take(round);
    }
}

/// <summary>What a sandbox uses.</summary>
/// <param name="At">When it was measured, Unix ms.</param>
/// <param name="CpuMicros">Processor time since its start.</param>
/// <param name="CpuMillis">Thousandths of a core since the measurement before.</param>
public sealed record SlotUse(long At, long MemoryBytes, long CpuMicros, int CpuMillis);
