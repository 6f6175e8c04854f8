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
        var heard = HearAsync(subscription);
        var publisher = new Thread(() => _live.Publish("lent", "now", lend));
        publisher.Start();
        Assert.Equal(lend, await heard == publisher.ManagedThreadId);
        publisher.Join();

        async Task<int> HearAsync(ILiveSubscription live)
        {
            Assert.Equal("now", await live.NextAsync(Soon, Cancel).ConfigureAwait(false));
            return Environment.CurrentManagedThreadId;
        }
    }
}
