using Dure.Host.Live;
using Dure.Test.Contracts;
using Xunit;

namespace Dure.Test.Host.Live;

public sealed class InProcessLiveTest : LiveContract
{
    private readonly InProcessLive _live = new();

    protected override ILive Live => _live;

    [Fact]
    public void A_channel_that_nobody_hears_any_more_is_forgotten()
    {
        var subscriptions = Enumerable.Range(0, 1000).Select(i => _live.Subscribe($"invocation.{i / 2}")).ToList();
        Assert.Equal(500, _live.Channels);
        Parallel.ForEach(subscriptions, subscription => subscription.Dispose());
        Assert.Equal(0, _live.Channels);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_subscriber_without_a_context_goes_on_on_a_lent_thread_and_on_no_other_publishers(bool lend)
    {
        using var subscription = _live.Subscribe("lent");
        // The test itself must not go on on the publisher's thread, as the subscriber may.
        var heard = new TaskCompletionSource<(string? Message, int Thread)>(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = HearAsync(subscription);
        var publisher = new Thread(() => _live.Publish("lent", "now", lend));
        publisher.Start();
        var (message, thread) = await heard.Task.WaitAsync(Soon, Cancel);
        Assert.Equal(("now", lend), (message, thread == publisher.ManagedThreadId));

        async Task HearAsync(ILiveSubscription live) =>
            heard.SetResult((await live.NextAsync(Soon, Cancel).ConfigureAwait(false), Environment.CurrentManagedThreadId));
    }
}
