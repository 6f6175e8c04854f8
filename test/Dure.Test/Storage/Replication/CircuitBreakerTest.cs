using Dure.Storage.Replication;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Storage.Replication;

public sealed class CircuitBreakerTest
{
    private static readonly DateTimeOffset Start = new(2026, 11, 26, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_provider_that_fails_often_is_left_alone_and_then_tried_by_one()
    {
        var breaker = CircuitBreaker.Closed;
        for (var i = 0; i < CircuitBreaker.FailuresMost; i++)
        {
            Assert.True(breaker.Try(Start).May);
            breaker = breaker.Fail(Start, 1);
        }
        Assert.Equal(BreakerState.Open, breaker.State);
        Assert.False(breaker.Try(Start).May);
        (breaker, var may) = breaker.Try(Start + CircuitBreaker.FirstWait);
        Assert.True(may);
        Assert.False(breaker.Try(Start + CircuitBreaker.LongestWait).May);
        Assert.Equal(CircuitBreaker.Closed, breaker.Succeed());
    }

    [Fact]
    public void A_try_that_told_nothing_lets_another_one_find_out()
    {
        var open = new CircuitBreaker(BreakerState.Open, 0, 3, Start);
        var asked = open.Try(Start).Next.Abstain(Start);
        Assert.True(asked.Try(Start).May);
        Assert.Equal(3, asked.Opens);
    }

    [Fact]
    public void Whatever_happens_it_opens_and_closes_by_its_rules()
    {
        // Each number is one event and how many seconds passed before it.
        Prop.ForAll<int[]>(events =>
        {
            var (breaker, now, inARow, probing) = (CircuitBreaker.Closed, Start, 0, false);
            foreach (var (happened, wait) in events.Select(n => (Math.Abs(n % 4), Math.Abs((long)n / 4) % 200)))
            {
                now += TimeSpan.FromSeconds(wait);
                var before = breaker;
                switch (happened)
                {
                    case 0:
                        (breaker, var may) = breaker.Try(now);
                        if (may != (before.State == BreakerState.Closed || before.State == BreakerState.Open && now >= before.RetryAt))
                            return false;
                        probing = breaker.State == BreakerState.HalfOpen;
                        break;
                    case 1:
                        breaker = breaker.Succeed();
                        inARow = 0;
                        if (breaker != CircuitBreaker.Closed)
                            return false;
                        break;
                    case 2:
                        breaker = breaker.Fail(now, 0.5);
                        inARow++;
                        // Closed only while few failed in a row; open for no longer than the longest wait.
                        if (breaker.State == BreakerState.Closed && inARow >= CircuitBreaker.FailuresMost || breaker.State == BreakerState.HalfOpen)
                            return false;
                        if (breaker.State == BreakerState.Open && breaker.RetryAt - now > CircuitBreaker.LongestWait)
                            return false;
                        if (before.State == BreakerState.HalfOpen && !(probing && breaker.State == BreakerState.Open && breaker.RetryAt > now))
                            return false;
                        break;
                    default:
                        breaker = breaker.Abstain(now);
                        if (breaker.State == BreakerState.HalfOpen || before.State == BreakerState.Closed && breaker != before)
                            return false;
                        break;
                }
            }
            return true;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Waits_grow_to_a_bound_and_never_to_less_than_half()
    {
        for (var tries = 0; tries < 60; tries++)
        {
            var (low, high) = (Backoff.OfObject(tries, 0), Backoff.OfObject(tries, 1));
            Assert.True(low >= TimeSpan.FromSeconds(0.5) && high <= TimeSpan.FromMinutes(10) && low * 2 == high, $"{tries}: {low} to {high}");
        }
    }
}
