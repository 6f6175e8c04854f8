namespace Dure.Storage.Store;

/// <summary>
/// Buffers that uploads may have beyond their first, so that a thousand slow uploads take little memory and a few fast ones run
/// their hashes side by side.
/// </summary>
internal sealed class PieceBudget
{
    private const int Most = 96;
    private int _taken;

    public bool TryTake()
    {
        if (Interlocked.Increment(ref _taken) <= Most)
            return true;
        Interlocked.Decrement(ref _taken);
        return false;
    }

    public void Return(int count) => Interlocked.Add(ref _taken, -count);
}
