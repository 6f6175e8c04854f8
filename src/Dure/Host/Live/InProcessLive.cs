using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Dure.Host.Live;

/// <summary>Live events within one process. Publishing to a channel that nobody hears costs one look-up.</summary>
public sealed class InProcessLive : ILive
{
    private readonly ConcurrentDictionary<string, ImmutableArray<Subscription>> _channels = new(StringComparer.Ordinal);

    /// <summary>Channels that somebody hears.</summary>
    public int Channels => _channels.Count;

    /// <inheritdoc/>
    public void Publish(string channel, string message)
    {
        LiveLimits.Check(channel, message);
        if (_channels.TryGetValue(channel, out var subscriptions))
        {
            foreach (var subscription in subscriptions)
            {
                subscription.Add(message);
            }
        }
    }

    /// <inheritdoc/>
    public ILiveSubscription Subscribe(string channel)
    {
        LiveLimits.Check(channel);
        var added = new Subscription(this, channel);
        _channels.AddOrUpdate(
            channel,
            static (_, subscription) => [subscription],
            static (_, others, subscription) => others.Add(subscription),
            added);
        return added;
    }

    private void Remove(Subscription subscription)
    {
        while (_channels.TryGetValue(subscription.Channel, out var before))
        {
            var after = before.Remove(subscription);
            if (after.IsEmpty
                ? _channels.TryRemove(KeyValuePair.Create(subscription.Channel, before))
                : _channels.TryUpdate(subscription.Channel, after, before))
            {
                return;
            }
        }
    }

    private sealed class Subscription(InProcessLive live, string channel) : ILiveSubscription
    {
        private readonly Lock _gate = new();
        private readonly Queue<string> _waiting = new();

        // Counts what waits, and one more once it is over; never disposed, because a publisher may still hold it.
        private readonly SemaphoreSlim _ready = new(0);
        private bool _over;

        public string Channel => channel;

        public void Add(string message)
        {
            lock (_gate)
            {
                if (_over)
                {
                    return;
                }
                _waiting.Enqueue(message);
                if (_waiting.Count > LiveLimits.WaitingMax)
                {
                    _waiting.Dequeue();
                }
                else
                {
                    _ready.Release();
                }
            }
        }

        public async ValueTask<string?> NextAsync(TimeSpan longestWait, CancellationToken cancel)
        {
            if (Volatile.Read(ref _over) || !await _ready.WaitAsync(longestWait, cancel))
            {
                return null;
            }
            lock (_gate)
            {
                return _over ? null : _waiting.Dequeue();
            }
        }

        public void Dispose()
        {
            lock (_gate)
            {
                if (_over)
                {
                    return;
                }
                _over = true;
                _waiting.Clear();
                _ready.Release();
            }
            live.Remove(this);
        }
    }
}
