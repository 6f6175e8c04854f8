using Dure.Functions.Deploy;
using Dure.Host.Texts;

namespace Dure.Functions.Dispatch;

/// <summary>What sandboxes may use of this machine together. Not thread-safe: used under the dispatcher's lock.</summary>
/// <param name="slots">Sandboxes at most.</param>
/// <param name="memoryBytes">Sum of memory limits; set when the worker has said what there is.</param>
internal sealed class Capacity(int slots, long memoryBytes)
{
    private readonly Dictionary<string, (long Memory, IReadOnlyList<int> Gpus)> _taken = new(StringComparer.Ordinal);
    private readonly SortedSet<int> _freeGpus = [];
    private int _gpus;
    private long _memoryUsed;

    /// <summary>Sandboxes at most.</summary>
    public int Slots => slots;

    /// <summary>Sum of the memory limits given, bytes.</summary>
    public long MemoryTaken => _memoryUsed;

    /// <summary>Sandboxes now.</summary>
    public int Count => _taken.Count;

    /// <summary>Sum of memory limits that may be given, bytes.</summary>
    public long MemoryBytes { get; set; } = memoryBytes;

    /// <summary>GPUs that nobody has.</summary>
    public IReadOnlyCollection<int> FreeGpus => _freeGpus;

    /// <summary>The machine's GPUs, all free.</summary>
    public void SetGpus(IEnumerable<int> gpus)
    {
        _freeGpus.Clear();
        _freeGpus.UnionWith(gpus);
        _gpus = _freeGpus.Count;
        foreach (var (_, given) in _taken.Values)
            _freeGpus.ExceptWith(given);
    }

    /// <summary>Takes a place.</summary>
    /// <returns>The GPUs given, or null when there is no room.</returns>
    public IReadOnlyList<int>? TryTake(string slot, long memory, int gpus)
    {
        if (_taken.Count >= slots || _memoryUsed + memory > MemoryBytes || _freeGpus.Count < gpus)
            return null;
        var given = _freeGpus.Take(gpus).ToList();
        _freeGpus.ExceptWith(given);
        _taken.Add(slot, (memory, given));
        _memoryUsed += memory;
        return given;
    }

    /// <summary>Why this can never run here, however long it waits; null when it can.</summary>
    public string? NeverFits(long memory, int gpus) =>
        gpus > _gpus ? $"gpu: it asks for {gpus} of the {_gpus} GPUs that functions may use here"
        : memory > MemoryBytes ? $"memory: its limit of {Quantities.Bytes(memory)} is more than the {Quantities.Bytes(MemoryBytes)} that functions may use here"
        : null;

    /// <summary>Whether there is room once these sandboxes are gone.</summary>
    /// <param name="starts">For so many, which take the memory and GPUs together.</param>
    public bool FitsWithout(IEnumerable<string> slotsToGo, long memory, int gpus, int starts = 1)
    {
        var (count, used, free) = (_taken.Count, _memoryUsed, _freeGpus.Count);
        foreach (var slot in slotsToGo)
        {
            if (!_taken.TryGetValue(slot, out var place))
                continue;
            (count, used, free) = (count - 1, used - place.Memory, free + place.Gpus.Count);
        }
        return count + starts <= slots && used + memory <= MemoryBytes && free >= gpus;
    }

    /// <summary>Counts a sandbox that was there before this server.</summary>
    public void Adopt(string slot, long memory, IReadOnlyList<int> gpus)
    {
        if (!_taken.TryAdd(slot, (memory, gpus)))
            return;
        _memoryUsed += memory;
        _freeGpus.ExceptWith(gpus);
    }

    /// <summary>Gives a place back; unknown ones are ignored.</summary>
    public void Release(string slot)
    {
        if (!_taken.Remove(slot, out var place))
            return;
        _memoryUsed -= place.Memory;
        _freeGpus.UnionWith(place.Gpus);
    }
}
