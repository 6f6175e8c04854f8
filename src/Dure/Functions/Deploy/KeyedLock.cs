namespace Dure.Functions.Deploy;

/// <summary>One holder per key at a time; the others wait their turn.</summary>
internal sealed class KeyedLock
{
    private readonly Dictionary<string, Gate> _gates = new(StringComparer.Ordinal);

    public async Task<IDisposable> EnterAsync(string key, CancellationToken cancel)
    {
        Gate gate;
        lock (_gates)
        {
            if (!_gates.TryGetValue(key, out gate!))
                _gates[key] = gate = new();
            gate.Users++;
        }

        try
        {
            await gate.Semaphore.WaitAsync(cancel);
        }
        catch
        {
            Leave(key, gate, held: false);
            throw;
        }

        return new Holder(this, key, gate);
    }

    private void Leave(string key, Gate gate, bool held)
    {
        if (held)
            gate.Semaphore.Release();
        lock (_gates)
        {
            if (--gate.Users > 0)
                return;
            _gates.Remove(key);
            gate.Semaphore.Dispose();
        }
    }

    private sealed class Gate
    {
        public SemaphoreSlim Semaphore { get; } = new(1, 1);

        public int Users { get; set; }
    }

    private sealed class Holder(KeyedLock owner, string key, Gate gate) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
                owner.Leave(key, gate, held: true);
        }
    }
}
