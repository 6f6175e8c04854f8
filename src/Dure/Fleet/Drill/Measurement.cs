namespace Dure.Fleet.Drill;

/// <summary>One request of a client. Times in milliseconds since the drill began.</summary>
/// <param name="Error">Why it was not acknowledged; null when it was.</param>
internal readonly record struct Request(long Id, double SentMs, double DoneMs, string? Error)
{
    public bool Ok => Error is null;
}

/// <summary>A time in which nobody was served.</summary>
internal readonly record struct Gap(double FromMs, double ToMs)
{
    public double Ms => ToMs - FromMs;
}

/// <summary>What clients of one tier noticed.</summary>
/// <param name="NoticedMs">The longest time between two acknowledgements, less the pace of the requests.</param>
/// <param name="Worst">Where that was; null when no request was acknowledged before.</param>
/// <param name="Open">It had not ended when the clients stopped.</param>
/// <param name="Gaps">Every time without an acknowledgement that a reader would see, in order.</param>
/// <param name="Lost">Acknowledged ids that were not found afterwards.</param>
/// <param name="Surprises">How many ids were found that had not been acknowledged: an answer that was lost on its way.</param>
internal sealed record Measurement(long Sent, long Acknowledged, long Failed, double NoticedMs, Gap? Worst, bool Open, IReadOnlyList<Gap> Gaps, IReadOnlyList<long> Lost, long Surprises)
{
    /// <summary>Shorter ones, beyond the pace, are a busy machine's breath.</summary>
    private static double SeenMs(double paceMs) => Math.Max(250, paceMs / 2);

    /// <param name="requests">In any order.</param>
    /// <param name="paceMs">Between two requests.</param>
    /// <param name="fromMs">When the fault began. A time without service that had ended by then is not its doing.</param>
    /// <param name="untilMs">When the clients stopped.</param>
    /// <param name="found">The ids that were read back; null for a tier that keeps nothing.</param>
    public static Measurement Of(IReadOnlyList<Request> requests, double paceMs, double fromMs, double untilMs, IReadOnlySet<long>? found)
    {
        var acknowledged = requests.Where(request => request.Ok).ToList();
        var moments = acknowledged.Select(request => request.DoneMs).Order().ToList();
        var gaps = new List<Gap>();
        for (var i = 1; i < moments.Count; i++)
            gaps.Add(new(moments[i - 1], moments[i]));
        if (moments.Count > 0 && untilMs > moments[^1])
            gaps.Add(new(moments[^1], untilMs));
        else if (moments.Count == 0)
            gaps.Add(new(Math.Min(fromMs, untilMs), untilMs));
        gaps.RemoveAll(gap => gap.ToMs <= fromMs);
        Gap? worst = gaps.Count > 0 ? gaps.MaxBy(gap => gap.Ms) : null;
        var noticed = Math.Max(0, (worst?.Ms ?? 0) - (moments.Count == 0 ? 0 : paceMs));
        var lost = found is null ? [] : acknowledged.Select(request => request.Id).Where(id => !found.Contains(id)).Order().ToList();
        var surprises = found is null ? 0 : found.Except(acknowledged.Select(request => request.Id)).LongCount();
        return new(
            requests.Count,
            acknowledged.Count,
            requests.Count - acknowledged.Count,
            noticed,
            worst,
            worst is { } gap && gap.ToMs >= untilMs && gap.Ms > paceMs + SeenMs(paceMs),
            [.. gaps.Where(gap => gap.Ms - paceMs > SeenMs(paceMs))],
            lost,
            surprises);
    }
}
