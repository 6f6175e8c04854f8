namespace Dure.Functions.Dispatch;

/// <summary>What sandboxes may use of this machine together. Not thread-safe: used under the dispatcher's lock.</summary>
/// <param name="slots">Sandboxes at most.</param>
/// <param name="memoryBytes">Sum of memory limits; set when the worker has said what there is.</param>
internal sealed class Capacity(int slots, long memoryBytes)
{
    private readonly Dictionary<string, (long Memory, IReadOnlyList<int> Gpus)> _taken = new(StringComparer.Ordinal);
    private readonly SortedSet<int> _freeGpus = [];
    private long _memoryUsed;

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
