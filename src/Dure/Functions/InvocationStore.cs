using Dure.Functions.Copies;
using Dure.Host.Data;
using Dure.Storage.Replication;

namespace Dure.Functions;

/// <summary>What became of an insert.</summary>
/// <param name="ExistingId">The invocation that already holds the idempotency key; 0 when this one was stored.</param>
/// <param name="SameRequest">Whether that one was asked for with the same request.</param>
public readonly record struct Inserted(long ExistingId, bool SameRequest);

/// <summary>
/// All SQL that moves invocations along. Every statement that ends or moves an attempt carries its fencing number, so a
/// server that was replaced or a process that was given up changes nothing.
/// </summary>
/// <param name="copies">What second providers get of results; null for none.</param>
public sealed class InvocationStore(Database database, TimeProvider time, FunctionCopies? copies = null)
{
    private const string Insert = """
        INSERT INTO invocations (id, function_id, version_id, state, attempt, owner, source, durability, created_at, started_at,
            idempotency_key, request_hash, callback_url, rerun_of, scheduled_for, payload_bytes, payload_blob, payload, worker, slot, epoch, cold, attempt_started_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $10)
        ON CONFLICT DO NOTHING
        """;

    // The last attempt is told in the invocation's own row, so that a commit writes one page less; earlier ones have rows of their own.
    private const string KeepAttempt = """
        INSERT INTO attempts (invocation_id, attempt, worker, slot, epoch, cold, started_at, finished_at, outcome, reason)
        SELECT id, attempt, worker, slot, epoch, cold, attempt_started_at, attempt_finished_at, outcome, attempt_reason
        FROM invocations WHERE id = $1 AND state = 0 AND attempt = $2 - 1 AND attempt_started_at IS NOT NULL
        """;

    private const string InsertAttempt = """
        INSERT INTO attempts (invocation_id, attempt, worker, slot, epoch, cold, started_at, finished_at, outcome, reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """;

    private const string Claim = """
        UPDATE invocations SET state = 1, attempt = $2, started_at = COALESCE(started_at, $3), next_at = NULL,
            worker = $4, slot = $5, epoch = $6, cold = $7, attempt_started_at = $3, attempt_finished_at = NULL, outcome = 0, attempt_reason = NULL
        WHERE id = $1 AND state = 0 AND attempt = $2 - 1
        """;

    private const string Finish = """
        UPDATE invocations SET state = $3, finished_at = $4, next_at = $5, errors = $6, deaths = $7, may_have_run = $8, reason = $9, error = $10,
            result_bytes = $11, result_blob = $12, result = $13, log_bytes = $14, attempt_finished_at = $15, outcome = $16, attempt_reason = $17, slot = $18
        WHERE id = $1 AND attempt = $2 AND state = 1
        """;

    private const string InsertOutbox =
        "INSERT INTO outbox (id, kind, invocation_id, target, body, next_at) VALUES ($1, 'callback', $1, $2, '', $3) ON CONFLICT DO NOTHING";

    private const string InsertFinished = """
        INSERT INTO invocations (id, function_id, version_id, state, attempt, owner, source, durability, created_at, started_at, finished_at,
            reason, error, payload_bytes, payload_blob, payload, result_bytes, result_blob, result, log_bytes,
            worker, slot, epoch, cold, attempt_started_at, attempt_finished_at, outcome, attempt_reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)
        """;

    /// <summary>Stores a new invocation, with its first attempt when <see cref="ActiveInvocation.Attempt"/> is already 1.</summary>
    /// <param name="inline">See <see cref="Database.WriteAsync"/>.</param>
    public ValueTask<Inserted> InsertAsync(ActiveInvocation invocation, string worker, long epoch, bool inline) => database.WriteAsync(async s =>
    {
#if DURE_BREAK_FSYNC
        SqliteDatabase.Late = true;
#endif
        var created = invocation.CreatedAt.ToUnixTimeMilliseconds();
        var running = invocation.Attempt > 0;
        var rows = await s.ExecuteAsync(Insert, invocation.Id, invocation.Version.FunctionId, invocation.Version.Id, running ? 1L : 0L,
            (long)invocation.Attempt, invocation.Owner, (long)invocation.Source, (long)invocation.Durability, created, running ? created : null,
            invocation.IdempotencyKey, invocation.RequestHash, invocation.CallbackUrl, invocation.RerunOf, invocation.ScheduledFor,
            invocation.Payload.Length, invocation.Payload.Blob, Bytes(invocation.Payload), running ? worker : null, running ? invocation.Slot : null,
            running ? epoch : null, running && invocation.Cold);
        return rows == 0 ? await ExistingAsync(s, invocation) : default;
    }, inline);

    /// <summary>Records the next attempt of a waiting invocation.</summary>
    /// <returns>False when it is no longer waiting (cancelled, claimed by another).</returns>
    public ValueTask<bool> ClaimAsync(ActiveInvocation invocation, int attempt, string worker, long epoch) => database.WriteAsync(async s =>
    {
        var now = Now();
        if (attempt > 1)
            await s.ExecuteAsync(KeepAttempt, invocation.Id, (long)attempt);
        return await s.ExecuteAsync(Claim, invocation.Id, (long)attempt, now, worker, invocation.Slot, epoch, invocation.Cold) > 0;
    });

    /// <summary>Ends an attempt and moves the invocation on; a final state also puts its callback into the outbox, in the same commit.</summary>
    /// <param name="confirmed">Providers of mode both have the result already.</param>
    /// <returns>False when the attempt was fenced off: nothing was changed and the result must be dropped.</returns>
    public ValueTask<bool> FinishAsync(ActiveInvocation invocation, AttemptEnd end, Verdict verdict, Payload? result, DateTimeOffset at, bool inline, bool confirmed = false)
    {
        var now = at.ToUnixTimeMilliseconds();
        var attempt = invocation.Attempt;
        var slot = invocation.Slot;
        var logBytes = invocation.Log?.Length ?? 0;
        var mayHaveRun = invocation.MayHaveRun;
        var outbox = CopiesOf(invocation, verdict, result, at, confirmed);
        return database.WriteAsync(async s =>
        {
            var final = verdict.State > InvocationState.Processing;
            var rows = await s.ExecuteAsync(Finish, invocation.Id, (long)attempt, (long)verdict.State, final ? now : null,
                verdict.NextAt?.ToUnixTimeMilliseconds(), (long)verdict.Errors, (long)verdict.Deaths, mayHaveRun, verdict.Reason,
                final ? end.Error : null, result?.Length, result?.Blob, result is { } r ? Bytes(r) : null, logBytes,
                now, (long)end.Outcome, end.Reason, slot);
            if (rows == 0)
                return false;
            if (final && invocation.CallbackUrl is { } url)
                await s.ExecuteAsync(InsertOutbox, invocation.Id, url, now);
            if (outbox is not null)
                await FunctionCopies.AddAsync(s, outbox, now);
            return true;
        }, inline);
    }

    /// <summary>Records a relaxed synchronous call after the fact: the row and its one attempt together.</summary>
    public ValueTask<int> RecordAsync(ActiveInvocation invocation, AttemptEnd end, Verdict verdict, Payload? result, string worker, long epoch)
    {
        var at = time.GetUtcNow();
        var finished = at.ToUnixTimeMilliseconds();
        var outbox = CopiesOf(invocation, verdict, result, at, confirmed: false);
        var logBytes = invocation.Log?.Length ?? 0;
        var last = invocation.Unrecorded![^1];
        return database.WriteAsync(async s =>
        {
            var created = invocation.CreatedAt.ToUnixTimeMilliseconds();
            var rows = await s.ExecuteAsync(InsertFinished, invocation.Id, invocation.Version.FunctionId, invocation.Version.Id, (long)verdict.State,
                (long)invocation.Attempt, invocation.Owner, (long)invocation.Source, (long)invocation.Durability, created, created, finished,
                verdict.Reason, end.Error, invocation.Payload.Length, invocation.Payload.Blob, Bytes(invocation.Payload), result?.Length,
                result?.Blob, result is { } r ? Bytes(r) : null, logBytes, worker, last.Slot, epoch, last.Cold, last.StartedAt.ToUnixTimeMilliseconds(),
                last.FinishedAt.ToUnixTimeMilliseconds(), (long)last.End.Outcome, last.End.Reason);
            foreach (var attempt in invocation.Unrecorded.SkipLast(1))
            {
                await s.ExecuteAsync(InsertAttempt, invocation.Id, (long)attempt.Attempt, worker, attempt.Slot, epoch, attempt.Cold, attempt.StartedAt.ToUnixTimeMilliseconds(),
                    attempt.FinishedAt.ToUnixTimeMilliseconds(), (long)attempt.End.Outcome, attempt.End.Reason);
            }
            if (outbox is not null)
                await FunctionCopies.AddAsync(s, outbox, finished);
            return rows;
        });
    }

    /// <summary>Says why an attempt that is over has not ended yet.</summary>
    public ValueTask<int> ExplainAsync(long id, int attempt, string reason) => database.WriteAsync(s =>
        s.ExecuteAsync("UPDATE invocations SET reason = $3 WHERE id = $1 AND attempt = $2 AND state = 1", id, (long)attempt, reason));

    /// <summary>Cancels an invocation that waits; a running one is marked so that a restart remembers.</summary>
    /// <returns>True when it was waiting and is now cancelled.</returns>
    public ValueTask<bool> CancelAsync(long id, string reason) => database.WriteAsync(async s =>
    {
        var cancelled = await s.ExecuteAsync("UPDATE invocations SET state = 4, finished_at = $2, reason = $3, next_at = NULL WHERE id = $1 AND state = 0", id, Now(), reason);
        if (cancelled == 0)
            await s.ExecuteAsync("UPDATE invocations SET cancel_requested = 1 WHERE id = $1 AND state = 1", id);
        else
            await s.ExecuteAsync("INSERT INTO outbox (id, kind, invocation_id, target, body, next_at) SELECT id, 'callback', id, callback_url, '', $2 FROM invocations WHERE id = $1 AND callback_url IS NOT NULL ON CONFLICT DO NOTHING", id, Now());
        return cancelled > 0;
    });

    /// <summary>Journals a finished step; the first value of a name stays.</summary>
    public ValueTask<int> StepAsync(long id, int attempt, string name, string value) => database.WriteAsync(s =>
        s.ExecuteAsync("INSERT INTO steps (invocation_id, name, attempt, value) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", id, name, (long)attempt, value));

    /// <summary>Finished steps by name.</summary>
    public ValueTask<List<(string Name, int Attempt, string Value)>> StepsAsync(long id, CancellationToken cancel) => database.ReadAsync(s =>
        s.QueryAsync("SELECT name, attempt, value FROM steps WHERE invocation_id = $1 ORDER BY name",
            static r => (r.GetString(0), r.GetInt32(1), r.GetString(2)), id), cancel);

    /// <summary>Takes the controller's lease: a new epoch, above every earlier one.</summary>
    public ValueTask<long> TakeLeaseAsync(string name, string holder) => database.WriteAsync(async s =>
    {
        await s.ExecuteAsync("INSERT INTO leases (name, holder, epoch, renewed_at) VALUES ($1, $2, 0, $3) ON CONFLICT DO NOTHING", name, holder, Now());
        await s.ExecuteAsync("UPDATE leases SET holder = $2, epoch = epoch + 1, renewed_at = $3 WHERE name = $1", name, holder, Now());
        return await s.ScalarAsync<long>("SELECT epoch FROM leases WHERE name = $1", name);
    });

    private static async ValueTask<Inserted> ExistingAsync(DbSession s, ActiveInvocation invocation) =>
        await s.FirstAsync("SELECT id, request_hash FROM invocations WHERE function_id = $1 AND idempotency_key = $2",
            r => new Inserted(r.GetInt64(0), r.GetFieldValue<byte[]>(1).AsSpan().SequenceEqual(invocation.RequestHash)),
            invocation.Version.FunctionId, invocation.IdempotencyKey);

    // Made once, before the transaction, which may run more than once.
    private IReadOnlyList<OutboxEntry>? CopiesOf(ActiveInvocation invocation, Verdict verdict, Payload? result, DateTimeOffset at, bool confirmed) =>
        copies is not null && verdict.State == InvocationState.Success && result is { } kept ? copies.OfResult(invocation, kept, at, confirmed) : null;

    private static object? Bytes(Payload payload) => payload.Blob is null ? payload.Inline : null;

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
