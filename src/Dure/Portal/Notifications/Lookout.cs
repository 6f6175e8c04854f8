using System.Globalization;
using Dure.Functions;
using Dure.Host;
using Dure.Host.Live;

namespace Dure.Portal.Notifications;

/// <summary>How notifications are made and sent.</summary>
/// <param name="Gather">Failures of one function within this time are one message.</param>
/// <param name="BehindAfter">A provider whose oldest waiting copy is older is behind.</param>
/// <param name="KeepFor">How long messages are kept.</param>
internal sealed record LookoutOptions(TimeSpan Gather, TimeSpan BehindAfter, TimeSpan KeepFor);

/// <summary>
/// Looks once a second whether something happened that somebody wants to be told, and keeps messages of it. What runs and is called knows nothing
/// of this: it reads what has been committed. Up to where it has read is committed with the messages, so a kill at any moment loses nothing and tells
/// nothing twice. A clock that is set back may have some told twice.
/// </summary>
internal sealed partial class Lookout(NotifyStore store, InvocationEnds ends, IReadOnlyList<Lookout.Watcher> others, ILive live, LookoutOptions options, TimeProvider time, ILogger<Lookout> logger) : IDisposable
{
    /// <summary>Where new messages are announced.</summary>
    public const string Channel = "notifications";

    private const string OfPortal = "portal.notifications";

    /// <summary>An end is dated before it is handed to the database, by less than this.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan KeepAnywayAfter = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ForgetEvery = TimeSpan.FromHours(1);

    private readonly FinishedFunctions _finished = new(ends, live);
    private Dictionary<string, string>? _state;
    private DateTimeOffset _keptAt;
    private DateTimeOffset _forgotAt;

    /// <summary>Looks after something else than invocations; adds what it sees to the look.</summary>
    /// <param name="rules">All there are.</param>
    /// <param name="state">What is remembered.</param>
    public delegate ValueTask Watcher(Look look, IReadOnlyList<NotifyRule> rules, IReadOnlyDictionary<string, string> state, CancellationToken cancel);

    /// <summary>Looks until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(LookEvery, time);
        while (await timer.WaitForNextTickAsync(cancel))
        {
            try
            {
                await LookAsync(cancel);
                if (time.GetUtcNow() - _forgotAt > ForgetEvery)
                {
                    _forgotAt = time.GetUtcNow();
                    await store.ForgetAsync(_forgotAt - options.KeepFor);
                }
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                // What is remembered is read anew: it may have been kept, or not.
                _state = null;
                LogFailed(error);
            }
        }
    }

    /// <summary>Looks once.</summary>
    public async Task LookAsync(CancellationToken cancel)
    {
        var rules = await store.RulesAsync(cancel);
        var watches = await store.WatchesAsync(cancel);
        if (rules.Count + watches.Count == 0 && _state is { Count: 0 or 1 })
            return;
        var state = _state ??= await store.StateAsync(cancel);
        var now = time.GetUtcNow();
        var look = new Look(state.GetValueOrDefault(LookState.Turn));
        await BrokenAsync(look, rules, state, now, cancel);
        await _finished.LookAsync(look, rules, state, now, cancel);
        await WatchesAsync(look, watches, now, cancel);
        foreach (var other in others)
            await other(look, rules, state, cancel);
        Remember(state, look);
        if (!look.Matters && look.Sightings.Count + look.Ended.Count == 0 && now - _keptAt < KeepAnywayAfter && now >= _keptAt)
            return;
        await KeepAsync(look, state, now);
    }

    private static void Remember(Dictionary<string, string> state, Look look)
    {
        foreach (var (name, value) in look.State)
        {
            if (value is null)
                state.Remove(name);
            else
                state[name] = value;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _finished.Dispose();

    private async ValueTask KeepAsync(Look look, Dictionary<string, string> state, DateTimeOffset now)
    {
        // All that is remembered, for looks that were not kept have changed it as well.
        foreach (var (name, value) in state)
            look.State[name] = value;
        look.State[LookState.Turn] = Guid.CreateVersion7(now).ToString("N");
        if (await store.KeepAsync(look, options.Gather) is not { } owners)
        {
            _state = null;
            return;
        }
        state[LookState.Turn] = look.State[LookState.Turn]!;
        _keptAt = now;
        if (owners.Count == 0)
            return;
        live.Publish(Channel, "new");
        foreach (var owner in owners.Where(static owner => owner.Length <= 40))
            live.Publish(OfPortal, owner);
    }

    private async ValueTask BrokenAsync(Look look, List<NotifyRule> rules, Dictionary<string, string> state, DateTimeOffset now, CancellationToken cancel)
    {
        if (!rules.Exists(static rule => rule.Event is NotifyEvents.Failed or NotifyEvents.Recovered))
        {
            // Whoever asks again later is not told what happened meanwhile.
            foreach (var name in state.Keys.Where(static name => name == LookState.Cursor || name.StartsWith(LookState.Failing, StringComparison.Ordinal)))
                (look.State[name], look.Matters) = (null, true);
            return;
        }
        var until = (now - Settle).ToUnixTimeMilliseconds();
        if (!state.TryGetValue(LookState.Cursor, out var text) || !long.TryParse(text, CultureInfo.InvariantCulture, out var after))
        {
            (look.State[LookState.Cursor], look.Matters) = (Number(until), true);
            return;
        }
        await ends.SettleAsync();
        foreach (var broken in await ends.BrokenAsync(Math.Min(after, until), until, cancel))
        {
            var last = (await ends.EndedAsync([broken.Last], cancel)).FirstOrDefault();
            look.Sightings.Add(new Sighting(NotifyEvents.Failed, broken.Function, broken.Count, InvocationId.Format(broken.Last), last?.Why ?? "", now));
            look.State[LookState.Failing + Number(broken.FunctionId)] = Number(broken.Last);
        }
        foreach (var (name, value) in state.Where(static pair => pair.Key.StartsWith(LookState.Failing, StringComparison.Ordinal)))
        {
            if (look.State.ContainsKey(name))
                continue;
            var function = long.Parse(name[LookState.Failing.Length..], CultureInfo.InvariantCulture);
            if (await ends.NextSuccessAsync(function, long.Parse(value, CultureInfo.InvariantCulture), cancel) is not { } success)
                continue;
            (look.State[name], look.Matters) = (null, true);
            look.Sightings.Add(new Sighting(NotifyEvents.Recovered, success.Function, 1, InvocationId.Format(success.Id), "", now));
        }
        look.State[LookState.Cursor] = Number(until);
    }

    private async ValueTask WatchesAsync(Look look, List<NotifyWatch> watches, DateTimeOffset now, CancellationToken cancel)
    {
        if (watches.Count == 0)
            return;
        var ended = (await ends.EndedAsync([.. watches.Select(static watch => watch.Invocation).Distinct()], cancel)).ToDictionary(static end => end.Id);
        foreach (var watch in watches)
        {
            if (!ended.TryGetValue(watch.Invocation, out var end))
                continue;
            var detail = end.State == InvocationState.Success ? "SUCCESS" : $"{Word(end.State)}: {end.Why}";
            look.Ended.Add((watch, new Sighting(NotifyEvents.Ended, end.Function, 1, InvocationId.Format(end.Id), detail, now)));
        }
    }

    private static string Word(InvocationState state) => state.ToString().ToUpperInvariant();

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    [LoggerMessage(Level = LogLevel.Error, Message = "Looking for what is to be told failed; it is tried again")]
    private partial void LogFailed(Exception why);
}
