namespace Dure.Functions.Dispatch;

/// <summary>
/// First come, first served within an owner; between owners the one goes first whose turn it is (<see cref="OwnerShares"/>), ties by
/// arrival. Not thread-safe: used under its pool's lock.
/// </summary>
internal sealed class FairQueue(OwnerShares shares)
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

    /// <summary>The next one, which stays.</summary>
    public ActiveInvocation? Peek() => Best()?.Peek();

    /// <summary>Takes the next one.</summary>
    public ActiveInvocation? Dequeue()
    {
        if (Best() is not { } best)
            return null;
        Count--;
        var next = best.Dequeue();
        if (best.Count == 0)
            _byOwner.Remove(next.Owner);
        shares.Serve(next.Owner);
        return next;
    }

    private Queue<ActiveInvocation>? Best()
    {
        Queue<ActiveInvocation>? best = null;
        (int Running, long Served, long Queued) bestKey = default;
        foreach (var (owner, line) in _byOwner)
        {
            var (running, served) = shares.Of(owner);
            var key = (running, served, line.Peek().QueuedTimestamp);
            if (best is null || key.CompareTo(bestKey) < 0)
                (best, bestKey) = (line, key);
        }
        return best;
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
