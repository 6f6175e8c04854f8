using Dure.Host.Live;
using Xunit;

namespace Dure.Test.Host.Live;

/// <summary>What a live stream is still to be told: bounded, coalesced, in order.</summary>
public sealed class LiveFeedTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Changes_of_one_thing_become_one_and_an_older_one_never_takes_the_place_of_a_newer()
    {
        using var feed = new LiveFeed();
        feed.Change(Changed("a", 1));
        feed.Change(Changed("b", 1));
        feed.Change(Changed("a", 6));
        feed.Change(Changed("a", 5));
        var batch = feed.Take();
        Assert.Equal([("a", 6L), ("b", 1L)], batch.Changes.Select(change => (change.Key, change.Order)));
        Assert.Empty(batch.More);
        Assert.True(feed.Take().IsEmpty);
    }

    [Fact]
    public void Too_many_changes_become_one_word_and_other_topics_are_told_as_before()
    {
        using var feed = new LiveFeed();
        feed.Change(new LiveChange("invocation:x", "invocation", "x", 1, []));
        for (var i = 0; i <= 10 * LiveFeed.ChangesMost; i++)
            feed.Change(Changed($"{i}", 1));
        // What is watched by itself is told by itself, whoever else tells of it as well.
        feed.Change(Changed("x", 2));
        var batch = feed.Take();
        Assert.Equal(["invocations"], batch.More);
        Assert.Equal([("x", 2L)], batch.Changes.Select(change => (change.Key, change.Order)));
        feed.Change(Changed("y", 1));
        Assert.Equal(["y"], feed.Take().Changes.Select(change => change.Key));
    }

    [Fact]
    public async Task Who_tells_a_thing_whole_waits_until_it_is_read()
    {
        using var feed = new LiveFeed();
        var told = 0;
        var telling = Task.Run(async () =>
        {
            for (; told < 20; told++)
                await feed.PutAsync(new LivePiece("log", [], new("id", $"{told}")), Cancel);
        }, Cancel);
        var read = new List<string>();
        while (read.Count < 20)
        {
            await feed.WaitAsync(TimeSpan.FromSeconds(10), Cancel);
            var batch = feed.Take();
            Assert.InRange(batch.Pieces.Count, 0, 4);
            Assert.True(batch.Pieces.Count == 0 || batch.Marks["id"] == batch.Pieces[^1].Mark.Value, "the mark ran ahead of what was told");
            read.AddRange(batch.Pieces.Select(piece => piece.Mark.Value));
        }
        await telling;
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i}"), read);
    }

    [Fact]
    public void What_is_told_after_the_end_goes_nowhere()
    {
        var feed = new LiveFeed();
        feed.Dispose();
        feed.Change(Changed("a", 1));
        feed.More("invocations");
    }

    [Fact]
    public void Publishing_to_a_channel_that_nobody_hears_allocates_nothing()
    {
        var live = new InProcessLive();
        using var elsewhere = live.Subscribe("elsewhere");
        live.Publish("invocations", "3f2k0a1b2c3d4");
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            live.Publish("invocations", "3f2k0a1b2c3d4");
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static LiveChange Changed(string key, long order) => new("invocations", "invocation", key, order, []);
}
