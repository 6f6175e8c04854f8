using Dure.Functions.Worker;

namespace Dure.Functions.Dispatch;

/// <content>The worker as people look after it: what it has, what runs where, and whether it is given anything new.</content>
internal sealed partial class Dispatcher
{
    /// <summary>Why this machine's worker is given nothing new; null when it is given what comes.</summary>
    public WorkerDrain? Drain { get; private set; }

    /// <summary>Gives the worker nothing new from now on, or (null) everything that waits. What runs goes on in either case.</summary>
    public void SetDrain(WorkerDrain? drain)
    {
        Drain = drain;
        _finisher.AnnounceWorkers();
        if (drain is null)
            PumpAll();
    }

    /// <summary>Process ids of the workers that stand by.</summary>
    public IReadOnlyList<int> StandbyPids => _link.StandbyPids;

    /// <summary>What sandboxes have of the machine together.</summary>
    public CapacityFacts CapacityNow
    {
        get
        {
            lock (_gate)
                return new CapacityFacts(_capacity.Slots, _capacity.Count, _capacity.MemoryBytes, _capacity.MemoryTaken, GpusAllowed(), [.. _capacity.FreeGpus]);
        }
    }

    /// <summary>Every sandbox that was asked for and has not ended, the oldest first.</summary>
    public IReadOnlyList<SlotFacts> SlotsNow => [.. _slots.Select(s => FactsOf(s.Key, s.Value)).OrderBy(s => s.Number)];

    private IReadOnlyList<int> GpusAllowed() => _link.Hello is not { } hello ? [] : _gpusAllowed is null ? hello.Gpus : [.. hello.Gpus.Intersect(_gpusAllowed)];

    private static SlotFacts FactsOf(string slot, SlotEntry entry)
    {
        var named = SlotName.TryParse(slot, out var name);
        return new SlotFacts(slot, named ? name.Number : 0, entry.Pool?.Version, named ? name.Gpus : [], entry.Process is { } process ? entry.Pool!.Facts(process) : null, entry.Use);
    }
}

/// <summary>What a machine has for sandboxes, and what of it is given away.</summary>
/// <param name="MemoryTaken">Sum of the memory limits of those that live, bytes.</param>
internal sealed record CapacityFacts(int Slots, int SlotsTaken, long MemoryBytes, long MemoryTaken, IReadOnlyList<int> Gpus, IReadOnlyList<int> FreeGpus);

/// <summary>A sandbox.</summary>
/// <param name="Version">Whose code it runs; null for builds.</param>
/// <param name="Process">Null while it is being started, and for builds.</param>
/// <param name="Use">Null before it was measured.</param>
internal sealed record SlotFacts(string Slot, long Number, FunctionVersion? Version, IReadOnlyList<int> Gpus, ProcessFacts? Process, SlotUse? Use);

/// <summary>What a process is doing.</summary>
/// <param name="Idle">How long it has had nothing to do; null while it has.</param>
internal sealed record ProcessFacts(bool Ready, bool Closing, bool Adopted, long Served, TimeSpan Age, TimeSpan? Idle, IReadOnlyList<RunningFacts> Running);

/// <summary>An attempt that runs.</summary>
internal sealed record RunningFacts(long Id, int Attempt, string Owner, TimeSpan Ran);

/// <summary>Why a worker is given nothing new.</summary>
/// <param name="Caller">Who asked for it.</param>
public sealed record WorkerDrain(string Worker, DateTimeOffset Since, string Caller, string? Reason);
