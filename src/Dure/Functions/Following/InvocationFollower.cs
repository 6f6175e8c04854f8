using System.Collections.Immutable;
using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Dure.Functions.Api;
using Dure.Functions.Dispatch;
using Dure.Host;
using Dure.Host.Live;

namespace Dure.Functions.Following;

/// <summary>
/// Follows all invocations for all live streams together: it gathers hints, looks each invocation up once, and hands what is new to every
/// stream that watches it. Hints may be lost, so the rows are looked at every few seconds as well. Nothing runs while nobody watches.
/// </summary>
internal sealed partial class InvocationFollower(FunctionsContext context, ChangeReader changes, ILogger<InvocationFollower> log, CancellationToken stopping)
{
    /// <summary>The mark of a stream: everything that changed before this time, Unix ms, has been told.</summary>
    public const string Mark = "t";

    private const int LookMost = 5000;
    private const int KnownMost = 20_000;
    private static readonly TimeSpan GatherFor = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(2);

    /// <summary>Commits come later than the times they carry, by this much at most (a disk that hangs).</summary>
    private static readonly TimeSpan LatestCommit = TimeSpan.FromSeconds(10);

    /// <summary>Who comes back is told from so long before its mark on; what it saw already is told twice.</summary>
    private static readonly TimeSpan ToldTwice = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<long, long> _known = [];
    private ImmutableArray<InvocationWatcher> _watchers = [];
    private bool _runs;
    private bool _changed;
    private DateTimeOffset _since;

    /// <summary>Begins to tell a stream.</summary>
    public IDisposable Watch(LiveWatch watch, WatchedKind kind, long id = 0)
    {
        var resumed = watch.Marks.TryGetValue(Mark, out var text) && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var ms)
            && ms <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : (DateTimeOffset?)null;
        var watcher = new InvocationWatcher(this, watch, kind, id);
        var now = context.Time.GetUtcNow();
        watch.Feed.Mark(Mark, MarkOf(resumed ?? now));
        lock (_gate)
        {
            _watchers = _watchers.Add(watcher);
            if (!_runs)
            {
                (_runs, _since) = (true, now);
                _ = Task.Run(RunAsync, CancellationToken.None);
            }
        }
        // Also at a beginning: what a page fetched just before is told on from there.
        _ = Task.Run(() => CatchUpAsync(watcher, resumed ?? now), CancellationToken.None);
        return watcher;
    }

    /// <summary>Tells a stream no more.</summary>
    public void Leave(InvocationWatcher watcher)
    {
        lock (_gate)
            _watchers = _watchers.Remove(watcher);
    }

    private static string MarkOf(DateTimeOffset time) => time.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);

    // Attempts count up, and within an attempt PROCESSING comes before the wait for the next one, and that before the end.
    private static long OrderOf(InvocationState state, int attempt) => state switch
    {
        InvocationState.Pending => 4L * attempt + 2,
        InvocationState.Processing => 4L * attempt + 1,
        _ => long.MaxValue,
    };

    private static long OrderOf(InvocationView view) => view.State switch
    {
        "PENDING" => OrderOf(InvocationState.Pending, view.Attempt),
        "PROCESSING" => OrderOf(InvocationState.Processing, view.Attempt),
        _ => long.MaxValue,
    };

    private async Task RunAsync()
    {
        using var hints = context.Live.Subscribe(InvocationEvents.All);
        var polled = 0L;
        while (true)
        {
            lock (_gate)
            {
                if (_watchers.IsEmpty || stopping.IsCancellationRequested)
                {
                    _runs = false;
                    _known.Clear();
                    return;
                }
            }
            try
            {
                var wait = polled == 0 ? TimeSpan.Zero : PollEvery - context.Time.GetElapsedTime(polled);
                if (wait > TimeSpan.Zero)
                {
                    if (await hints.NextAsync(wait, stopping) is { } first)
                        await FollowAsync(hints, first);
                    continue;
                }
                polled = context.Time.GetTimestamp();
                await PollAsync();
            }
            catch (OperationCanceledException)
            {
                // The server stops: the next turn ends this.
            }
            catch (DbException error)
            {
                LogNotRead(error.Message);
                await Task.Delay(PollEvery, context.Time, CancellationToken.None);
            }
        }
    }

    private async Task FollowAsync(ILiveSubscription hints, string first)
    {
        await Task.Delay(GatherFor, context.Time, stopping);
        var ids = new HashSet<long>();
        var count = 0;
        for (var hint = first; hint is not null; hint = await hints.NextAsync(TimeSpan.Zero, stopping))
        {
            count++;
            if (InvocationId.TryParse(hint, out var id))
                ids.Add(id);
        }
        // So many that some were lost, or are more than anybody could read.
        if (count >= LiveFeed.ChangesMost)
            await TellMoreAsync();
        else
            Tell(await context.LookAsync([.. ids.Order()], stopping));
    }

    private async Task PollAsync()
    {
        var begun = context.Time.GetUtcNow();
        var fresh = new Dictionary<long, long>();
        var seen = new HashSet<long>();
        foreach (var (id, state) in await changes.SinceAsync(_since - LatestCommit, 0, LookMost, stopping))
        {
            seen.Add(id);
            // Of what has not ended the memory knows best; a row that only waits is news when nobody has told of it.
            var order = state > InvocationState.Processing ? long.MaxValue : OrderOf(InvocationState.Pending, 0);
            if (_known.GetValueOrDefault(id) < order)
                fresh[id] = Math.Max(order, fresh.GetValueOrDefault(id));
        }
        foreach (var (id, order) in Moving())
        {
            seen.Add(id);
            if (_known.GetValueOrDefault(id) < order)
                fresh[id] = Math.Max(order, fresh.GetValueOrDefault(id));
        }
        if (fresh.Count >= LiveFeed.ChangesMost)
        {
            await TellMoreAsync();
            foreach (var (id, order) in fresh)
                _known[id] = order;
        }
        else if (fresh.Count > 0)
        {
            Tell(await context.LookAsync([.. fresh.Keys.Order()], stopping));
        }
        _since = begun;
        if (_known.Count > KnownMost + seen.Count)
        {
            foreach (var old in _known.Keys.Where(id => !seen.Contains(id)).ToList())
                _known.Remove(old);
        }
        Advance(begun);
    }

    // What runs, or waits for another attempt: rows do not say since when.
    private IEnumerable<(long Id, long Order)> Moving() => context.Dispatcher.Open
        .Where(i => i.State == InvocationState.Processing || i.Attempt > 0)
        .Select(i => (i.Id, OrderOf(i.State, i.Attempt)));

    // A stream's mark moves on only when all that it watches has been caught up with.
    private void Advance(DateTimeOffset told)
    {
        var mark = MarkOf(told);
        foreach (var stream in _watchers.GroupBy(watcher => watcher.Watch.Feed).Where(stream => stream.All(watcher => watcher.CaughtUp)))
            stream.Key.Mark(Mark, mark);
        if (!_changed)
            return;
        _changed = false;
        foreach (var watcher in _watchers.Where(watcher => watcher.Kind == WatchedKind.Overview))
            watcher.TellHint();
    }

    private void Tell(IEnumerable<InvocationView> views)
    {
        foreach (var view in views)
        {
            if (!InvocationId.TryParse(view.Id, out var id) || OrderOf(view) is var order && _known.GetValueOrDefault(id) >= order)
                continue;
            (_known[id], _changed) = (order, true);
            byte[]? data = null;
            foreach (var watcher in _watchers)
            {
                if (watcher.Wants(id, view))
                    watcher.Tell(view.Id, order, data ??= Json(view));
            }
        }
    }

    // Those who watch one invocation are told of it all the same.
    private async Task TellMoreAsync()
    {
        _changed = true;
        var watchers = _watchers;
        foreach (var watcher in watchers.Where(watcher => watcher.Kind is WatchedKind.All or WatchedKind.Function))
            watcher.Watch.Feed.More(watcher.Watch.Topic);
        var one = watchers.Where(watcher => watcher.Kind == WatchedKind.One).ToLookup(watcher => watcher.Id);
        if (one.Count == 0)
            return;
        foreach (var view in await context.LookAsync([.. one.Select(group => group.Key).Order()], stopping))
        {
            foreach (var watcher in InvocationId.TryParse(view.Id, out var id) ? one[id] : [])
                watcher.Tell(view.Id, OrderOf(view), Json(view));
        }
    }

    private async Task CatchUpAsync(InvocationWatcher watcher, DateTimeOffset since)
    {
        try
        {
            var ids = await MissedAsync(watcher, since);
            if (ids.Count > LiveFeed.ChangesMost)
            {
                watcher.Watch.Feed.More(watcher.Watch.Topic);
            }
            else if (ids.Count > 0)
            {
                foreach (var view in await context.LookAsync(ids, watcher.Watch.Ended))
                {
                    if (InvocationId.TryParse(view.Id, out var id) && watcher.Wants(id, view))
                        watcher.Tell(view.Id, OrderOf(view), Json(view));
                }
            }
        }
        catch (DbException error)
        {
            LogNotRead(error.Message);
            watcher.Watch.Feed.More(watcher.Watch.Topic);
        }
        catch (OperationCanceledException)
        {
            return;
        }
        watcher.CaughtUp = true;
    }

    private async ValueTask<List<long>> MissedAsync(InvocationWatcher watcher, DateTimeOffset since)
    {
        if (watcher.Kind == WatchedKind.One)
            return [watcher.Id];
        if (watcher.Kind == WatchedKind.Overview)
        {
            watcher.TellHint();
            return [];
        }
        var function = watcher.Kind == WatchedKind.Function ? context.Catalog.Find(watcher.Watch.Argument)?.Id ?? -1 : 0;
        var found = await changes.SinceAsync(since - ToldTwice, function, LiveFeed.ChangesMost + 1, watcher.Watch.Ended);
        var moving = context.Dispatcher.Open.Where(i => i.State == InvocationState.Processing || i.Attempt > 0).Where(i => function == 0 || i.Version.FunctionId == function);
        return [.. found.Select(row => row.Id).Concat(moving.Select(i => i.Id)).Distinct().Order()];
    }

    private static byte[] Json(InvocationView view) => JsonSerializer.SerializeToUtf8Bytes(view with { Attempts = null, Steps = null }, ApiJson.Default.InvocationView);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What changed could not be read for those who watch; it is tried again: {Why}")]
    private partial void LogNotRead(string why);
}

/// <summary>What of the invocations a stream watches.</summary>
internal enum WatchedKind
{
    All,
    Function,
    One,

    /// <summary>Only that something is new.</summary>
    Overview,
}

/// <summary>One topic of one stream about invocations.</summary>
internal sealed class InvocationWatcher(InvocationFollower follower, LiveWatch watch, WatchedKind kind, long id) : IDisposable
{
    private volatile bool _caughtUp;

    public LiveWatch Watch => watch;

    public WatchedKind Kind => kind;

    /// <summary>The one that is watched; 0 for others.</summary>
    public long Id => id;

    /// <summary>What it missed has been told.</summary>
    public bool CaughtUp
    {
        get => _caughtUp;
        set => _caughtUp = value;
    }

    /// <summary>Whether this is to be told.</summary>
    public bool Wants(long invocation, InvocationView view) => kind switch
    {
        WatchedKind.All => true,
        WatchedKind.Function => view.Function == watch.Argument,
        WatchedKind.One => invocation == id,
        _ => false,
    };

    /// <summary>Tells it.</summary>
    public void Tell(string invocation, long order, byte[] data) => watch.Feed.Change(new LiveChange(watch.Topic, "invocation", invocation, order, data));

    /// <summary>Says that something is new.</summary>
    public void TellHint() => watch.Feed.Change(new LiveChange(watch.Topic, "overview", "", 0, LiveChange.Nothing));

    public void Dispose() => follower.Leave(this);
}
