namespace Dure.Functions.Api;

/// <summary>Follows the invocations of one function from a time on: their changes of state and their new log lines.</summary>
/// <param name="since">Unix ms; 0 begins now.</param>
internal sealed class FunctionFollower(FunctionsContext context, long function, long since)
{
    private const int Limit = 200;
    private readonly Dictionary<string, (string Mark, long Offset)> _known = new(StringComparer.Ordinal);
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);

    /// <summary>Everything that changed before this time has been told, Unix ms.</summary>
    public long Since { get; private set; } = since > 0 ? since : context.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Whether the state of this one is news of the last round.</summary>
    public bool Changed(InvocationView view) => _changed.Contains(view.Id);

    /// <summary>What is new.</summary>
    public async ValueTask<List<(InvocationView View, List<string> Lines)>> NextAsync(CancellationToken cancel)
    {
        var begun = context.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var news = new List<(InvocationView, List<string>)>();
        _changed.Clear();
        var recent = await context.Reader.ListAsync(new InvocationFilter(function, null, null, null, null, null, null, Limit), cancel);
        foreach (var view in Enumerable.Reverse(recent))
        {
            var touched = (view.FinishedAt ?? view.StartedAt ?? view.CreatedAt).ToUnixTimeMilliseconds();
            if (LogEndpoints.IsFinal(view.State) && touched < Since && !_known.ContainsKey(view.Id))
                continue;
            var known = _known.GetValueOrDefault(view.Id);
            var (offset, lines) = known.Mark is not null && LogEndpoints.IsFinal(known.Mark.Split('.')[0]) ? (known.Offset, [])
                : await LogEndpoints.ReadLinesAsync(context.Logs.PathOf(InvocationId.TryParse(view.Id, out var id) ? id : 0), known.Offset, cancel);
            var mark = $"{view.State}.{view.Attempt}";
            if (mark != known.Mark)
                _changed.Add(view.Id);
            if (mark != known.Mark || lines.Count > 0)
                news.Add((view, lines));
            _known[view.Id] = (mark, offset);
        }
        foreach (var gone in _known.Keys.Except(recent.Select(r => r.Id), StringComparer.Ordinal).ToList())
            _known.Remove(gone);
        Since = begun - 1;
        return news;
    }
}
