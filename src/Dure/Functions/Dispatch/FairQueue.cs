namespace Dure.Functions.Dispatch;

/// <summary>
/// First come, first served within an owner; between owners the one with the fewest invocations running goes first, ties by
/// arrival. Not thread-safe: used under its pool's lock.
/// </summary>
internal sealed class FairQueue
{
    private readonly Dictionary<string, Queue<ActiveInvocation>> _byOwner = new(StringComparer.Ordinal);

    /// <summary>Invocations in the queue.</summary>
    public int Count { get; private set; }

    /// <summary>Adds at the end of its owner's line.</summary>
    public void Enqueue(ActiveInvocation invocation)
    {
        if (!_byOwner.TryGetValue(invocation.Owner, out var line))
            _byOwner[invocation.Owner] = line = new();
        line.Enqueue(invocation);
        Count++;
    }

    /// <summary>Takes the next one.</summary>
    /// <param name="running">How many each owner has running.</param>
    public ActiveInvocation? Dequeue(IReadOnlyDictionary<string, int> running)
    {
        Queue<ActiveInvocation>? best = null;
        (int Running, long Queued) bestKey = default;
        foreach (var (owner, line) in _byOwner)
        {
            if (line.Count == 0)
                continue;
            var key = (running.GetValueOrDefault(owner), line.Peek().QueuedTimestamp);
            if (best is null || key.CompareTo(bestKey) < 0)
                (best, bestKey) = (line, key);
        }
        if (best is null)
            return null;
        Count--;
        var next = best.Dequeue();
        if (best.Count == 0)
            _byOwner.Remove(next.Owner);
        return next;
    }

    /// <summary>Takes one out of the middle.</summary>
    /// <returns>False when it is not here.</returns>
    public bool Remove(long id)
    {
        foreach (var (owner, line) in _byOwner)
        {
            if (!line.Any(i => i.Id == id))
                continue;
            _byOwner[owner] = new(line.Where(i => i.Id != id));
            if (_byOwner[owner].Count == 0)
                _byOwner.Remove(owner);
            Count--;
            return true;
        }
        return false;
    }
}
