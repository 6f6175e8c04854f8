using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Threading.Tasks.Sources;

namespace Dure.Host.Live;

/// <summary>Live events within one process. Publishing to a channel that nobody hears costs one look-up.</summary>
public sealed class InProcessLive : ILive
{
    private readonly ConcurrentDictionary<string, ImmutableArray<Subscription>> _channels = new(StringComparer.Ordinal);

    /// <summary>Channels that somebody hears.</summary>
    public int Channels => _channels.Count;

    /// <inheritdoc/>
    public void Publish(string channel, string message, bool lend = false)
    {
        LiveLimits.Check(channel, message);
        if (_channels.TryGetValue(channel, out var subscriptions))
        {
            foreach (var subscription in subscriptions)
            {
                subscription.Add(message, lend);
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

    // Waits without allocating: the source of the wait, its timer and its place with the token are made once and used again.
    private sealed class Subscription : ILiveSubscription, IValueTaskSource<string?>
    {
        private readonly Lock _gate = new();
        private readonly InProcessLive _live;
        private readonly Queue<string> _waiting = new();
        private readonly Timer _timer;
        private ManualResetValueTaskSourceCore<string?> _wait;
        private CancellationToken _cancel;
        private CancellationTokenRegistration _registration;
        private long _until;
        private bool _waits;
        private bool _over;

        public Subscription(InProcessLive live, string channel)
        {
            (_live, Channel) = (live, channel);
            _timer = new Timer(static subscription => ((Subscription)subscription!).RunOut(), this, Timeout.Infinite, Timeout.Infinite);
        }

        public string Channel { get; }

        public void Add(string message, bool lend)
        {
            lock (_gate)
            {
                if (_over)
                {
                    return;
                }
                if (!_waits)
                {
                    _waiting.Enqueue(message);
                    if (_waiting.Count > LiveLimits.WaitingMax)
                    {
                        _waiting.Dequeue();
                    }
                    return;
                }
                _waits = false;
            }
            End(message, lend);
        }

        public ValueTask<string?> NextAsync(TimeSpan longestWait, CancellationToken cancel)
        {
            lock (_gate)
            {
                // Under the lock: a cancellation that comes later finds the wait.
                if (cancel.IsCancellationRequested)
                {
                    return ValueTask.FromCanceled<string?>(cancel);
                }
                if (_over || longestWait <= TimeSpan.Zero || _waiting.Count > 0)
                {
                    return new(_waiting.TryDequeue(out var message) ? message : null);
                }
                var wait = (long)Math.Ceiling(longestWait.TotalMilliseconds);
                _wait.Reset();
                _until = Environment.TickCount64 + wait;
                _waits = true;
                _timer.Change(wait, Timeout.Infinite);
                if (_cancel != cancel)
                {
                    _registration.Unregister();
                    _cancel = cancel;
                    _registration = cancel.UnsafeRegister(static (subscription, token) => ((Subscription)subscription!).GiveUp(token), this);
                }
                return new(this, _wait.Version);
            }
        }

        public void Dispose()
        {
            bool waited;
            lock (_gate)
            {
                if (_over)
                {
                    return;
                }
                (waited, _waits, _over) = (_waits, false, true);
                _waiting.Clear();
            }
            _registration.Unregister();
            _timer.Dispose();
            _live.Remove(this);
            if (waited)
            {
                End(null, lend: false);
            }
        }

        string? IValueTaskSource<string?>.GetResult(short token) => _wait.GetResult(token);

        ValueTaskSourceStatus IValueTaskSource<string?>.GetStatus(short token) => _wait.GetStatus(token);

        void IValueTaskSource<string?>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _wait.OnCompleted(continuation, state, token, flags);

        // Whoever took `_waits` away ends the wait, once, and not under the lock.
        private void End(string? message, bool lend)
        {
            _wait.RunContinuationsAsynchronously = !lend;
            _wait.SetResult(message);
        }

        private void RunOut()
        {
            lock (_gate)
            {
                // The timer may have been for a wait before this one.
                if (!_waits || Environment.TickCount64 < _until)
                {
                    return;
                }
                _waits = false;
            }
            End(null, lend: false);
        }

        private void GiveUp(CancellationToken token)
        {
            lock (_gate)
            {
                if (!_waits || _cancel != token)
                {
                    return;
                }
                _waits = false;
            }
            _wait.RunContinuationsAsynchronously = true;
            _wait.SetException(new OperationCanceledException(token));
        }
    }
}
