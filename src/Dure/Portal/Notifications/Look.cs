namespace Dure.Portal.Notifications;

/// <summary>Names of what is remembered from one look to the next.</summary>
internal static class LookState
{
    /// <summary>Changes with every look that was kept: two servers that look at once do not keep the same.</summary>
    public const string Turn = "turn";

    /// <summary>Up to when ends that were no success are told.</summary>
    public const string Cursor = "cursor";

    /// <summary>By function id: the last invocation that failed, of functions whose recovery is waited for.</summary>
    public const string Failing = "failing:";

    /// <summary>By function: its invocations that have not ended.</summary>
    public const string Open = "open:";

    /// <summary>Missed firings that are told, by function.</summary>
    public const string Missed = "missed";

    /// <summary>How the disk was.</summary>
    public const string Disk = "disk";

    /// <summary>By provider: it is behind, and that is told.</summary>
    public const string Behind = "behind:";
}

/// <summary>A function's invocations that may still end.</summary>
/// <param name="Through">Those with higher ids have not been looked at.</param>
internal sealed record OpenEnds(long Through, IReadOnlyList<long> Open);

/// <summary>What one look has seen; kept as a whole.</summary>
/// <param name="turnBefore">As it was read; null before the first.</param>
internal sealed class Look(string? turnBefore)
{
    public string? TurnBefore { get; } = turnBefore;

    public List<Sighting> Sightings { get; } = [];

    public List<(NotifyWatch Watch, Sighting Sighting)> Ended { get; } = [];

    /// <summary>What is to be remembered; null forgets.</summary>
    public Dictionary<string, string?> State { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether it must be kept now: something was seen, or is remembered that would be told again.</summary>
    public bool Matters { get; set; }
}
