using Dure.Host;

namespace Dure.Storage.Replication;

/// <summary>How a provider does, over all that is copied to it. Safe for use from many threads.</summary>
public sealed class ProviderHealth(TimeProvider time)
{
    private readonly Lock _gate = new();
    private CircuitBreaker _breaker = CircuitBreaker.Closed;
    private (string Text, DateTimeOffset At)? _lastError;
    private long _failures;

    /// <summary>As it stands.</summary>
    public CircuitBreaker Breaker
    {
        get
        {
            lock (_gate)
                return _breaker;
        }
    }

    /// <summary>Copies that failed since the start.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    /// <summary>Why the last one failed, and when; null when none has.</summary>
    public (string Text, DateTimeOffset At)? LastError
    {
        get
        {
            lock (_gate)
                return _lastError;
        }
    }

    /// <summary>Whether a copy may be tried now. One that may must be followed by one of the other three.</summary>
    public bool MayTry()
    {
        lock (_gate)
        {
            (_breaker, var may) = _breaker.Try(time.GetUtcNow());
            return may;
        }
    }

    /// <summary>The provider confirmed a copy.</summary>
    public void Succeeded()
    {
        lock (_gate)
            _breaker = _breaker.Succeed();
    }

    /// <summary>The provider failed.</summary>
    /// <returns>True when that opened the breaker.</returns>
    public bool Failed(Problem problem)
    {
        Interlocked.Increment(ref _failures);
        lock (_gate)
        {
            var (before, now) = (_breaker.State, time.GetUtcNow());
            _lastError = (Text(problem), now);
            _breaker = _breaker.Fail(now, Random.Shared.NextDouble());
            return before == BreakerState.Closed && _breaker.State == BreakerState.Open;
        }
    }

    /// <summary>The copy ended for a reason that is not the provider's.</summary>
    public void Undecided()
    {
        lock (_gate)
            _breaker = _breaker.Abstain(time.GetUtcNow());
    }

    /// <summary>A problem in one line.</summary>
    internal static string Text(Problem problem) => problem.Detail.Length == 0 ? problem.Kind.Title : $"{problem.Kind.Title}: {problem.Detail}";
}
