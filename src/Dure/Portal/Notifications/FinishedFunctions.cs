using System.Text.Json;
using Dure.Functions;
using Dure.Functions.Dispatch;
using Dure.Host.Live;

namespace Dure.Portal.Notifications;

/// <summary>
/// Finds the ends of functions about which somebody wants to be told each end. Every invocation of such a function is taken up by its id and looked at
/// until it has ended. One whose row is made only at its end, with an old id (a relaxed call), is heard of.
/// </summary>
internal sealed class FinishedFunctions(InvocationEnds ends, ILive live) : IDisposable
{
    private const int BegunMost = 10_000;
    private const int LookedAtMost = 5_000;
    private const int HeardMost = 256;
    private const int CountedMost = 50_000;

    // Ids are made a little before their rows, and not in the same order.
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, ILiveSubscription> _hears = new(StringComparer.Ordinal);
    private readonly HashSet<long> _counted = [];
    private int _at;

    /// <summary>Looks at every function that a rule names.</summary>
    public async ValueTask LookAsync(Look look, IReadOnlyList<NotifyRule> rules, IReadOnlyDictionary<string, string> state, DateTimeOffset now, CancellationToken cancel)
    {
        var functions = rules.Where(static rule => rule.Event == NotifyEvents.Finished).Select(static rule => rule.Function!).ToHashSet(StringComparer.Ordinal);
        foreach (var name in state.Keys.Where(name => name.StartsWith(LookState.Open, StringComparison.Ordinal) && !functions.Contains(name[LookState.Open.Length..])))
            (look.State[name], look.Matters) = (null, true);
        foreach (var gone in _hears.Keys.Where(name => !functions.Contains(name)).ToList())
        {
            _hears.Remove(gone, out var subscription);
            subscription!.Dispose();
        }
        foreach (var function in functions)
            await LookAsync(look, function, state.GetValueOrDefault(LookState.Open + function), now, cancel);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var subscription in _hears.Values)
            subscription.Dispose();
        _hears.Clear();
    }

    private async ValueTask LookAsync(Look look, string function, string? remembered, DateTimeOffset now, CancellationToken cancel)
    {
        var through = InvocationId.FirstAt(now - Settle);
        if (!_hears.ContainsKey(function))
            _hears[function] = live.Subscribe(InvocationEvents.FunctionChannel(function));
        if (remembered is null)
        {
            (look.State[LookState.Open + function], look.Matters) = (Json(new OpenEnds(through, [])), true);
            return;
        }
        var before = JsonSerializer.Deserialize(remembered, NotifyJson.Default.OpenEnds)!;
        var begun = through > before.Through ? await ends.BegunAsync(function, before.Through, through, BegunMost, cancel) : [];
        if (begun.Count == BegunMost)
            through = begun[^1];
        through = Math.Max(through, before.Through);
        var open = new HashSet<long>([.. before.Open, .. begun]);
        await HearAsync(function, before.Through, open, cancel);
        var ended = await ends.EndedAsync(Some(open), cancel);
        foreach (var end in ended)
        {
            open.Remove(end.Id);
            Count(end.Id);
        }
        look.State[LookState.Open + function] = Json(new OpenEnds(through, [.. open.Order()]));
        if (ended is [.., var last])
            look.Sightings.Add(new Sighting(NotifyEvents.Finished, function, ended.Count, InvocationId.Format(last.Id), last.State == InvocationState.Success ? "SUCCESS" : $"{last.State.ToString().ToUpperInvariant()}: {last.Why}", now));
    }

    private async ValueTask HearAsync(string function, long through, HashSet<long> open, CancellationToken cancel)
    {
        for (var n = 0; n < HeardMost && await _hears[function].NextAsync(TimeSpan.Zero, cancel) is { } text; n++)
        {
            if (InvocationId.TryParse(text, out var id) && id <= through && !_counted.Contains(id))
                open.Add(id);
        }
    }

    // A long queue is looked at in turns.
    private IReadOnlyCollection<long> Some(HashSet<long> open)
    {
        if (open.Count <= LookedAtMost)
            return open;
        _at = _at >= open.Count ? 0 : _at;
        var some = open.Order().Skip(_at).Take(LookedAtMost).ToList();
        _at += LookedAtMost;
        return some;
    }

    private void Count(long id)
    {
        if (_counted.Count >= CountedMost)
            _counted.Clear();
        _counted.Add(id);
    }

    private static string Json(OpenEnds open) => JsonSerializer.Serialize(open, NotifyJson.Default.OpenEnds);
}
