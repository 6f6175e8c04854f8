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
}
