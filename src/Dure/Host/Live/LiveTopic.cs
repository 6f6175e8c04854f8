using System.Text;

namespace Dure.Host.Live;

/// <summary>
/// Something that can be watched over <c>/api/live</c>. Each slice lists what it can tell, and the endpoint puts the lists together: it
/// knows none of the slices.
/// </summary>
/// <param name="Name">As it is asked for: <c>workers</c>, or <c>invocation</c> where <c>invocation:ID</c> asks for one.</param>
/// <param name="Named">Whether the name of one thing follows.</param>
/// <param name="Open">Begins to tell a connection; what it gives is disposed when the connection ends. Things that do not exist (any more) are no problem:
/// nothing is told of them, and the rest of the page stays live.</param>
public sealed record LiveTopic(string Name, bool Named, Func<LiveWatch, Outcome<IDisposable>> Open)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>A topic that only says that something is new, in the words of a channel.</summary>
    /// <param name="channel">Whose messages become hints.</param>
    /// <param name="data">The JSON that a message is told as; null tells <c>{}</c>.</param>
    public static LiveTopic Hints(ILive live, string name, string channel, Func<string, string>? data = null) => new(name, Named: false, watch =>
    {
        var hints = live.Subscribe(channel);
        // What was said while the stream was cut was said to nobody.
        if (watch.Marks.Count > 0)
            watch.Feed.More(watch.Topic);
        _ = PassOnAsync(hints, name, data, watch);
        return new Outcome<IDisposable>(hints);
    });

    private static async Task PassOnAsync(ILiveSubscription hints, string name, Func<string, string>? data, LiveWatch watch)
    {
        try
        {
            while (!watch.Ended.IsCancellationRequested)
            {
                if (await hints.NextAsync(Patience, watch.Ended) is { } hint)
                    watch.Feed.Change(new LiveChange(watch.Topic, name, data is null ? "" : hint, 0, data is null ? LiveChange.Nothing : Encoding.UTF8.GetBytes(data(hint))));
            }
        }
        catch (OperationCanceledException)
        {
            // The connection has ended.
        }
    }
}

/// <summary>One topic of one connection.</summary>
/// <param name="Topic">As it was asked for, with the name.</param>
/// <param name="Argument">The name behind the colon; empty for topics without one.</param>
/// <param name="Marks">Where the stream that this one goes on from stood; empty at a beginning.</param>
/// <param name="Repeated">The very same request is sent again, by a browser that lost its stream: what it asked for in its topics is what it asked for at first.</param>
/// <param name="Feed">Takes what is to be told.</param>
/// <param name="Ended">Cancelled with the connection.</param>
public sealed record LiveWatch(string Topic, string Argument, IReadOnlyDictionary<string, string> Marks, bool Repeated, LiveFeed Feed, CancellationToken Ended);

/// <summary>What is new about one thing; a later one takes the place of an earlier one that has not been sent.</summary>
/// <param name="Topic">The topic that it is told for.</param>
/// <param name="Event">Name of the event.</param>
/// <param name="Key">Names the thing among the event's.</param>
/// <param name="Order">Never replaced by one of a lower order.</param>
/// <param name="Data">JSON on one line; shared by all who are told.</param>
public sealed record LiveChange(string Topic, string Event, string Key, long Order, byte[] Data)
{
    /// <summary>The data of a hint.</summary>
    public static readonly byte[] Nothing = "{}"u8.ToArray();
}
