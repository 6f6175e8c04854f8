using Dure.Functions.Dispatch;

namespace Dure.Functions;

/// <summary>
/// An invocation that has not ended, as the server that looks after it holds it. The row is the truth; this is its working
/// copy. Changed only by the pool that owns it.
/// </summary>
public sealed class ActiveInvocation(long id, FunctionVersion version, string owner, DateTimeOffset createdAt, Payload payload)
{
    private readonly TaskCompletionSource<Finished> _finished = new();

    /// <summary>See <see cref="InvocationId"/>.</summary>
    public long Id => id;

    public FunctionVersion Version => version;

    /// <summary>Who asked, for fair queueing.</summary>
    public string Owner => owner;

    public DateTimeOffset CreatedAt => createdAt;

    public Payload Payload => payload;

    public InvocationSource Source { get; init; }

    public Durability Durability { get; init; }

    public string? IdempotencyKey { get; init; }

    /// <summary>SHA-256 of the request that came with the key; another request with the same key is refused.</summary>
    public byte[]? RequestHash { get; init; }

    public string? CallbackUrl { get; init; }

    public long? RerunOf { get; init; }

    /// <summary>The firing that caused it, Unix ms.</summary>
    public long? ScheduledFor { get; init; }

    /// <summary>Attempts recorded so far; also the fencing number of the present one.</summary>
    public int Attempt { get; set; }

    public int Errors { get; set; }

    public int Deaths { get; set; }

    /// <summary>An earlier attempt may have reached the code.</summary>
    public bool MayHaveRun { get; set; }

    public bool CancelRequested { get; set; }

    public InvocationState State { get; set; }

    public DateTimeOffset? StartedAt { get; set; }

    /// <summary>When it reached its final state; null before.</summary>
    public DateTimeOffset? FinishedAt { get; set; }

    /// <summary>Start of the present attempt, by <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long AttemptTimestamp { get; set; }

    /// <summary>Entry into the queue, by <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long QueuedTimestamp { get; set; }

    /// <summary>When the next attempt may start; null for at once.</summary>
    public DateTimeOffset? NextAt { get; set; }

    /// <summary>The sandbox of the present attempt; null before it is chosen.</summary>
    public string? Slot { get; set; }

    /// <summary>The present attempt waited for a process to start.</summary>
    public bool Cold { get; set; }

    /// <summary>This server itself sent the present attempt, so it has seen every piece of its result.</summary>
    public bool SeenStart { get; set; }

    /// <summary>A checkpoint folder is kept for it between attempts.</summary>
    public bool Checkpointed { get; set; }

    /// <summary>False while a relaxed call has no row yet: it gets one when it has ended.</summary>
    public bool Recorded { get; set; } = true;

    /// <summary>Ended attempts of a call that has no row yet; null for none.</summary>
    public List<UnrecordedAttempt>? Unrecorded { get; set; }

    /// <summary>The caller reads the result as it comes: programs whose output is the result need not be waited for.</summary>
    public bool WantsStream { get; init; }

    /// <summary>Why the server itself is ending the present attempt (timeout, cancel); null when it is not.</summary>
    public AttemptEnd? Ending { get; set; }

    /// <summary>Finished steps of earlier attempts by name, JSON values; null for none.</summary>
    public Dictionary<string, string>? Steps { get; set; }

    /// <summary>The log file; null until the first line.</summary>
    public LogFile? Log { get; set; }

    /// <summary>The pieces of a streamed result so far; null for one that came whole.</summary>
    public ResultSpool? Spool { get; set; }

    /// <summary>
    /// Completes after the final commit (relaxed: before it). Continuations run on the committing thread: they must be short.
    /// </summary>
    public Task<Finished> Completion => _finished.Task;

    /// <summary>Tells whoever waits.</summary>
    public void Complete(Finished finished)
    {
        Ended = finished;
        _finished.TrySetResult(finished);
    }

    /// <summary>How it ended; null while it has not.</summary>
    public Finished? Ended { get; private set; }
}

/// <summary>An attempt that ended before its invocation had a row.</summary>
public sealed record UnrecordedAttempt(int Attempt, string? Slot, bool Cold, DateTimeOffset StartedAt, DateTimeOffset FinishedAt, AttemptEnd End);

/// <summary>How an invocation ended.</summary>
/// <param name="Error">JSON of the function's error, or null.</param>
public sealed record Finished(InvocationState State, int Attempt, string? Reason, string? Error, Payload? Result);
