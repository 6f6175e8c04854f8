namespace Dure.Storage.Replication;

/// <summary>Whether a provider is tried.</summary>
public enum BreakerState
{
    /// <summary>Yes.</summary>
    Closed,

    /// <summary>Not before a moment.</summary>
    Open,

    /// <summary>By one copy, which decides.</summary>
    HalfOpen,
}

/// <summary>
/// Spares a provider that is down, and this machine, a try for every object that waits: after some failures in a row nothing is sent
/// for a while, then one copy finds out. Pure: every transition gives a new value.
/// </summary>
/// <param name="Failures">In a row, while closed.</param>
/// <param name="Opens">How often it opened since it was last closed; the wait doubles with each.</param>
/// <param name="RetryAt">While open: when one copy may try.</param>
public sealed record CircuitBreaker(BreakerState State, int Failures, int Opens, DateTimeOffset RetryAt)
{
    /// <summary>This many failures in a row open it.</summary>
    public const int FailuresMost = 5;

    public static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(2);

    public static readonly CircuitBreaker Closed = new(BreakerState.Closed, 0, 0, DateTimeOffset.MinValue);

    /// <summary>Asks whether a copy may be tried; each one that may ends in one of the other transitions.</summary>
    public (CircuitBreaker Next, bool May) Try(DateTimeOffset now) => State switch
    {
        BreakerState.Closed => (this, true),
        BreakerState.Open when now >= RetryAt => (this with { State = BreakerState.HalfOpen }, true),
        _ => (this, false),
    };

    /// <summary>The provider confirmed a copy.</summary>
    public CircuitBreaker Succeed() => Closed;

    /// <summary>The provider failed.</summary>
    /// <param name="jitter">0 to 1; spreads the waits over their second half.</param>
    public CircuitBreaker Fail(DateTimeOffset now, double jitter) => State switch
    {
        BreakerState.Closed when Failures + 1 < FailuresMost => this with { Failures = Failures + 1 },
        // It was begun before the breaker opened, and tells nothing new.
        BreakerState.Open => this,
        _ => new(BreakerState.Open, 0, Opens + 1, now + Backoff.Wait(FirstWait, LongestWait, Opens, jitter)),
    };

    /// <summary>The copy ended without telling anything of the provider: another one finds out.</summary>
    public CircuitBreaker Abstain(DateTimeOffset now) => State == BreakerState.HalfOpen ? this with { State = BreakerState.Open, RetryAt = now } : this;
}

/// <summary>Waits that double, with jitter.</summary>
public static class Backoff
{
    /// <summary>Before the next try of one object.</summary>
    /// <param name="tries">That failed before this one.</param>
    /// <param name="jitter">0 to 1.</param>
    public static TimeSpan OfObject(int tries, double jitter) => Wait(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10), tries, jitter);

    internal static TimeSpan Wait(TimeSpan first, TimeSpan longest, int doublings, double jitter) =>
        TimeSpan.FromMilliseconds(Math.Min(longest.TotalMilliseconds, first.TotalMilliseconds * Math.Pow(2, Math.Min(doublings, 40))) * (0.5 + jitter / 2));
}
