namespace Dure.Host.Identity;

/// <summary>
/// Slows down who guesses. Each failure beyond a few doubles how long the next try must wait, for the name that was tried and for the
/// address it came from. A try counts as failed until it has succeeded, so that many at once are no way around.
/// </summary>
internal sealed class SigninLimiter(TimeProvider time)
{
    private const int KeptMost = 20_000;
    private const int OfNameFree = 5;
    private const int OfAddressFree = 20;
    private const int DoublingsMost = 20;
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan OfNameLongest = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan OfAddressLongest = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan ForgottenAfter = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Tries> _tries = new(StringComparer.Ordinal);

    /// <summary>Begins a try.</summary>
    /// <param name="name">Null where no name is told, as with a link.</param>
    /// <returns>How long to wait instead; null to go on.</returns>
    public TimeSpan? Begin(string? name, string address)
    {
        lock (_gate)
        {
            var wait = Max(name is null ? null : Left("n " + name), Left("a " + address));
            if (wait is not null)
                return wait;
            if (name is not null)
                Count("n " + name, OfNameFree, OfNameLongest);
            Count("a " + address, OfAddressFree, OfAddressLongest);
            return null;
        }
    }

    /// <summary>The try was right: the name begins anew, and the address has one failure less.</summary>
    public void Succeeded(string? name, string address)
    {
        lock (_gate)
        {
            if (name is not null)
                _tries.Remove("n " + name);
            if (_tries.TryGetValue("a " + address, out var tries))
                _tries["a " + address] = tries with { Failures = Math.Max(0, tries.Failures - 1), Wait = TimeSpan.Zero };
        }
    }

    private TimeSpan? Left(string key) =>
        _tries.TryGetValue(key, out var tries) && tries.Wait > TimeSpan.Zero && tries.Wait - time.GetElapsedTime(tries.At) is var left && left > TimeSpan.Zero ? left : null;

    private void Count(string key, int free, TimeSpan longest)
    {
        var failures = (_tries.TryGetValue(key, out var before) && !IsForgotten(before) ? before.Failures : 0) + 1;
        var wait = failures < free ? TimeSpan.Zero : First * Math.Pow(2, Math.Min(failures - free, DoublingsMost));
        if (!_tries.ContainsKey(key) && _tries.Count >= KeptMost)
            Forget();
        _tries[key] = new Tries(failures, time.GetTimestamp(), wait < longest ? wait : longest);
    }

    private bool IsForgotten(Tries tries) => time.GetElapsedTime(tries.At) >= ForgottenAfter;

    // The oldest quarter, when not enough have been forgotten by themselves.
    private void Forget()
    {
        foreach (var (key, _) in _tries.Where(pair => IsForgotten(pair.Value)).ToList())
            _tries.Remove(key);
        if (_tries.Count < KeptMost)
            return;
        foreach (var (key, _) in _tries.OrderBy(pair => pair.Value.At).Take(KeptMost / 4).ToList())
            _tries.Remove(key);
    }

    private static TimeSpan? Max(TimeSpan? one, TimeSpan? other) => one is null ? other : other is null || one > other ? one : other;

    /// <param name="At">A timestamp, which no change of the clock moves.</param>
    private readonly record struct Tries(int Failures, long At, TimeSpan Wait);
}
