using System.Diagnostics;
using Dure.Host.Live;
using Xunit;

namespace Dure.Test.Contracts;

/// <summary>Every promise of the Live seam, run against each implementation.</summary>
public abstract class LiveContract
{
    /// <summary>Long enough for any implementation to carry a message.</summary>
    protected static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    /// <summary>As long as tests wait for what does not come.</summary>
    protected static readonly TimeSpan AMoment = TimeSpan.FromMilliseconds(100);

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The implementation under test, started.</summary>
    protected abstract ILive Live { get; }

    [Fact]
    public async Task Every_subscriber_hears_every_message_in_order()
    {
        using var one = Live.Subscribe("order");
        using var other = Live.Subscribe("order");
        for (var i = 0; i < 100; i++)
        {
            Live.Publish("order", $"{i}");
        }
        foreach (var subscription in new[] { one, other })
        {
            for (var i = 0; i < 100; i++)
            {
                Assert.Equal($"{i}", await subscription.NextAsync(Soon, Cancel));
            }
        }
    }

    [Fact]
    public async Task Other_channels_are_not_heard()
    {
        using var subscription = Live.Subscribe("invocation.one");
        Live.Publish("invocation.two", "not for us");
        Live.Publish("invocation", "nor this");
        Live.Publish("INVOCATION.ONE", "nor that");
        Live.Publish("invocation.one", "for us");
        Assert.Equal("for us", await subscription.NextAsync(Soon, Cancel));
        Assert.Null(await subscription.NextAsync(AMoment, Cancel));
    }

    [Fact]
    public async Task A_waiting_subscriber_is_woken_at_once()
    {
        using var subscription = Live.Subscribe("wake");
        var next = subscription.NextAsync(TimeSpan.FromMinutes(1), Cancel);
        var clock = Stopwatch.StartNew();
        Live.Publish("wake", "up");
        Assert.Equal("up", await next);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_wait_that_runs_out_answers_null_and_the_next_message_is_heard()
    {
        using var subscription = Live.Subscribe("quiet");
        Assert.Null(await subscription.NextAsync(AMoment, Cancel));
        Assert.Null(await subscription.NextAsync(TimeSpan.Zero, Cancel));
        Live.Publish("quiet", "later");
        Assert.Equal("later", await subscription.NextAsync(Soon, Cancel));
    }

    [Fact]
    public async Task A_cancelled_wait_throws_and_loses_nothing()
    {
        using var subscription = Live.Subscribe("cancelled");
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var next = subscription.NextAsync(Soon, source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
        Live.Publish("cancelled", "still here");
        Assert.Equal("still here", await subscription.NextAsync(Soon, Cancel));
    }

    [Fact]
    public async Task A_slow_subscriber_misses_the_oldest_and_holds_up_nobody()
    {
        const int Many = 20_000;
        using var slow = Live.Subscribe("flood");
        using var quick = Live.Subscribe("flood");
        for (var i = 1; i <= Many; i++)
        {
            Live.Publish("flood", $"{i}");
        }
        var heard = new List<int>();
        while (heard.LastOrDefault() != Many)
        {
            heard.Add(int.Parse((await slow.NextAsync(Soon, Cancel))!, System.Globalization.CultureInfo.InvariantCulture));
        }
        Assert.Equal(heard.Order(), heard);
        Assert.InRange(heard.Count, 1, Many - 1);
        Live.Publish("flood", "after");
        Assert.Equal("after", await slow.NextAsync(Soon, Cancel));
    }

    [Fact]
    public async Task A_subscription_that_is_over_ends_its_wait()
    {
        var subscription = Live.Subscribe("over");
        var next = subscription.NextAsync(TimeSpan.FromMinutes(1), Cancel).AsTask();
        subscription.Dispose();
        subscription.Dispose();
        Assert.Null(await next.WaitAsync(Soon, Cancel));
        Live.Publish("over", "nobody hears");
        Assert.Null(await subscription.NextAsync(TimeSpan.FromMinutes(1), Cancel));
    }

    [Fact]
    public async Task Messages_of_any_text_up_to_the_limit_come_through_whole()
    {
        using var subscription = Live.Subscribe(new string('c', LiveLimits.ChannelLengthMax));
        foreach (var text in new[] { "", "{\"id\":\"quote'd\"}", "두레 \U0001F41D", "two\nlines", new string('x', 4096), new string('é', 2048) })
        {
            Live.Publish(new string('c', LiveLimits.ChannelLengthMax), text);
            Assert.Equal(text, await subscription.NextAsync(Soon, Cancel));
        }
    }

    [Fact]
    public void What_is_too_long_is_a_bug_of_the_caller()
    {
        Assert.Throws<ArgumentException>(() => Live.Publish("c", new string('x', 4097)));
        Assert.Throws<ArgumentException>(() => Live.Publish("c", new string('é', 2049)));
        Assert.Throws<ArgumentException>(() => Live.Publish(new string('c', 61), "x"));
        Assert.Throws<ArgumentException>(() => Live.Subscribe(new string('c', 61)));
        Assert.Throws<ArgumentException>(() => Live.Subscribe(""));
    }

    [Fact]
    public async Task Subscribers_may_come_and_go_while_others_publish()
    {
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var publishing = Task.Run(
            async () =>
            {
                while (!source.IsCancellationRequested)
                {
                    Live.Publish("busy", "beat");
                    await Task.Yield();
                }
            },
            Cancel);
        await Parallel.ForAsync(0, 500, Cancel, async (_, cancel) =>
        {
            using var subscription = Live.Subscribe("busy");
            Assert.Equal("beat", await subscription.NextAsync(Soon, cancel));
        });
        await source.CancelAsync();
        await publishing;
    }
}
