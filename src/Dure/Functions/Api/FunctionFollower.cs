using Dure.Functions.Dispatch;
using Dure.Functions.Lists;
using Dure.Host;
using Dure.Host.Live;

namespace Dure.Functions.Api;

/// <summary>
/// Follows the invocations of one function from a time on: their changes of state and their new log lines. Hints say which ones to
/// look at; because a hint may be lost, all recent ones are looked at every few seconds.
/// </summary>
/// <param name="since">Unix ms; 0 begins now.</param>
internal sealed class FunctionFollower(FunctionsContext context, long function, ILiveSubscription hints, long since)
{
    private const int Limit = 200;
    private static readonly TimeSpan LookAtAllEvery = TimeSpan.FromSeconds(2);
    private readonly Dictionary<string, (Mark? Mark, long Offset)> _known = new(StringComparer.Ordinal);
    private readonly bool _resumed = since > 0;
    private long _lookedAtAll;
    private bool _begun;

    /// <summary>Everything that changed before this time has been told, Unix ms.</summary>
    public long Since { get; private set; } = since > 0 ? since : context.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Waits for news for up to two seconds and tells it: an invocation, whether its state is new, and its new lines.</summary>
    public async ValueTask<List<(InvocationView View, bool Changed, List<string> Lines)>> NextAsync(CancellationToken cancel)
    {
        var wait = _begun ? LookAtAllEvery - context.Time.GetElapsedTime(_lookedAtAll) : TimeSpan.Zero;
        if (wait > TimeSpan.Zero && await hints.NextAsync(wait, cancel).ConfigureAwait(false) is { } first)
        {
            var ids = await GatherAsync(first, cancel);
            if (ids.Count == 1 && TellAtOnce(ids[0]) is { } told)
                return told;
            await OnPool.SwitchAsync();
            return await TellAsync(await context.LookAsync(ids, cancel), cancel);
        }
        await OnPool.SwitchAsync();
        (_begun, _lookedAtAll) = (true, context.Time.GetTimestamp());
        var now = context.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var recent = await context.Reader.ListAsync(new InvocationFilter { Function = function, Limit = Limit }, cancel);
        var news = await TellAsync(Enumerable.Reverse(recent).Where(view => !IsOld(view)), cancel);
        foreach (var gone in _known.Where(k => k.Value.Mark is { IsFinal: true }).Select(k => k.Key).Except(recent.Select(r => r.Id), StringComparer.Ordinal).ToList())
            _known.Remove(gone);
        Since = now - 1;
        return news;
    }

    private bool IsOld(InvocationView view) => LogEndpoints.IsFinal(view.State) && !_known.ContainsKey(view.Id)
        && (view.FinishedAt ?? view.StartedAt ?? view.CreatedAt).ToUnixTimeMilliseconds() < Since;

    // Many changes at once are one look.
    private async ValueTask<List<long>> GatherAsync(string first, CancellationToken cancel)
    {
        List<long> ids = [];
        for (var hint = first; hint is not null; hint = ids.Count < Limit ? await hints.NextAsync(TimeSpan.Zero, cancel) : null)
        {
            if (InvocationId.TryParse(hint, out var id) && !ids.Contains(id))
                ids.Add(id);
        }
        ids.Sort();
        return ids;
    }

    // Whoever brought the hint may have lent the thread: what is in memory and logged nothing is told there.
    private List<(InvocationView View, bool Changed, List<string> Lines)>? TellAtOnce(long id)
    {
        if (context.AtHand(id) is not { Log: null, SeenStart: true } active)
            return null;
        var view = FunctionsContext.ViewOf(active);
        var mark = new Mark(view.State, view.Attempt);
        if (_known.TryGetValue(view.Id, out var known) && known.Mark == mark)
            return [];
        _known[view.Id] = (mark, 0);
        return [(view, true, [])];
    }

    private async ValueTask<List<(InvocationView View, bool Changed, List<string> Lines)>> TellAsync(IEnumerable<InvocationView> views, CancellationToken cancel)
    {
        var news = new List<(InvocationView, bool, List<string>)>();
        foreach (var view in views)
        {
            var known = _known.GetValueOrDefault(view.Id);
            var mark = new Mark(view.State, view.Attempt);
            var (offset, lines) = (known.Offset, new List<string>());
            // After a final state has been told there are no more lines; before, what it promises is already in the file.
            if (known.Mark is not { IsFinal: true })
                (offset, lines) = await ReadAsync(view, known, cancel);
            // One piece after another: the state is told with the last of them.
            while (mark.IsFinal && lines.Count > 0)
            {
                news.Add((view, false, lines));
                (offset, lines) = await ReadAsync(view, (mark, offset), cancel);
            }
            if (mark != known.Mark || lines.Count > 0)
                news.Add((view, mark != known.Mark, lines));
            _known[view.Id] = (mark, offset);
        }
        return news;
    }

    // A follower that comes back is not told again what was written long before it left; the last second may be told twice.
    private async ValueTask<(long Offset, List<string> Lines)> ReadAsync(InvocationView view, (Mark? Mark, long Offset) known, CancellationToken cancel)
    {
        var path = context.Logs.PathOf(InvocationId.TryParse(view.Id, out var id) ? id : 0);
        var (offset, lines) = await LogEndpoints.ReadLinesAsync(path, known.Offset, cancel);
        if (known.Mark is not null || !_resumed)
            return (offset, lines);
        var from = DateTimeOffset.FromUnixTimeMilliseconds(since).AddSeconds(-1).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture);
        while (lines.Count > 0 && lines.All(line => string.CompareOrdinal(line, from) < 0))
            (offset, lines) = await LogEndpoints.ReadLinesAsync(path, offset, cancel);
        return (offset, [.. lines.SkipWhile(line => string.CompareOrdinal(line, from) < 0)]);
    }

    // What of an invocation has been told.
    private readonly record struct Mark(string State, int Attempt)
    {
        public bool IsFinal => LogEndpoints.IsFinal(State);
    }
}
