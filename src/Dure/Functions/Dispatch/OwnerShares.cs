namespace Dure.Functions.Dispatch;

/// <summary>
/// Whose turn it is, over all functions of the machine: the owner with the fewest invocations running, and among equals the one
/// that was served longest ago. Thread-safe; its lock is taken last.
/// </summary>
internal sealed class OwnerShares
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (int Running, long Served)> _owners = new(StringComparer.Ordinal);
    private long _turns;

    /// <summary>The smaller, the sooner it is this owner's turn.</summary>
    public (int Running, long Served) Of(string owner)
    {
        lock (_gate)
            return _owners.GetValueOrDefault(owner);
    }

    /// <summary>An invocation of the owner was chosen to run next.</summary>
    public void Serve(string owner)
    {
        lock (_gate)
            _owners[owner] = _owners.GetValueOrDefault(owner) with { Served = ++_turns };
    }

    /// <summary>An invocation of the owner runs.</summary>
    public void Begin(string owner) => Add(owner, 1);

    /// <summary>An invocation of the owner runs no longer.</summary>
    public void End(string owner) => Add(owner, -1);

    private void Add(string owner, int count)
    {
        lock (_gate)
        {
            var before = _owners.GetValueOrDefault(owner);
            _owners[owner] = before with { Running = before.Running + count };
        }
    }
}
