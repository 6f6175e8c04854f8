namespace Dure.Functions;

/// <summary>Where an invocation stands. The numbers are stored.</summary>
public enum InvocationState
{
    /// <summary>Accepted, waits for a process or for its next attempt.</summary>
    Pending = 0,

    /// <summary>An attempt is recorded and running, or about to.</summary>
    Processing = 1,

    /// <summary>The code returned a result.</summary>
    Success = 2,

    /// <summary>No attempt succeeded and none will follow.</summary>
    Failed = 3,

    /// <summary>Ended on request.</summary>
    Cancelled = 4,

    /// <summary>An <c>at_most_once</c> function lost its process: it may or may not have done its work.</summary>
    Unknown = 5,
}

/// <summary>The words of the API for states and sources.</summary>
internal static class InvocationWords
{
    /// <summary>The state as the API says it.</summary>
    public static string Word(this InvocationState state) => state switch
    {
        InvocationState.Pending => "PENDING",
        InvocationState.Processing => "PROCESSING",
        InvocationState.Success => "SUCCESS",
        InvocationState.Failed => "FAILED",
        InvocationState.Cancelled => "CANCELLED",
        _ => "UNKNOWN",
    };

    /// <summary>The source as the API says it.</summary>
    public static string Word(this InvocationSource source) => source switch
    {
        InvocationSource.Api => "api",
        InvocationSource.Schedule => "schedule",
        _ => "rerun",
    };
}

/// <summary>How an attempt ended. The numbers are stored.</summary>
public enum AttemptOutcome
{
    /// <summary>Not ended.</summary>
    Running = 0,
    Success = 1,

    /// <summary>The code raised an error or exited.</summary>
    Error = 2,

    /// <summary>The process or its worker died or was killed from outside.</summary>
    WorkerLost = 3,

    /// <summary>The server died before it could know.</summary>
    ControllerLost = 4,

    /// <summary>A limit ended it; the reason names the limit.</summary>
    Limit = 5,
    Timeout = 6,
    Cancelled = 7,

    /// <summary>No sandbox could be started; the code never ran.</summary>
    StartFailed = 8,

    /// <summary>Its process was ended for another invocation that it ran as well (concurrency above 1): nobody's fault, so it counts for nothing.</summary>
    Displaced = 9,
}

/// <summary>What caused an invocation. The numbers are stored.</summary>
public enum InvocationSource
{
    Api = 0,
    Schedule = 1,
    Rerun = 2,
}

/// <summary>Bytes in or out: small ones inline, large ones as a blob.</summary>
/// <param name="Inline">The bytes, when there is no blob.</param>
/// <param name="Blob">Digest of the blob; null for inline bytes.</param>
/// <param name="Length">Bytes in either case.</param>
public readonly record struct Payload(ReadOnlyMemory<byte> Inline, string? Blob, long Length)
{
    /// <summary>Small bytes.</summary>
    public static Payload Of(ReadOnlyMemory<byte> bytes) => new(bytes, null, bytes.Length);
}

/// <summary>How an attempt ended, and why.</summary>
/// <param name="Error">JSON of the error as the function gave it, or null.</param>
public sealed record AttemptEnd(AttemptOutcome Outcome, string? Reason, string? Error)
{
    /// <summary>The code returned.</summary>
    public static readonly AttemptEnd Success = new(AttemptOutcome.Success, null, null);
}

/// <summary>What follows from the end of an attempt.</summary>
/// <param name="NextAt">When the next attempt may start, for <see cref="InvocationState.Pending"/>.</param>
/// <param name="Errors">Attempts that ended by the code's own fault so far.</param>
/// <param name="Deaths">Attempts that ended by a lost process so far.</param>
public sealed record Verdict(InvocationState State, DateTimeOffset? NextAt, string? Reason, int Errors, int Deaths)
{
    /// <summary>How long the next attempt waits, whatever the clock does meanwhile.</summary>
    public TimeSpan Wait { get; init; }
}

/// <summary>The rules that take an invocation from one attempt to the next state. Pure.</summary>
public static class Lifecycle
{
    /// <summary>Decides.</summary>
    /// <param name="errors">Errors before this attempt.</param>
    /// <param name="deaths">Lost processes before this attempt.</param>
    /// <param name="cancelRequested">Then nothing follows a failed attempt.</param>
    /// <param name="maxDeaths">This many lost processes end the invocation as failed ("dead-lettered").</param>
    /// <param name="jitter">0 to 1; spreads retries over the second half of their delay.</param>
    public static Verdict After(AttemptEnd end, FunctionSpec spec, int errors, int deaths, bool cancelRequested, int maxDeaths, DateTimeOffset now, double jitter)
    {
        Verdict Again(TimeSpan wait, int errorsNow, int deathsNow) => new(InvocationState.Pending, now + wait, end.Reason, errorsNow, deathsNow) { Wait = wait };
        switch (end.Outcome)
        {
            case AttemptOutcome.Success:
                return new(InvocationState.Success, null, null, errors, deaths);
            case AttemptOutcome.Cancelled:
            case not AttemptOutcome.Success when cancelRequested:
                return new(InvocationState.Cancelled, null, end.Reason ?? "cancelled", errors, deaths);
            case AttemptOutcome.WorkerLost or AttemptOutcome.ControllerLost or AttemptOutcome.Displaced when spec.AtMostOnce:
                return new(InvocationState.Unknown, null, $"{end.Reason}; the function is at_most_once, so it is not run again", errors, deaths + 1);
            case AttemptOutcome.Displaced:
                return Again(TimeSpan.Zero, errors, deaths);
            case AttemptOutcome.WorkerLost or AttemptOutcome.ControllerLost or AttemptOutcome.StartFailed:
                return deaths + 1 >= maxDeaths
                    ? new(InvocationState.Failed, null, $"dead-lettered after {deaths + 1} lost attempts; last: {end.Reason}", errors, deaths + 1)
                    : Again(DeathDelay(deaths), errors, deaths + 1);
            default:
                return errors >= spec.Retries.Max
                    ? new(InvocationState.Failed, null, end.Reason, errors + 1, deaths)
                    : Again(Delay(spec.Retries, errors, jitter), errors + 1, deaths);
        }
    }

    /// <summary>The wait before a retry: doubles from the first to the longest delay.</summary>
    public static TimeSpan Delay(RetryPolicy policy, int errors, double jitter)
    {
        var full = Math.Min(policy.LongestDelay.TotalMilliseconds, policy.FirstDelay.TotalMilliseconds * Math.Pow(2, Math.Min(errors, 40)));
        return TimeSpan.FromMilliseconds(full * (0.5 + jitter / 2));
    }

    /// <summary>No attempt of this function waits longer for its turn.</summary>
    public static TimeSpan LongestDelay(FunctionSpec spec) => spec.Retries.LongestDelay > DeathDelay(int.MaxValue) ? spec.Retries.LongestDelay : DeathDelay(int.MaxValue);

    // The first loss is restarted at once; one that keeps killing its process must not take the machine with it.
    private static TimeSpan DeathDelay(int deaths) => deaths == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(100 << Math.Min(deaths, 8));
}
