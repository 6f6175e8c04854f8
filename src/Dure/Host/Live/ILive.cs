namespace Dure.Host.Live;

/// <summary>
/// The Live seam: wake-ups and live events between processes. They are hints: losing one costs latency, never work, so every
/// waiter also polls. Every promise is stated in <c>test/Dure.Test/Contracts/LiveContract.cs</c>.
/// </summary>
public interface ILive
{
    /// <summary>Tells every subscriber of the channel, in order. Never blocks: a slow subscriber misses the oldest messages.</summary>
    /// <param name="channel">A dotted name, such as <c>invocation.3f2k…</c>, at most <see cref="LiveLimits.ChannelLengthMax"/> characters.</param>
    /// <param name="message">At most <see cref="LiveLimits.MessageBytesMax"/> bytes of UTF-8, without NUL.</param>
    /// <param name="lend">
    /// The caller lends its thread: a subscriber that waits without a context of its own (<c>ConfigureAwait(false)</c>) may go on there
    /// at once, and owes it to the lender to be brief.
    /// </param>
    /// <exception cref="ArgumentException">Channel or message is too long: a bug in the caller.</exception>
    void Publish(string channel, string message, bool lend = false);

    /// <summary>Subscribes until disposed to what is published from now on.</summary>
    /// <exception cref="ArgumentException">The channel is too long: a bug in the caller.</exception>
    ILiveSubscription Subscribe(string channel);
}

/// <summary>One subscription. Not for concurrent readers.</summary>
public interface ILiveSubscription : IDisposable
{
    /// <summary>The next message, or null when none came within the wait or the subscription is over (then poll the truth).</summary>
    ValueTask<string?> NextAsync(TimeSpan longestWait, CancellationToken cancel);
}
