namespace Dure.Functions;

/// <summary>What a change of a function builds on: where callers were sent when somebody looked. Null for a version that is not there.</summary>
/// <param name="Exists">False expects that there is no such function yet.</param>
public sealed record ExpectedRelease(bool Exists, long? Live, long? Canary)
{
    /// <summary>What is expected when nothing has changed since.</summary>
    public static ExpectedRelease Of(Function? function) => function is null ? new(false, null, null) : new(true, function.Live?.Id, function.Canary?.Id);

    /// <summary>The name of where callers are sent, as entity tags have it: the live version's digest, and <c>+</c> with the canary's.</summary>
    public static string TagOf(Function function) => (function.Live?.Digest ?? "none") + (function.Canary is { } canary ? "+" + canary.Digest : "");
}

/// <summary>One change of where callers are sent.</summary>
/// <param name="Action"><c>deploy</c>, <c>canary</c>, <c>live</c> or <c>rollback</c>.</param>
/// <param name="Live">Number of the version that was live from then on; null when retention forgot it.</param>
/// <param name="CanaryPercent">0 without a canary.</param>
public sealed record FunctionRelease(DateTimeOffset At, string Owner, string Action, int? Live, string? LiveDigest, int? Canary, int CanaryPercent);
