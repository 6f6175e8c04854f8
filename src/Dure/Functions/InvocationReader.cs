using System.Data.Common;
using System.Globalization;
using Dure.Functions.Api;
using Dure.Functions.Lists;
using Dure.Host.Data;

namespace Dure.Functions;

/// <summary>A stored payload or result.</summary>
/// <param name="Version">Id of the version that was called.</param>
public sealed record StoredPayload(InvocationState State, byte[]? Inline, string? Blob, long? Length, long Version);

/// <summary>How an invocation ended.</summary>
public sealed record ActivityRow(long Id, long Function, InvocationState State, DateTimeOffset StartedAt, DateTimeOffset FinishedAt);

/// <summary>Reads invocations for people and for restarts.</summary>
public sealed class InvocationReader(Database database, FunctionCatalog catalog)
{
    private const string Columns = """
        SELECT i.id, f.name, v.digest, i.state, i.owner, i.created_at, i.started_at, i.finished_at, i.attempt, i.may_have_run, i.durability, i.reason, i.error,
            i.source, i.rerun_of, i.idempotency_key, i.payload_bytes, i.result_bytes, i.log_bytes, i.next_at, i.cancel_requested, i.callback_url, i.scheduled_for, v.number
        FROM invocations i JOIN functions f ON f.id = i.function_id JOIN versions v ON v.id = i.version_id
        """;

    // The last one is told in the invocation's own row.
    private const string Attempts = """
        SELECT attempt, worker, slot, started_at, finished_at, outcome, reason, cold FROM attempts WHERE invocation_id = $1
        UNION ALL SELECT attempt, worker, slot, attempt_started_at, attempt_finished_at, outcome, attempt_reason, cold
        FROM invocations WHERE id = $1 AND attempt_started_at IS NOT NULL ORDER BY 1
        """;

    /// <summary>Newest first.</summary>
    public ValueTask<List<InvocationView>> ListAsync(InvocationFilter filter, CancellationToken cancel)
    {
        var query = new InvocationQuery(filter);
        // What is passed over is only counted: names are looked up for those that are shown.
        var sql = $"{Columns} WHERE i.id IN (SELECT i.id FROM invocations i {query.Where} ORDER BY i.id DESC LIMIT {Invariant(filter.Limit)} OFFSET {Invariant(filter.Offset)}) ORDER BY i.id DESC";
        return database.ReadAsync(s => s.QueryAsync(sql, Read, query.Values), cancel);
    }

    /// <summary>Those of the given ids that exist, oldest first, without attempts and steps.</summary>
    public ValueTask<List<InvocationView>> ManyAsync(IReadOnlyList<long> ids, CancellationToken cancel)
    {
        var places = string.Join(", ", Enumerable.Range(1, ids.Count).Select(n => "$" + n.ToString(CultureInfo.InvariantCulture)));
        return database.ReadAsync(s => s.QueryAsync($"{Columns} WHERE i.id IN ({places}) ORDER BY i.id", Read, [.. ids.Select(id => (object?)id)]), cancel);
    }

    /// <summary>One invocation with its attempts and steps; null when there is none.</summary>
    public ValueTask<InvocationView?> FindAsync(long id, CancellationToken cancel) => database.ReadAsync(async s =>
    {
        var view = await s.FirstAsync(Columns + " WHERE i.id = $1", Read, id);
        if (view is null)
            return null;
        var attempts = await s.QueryAsync(Attempts, ReadAttempt, id);
        var steps = await s.QueryAsync("SELECT name, attempt FROM steps WHERE invocation_id = $1 ORDER BY name", static r => new StepView(r.GetString(0), r.GetInt32(1)), id);
        return view with { Attempts = attempts, Steps = steps.Count == 0 ? null : steps };
    }, cancel);

    /// <summary>The stored result (or payload) and the state.</summary>
    public ValueTask<StoredPayload?> PayloadAsync(long id, bool result, CancellationToken cancel) => database.ReadAsync(s => s.FirstAsync(
        result ? "SELECT state, result, result_blob, result_bytes, version_id FROM invocations WHERE id = $1" : "SELECT state, payload, payload_blob, CASE WHEN payload IS NULL AND payload_blob IS NULL THEN NULL ELSE payload_bytes END, version_id FROM invocations WHERE id = $1",
        static r => new StoredPayload((InvocationState)r.GetInt32(0), r.IsDBNull(1) ? null : r.GetFieldValue<byte[]>(1), Text(r, 2), Number(r, 3), r.GetInt64(4)), id), cancel);

    /// <summary>How an ended invocation ended, with its result; null when it has not ended.</summary>
    public ValueTask<Finished?> FinishedAsync(long id, CancellationToken cancel) => database.ReadAsync(s => s.FirstAsync(
        "SELECT state, attempt, reason, error, result, result_blob, result_bytes FROM invocations WHERE id = $1 AND state > 1",
        static r => new Finished((InvocationState)r.GetInt32(0), r.GetInt32(1), Text(r, 2), Text(r, 3),
            r.IsDBNull(6) ? null : new Payload(r.IsDBNull(4) ? default : r.GetFieldValue<byte[]>(4), Text(r, 5), r.GetInt64(6))), id), cancel);

    /// <summary>Every invocation that has not ended, oldest first, as working copies.</summary>
    public async ValueTask<List<ActiveInvocation>> OpenAsync(CancellationToken cancel)
    {
        var open = await database.ReadAsync(s => s.QueryAsync("""
            SELECT id, version_id, owner, created_at, state, attempt, errors, deaths, may_have_run, cancel_requested, next_at, durability, source, callback_url,
                payload, payload_blob, payload_bytes, started_at FROM invocations WHERE state < 2 ORDER BY id
            """, ReadActive), cancel);
        return [.. open.OfType<ActiveInvocation>()];
    }

    /// <summary>Ended invocations between two ids, in order, a batch at a time.</summary>
    public ValueTask<List<ActivityRow>> EndsAsync(long after, long below, CancellationToken cancel) => database.ReadAsync(s => s.QueryAsync("""
        SELECT id, function_id, state, COALESCE(started_at, created_at), finished_at FROM invocations
        WHERE id > $1 AND id < $2 AND state > 1 AND finished_at IS NOT NULL ORDER BY id LIMIT 2000
        """, static r => new ActivityRow(r.GetInt64(0), r.GetInt64(1), (InvocationState)r.GetInt32(2), Time(r, 3)!.Value, Time(r, 4)!.Value), after, below), cancel);

    /// <summary>The newest invocation of each function that is in service.</summary>
    public async ValueTask<Dictionary<long, LastRunView>> LastRunsAsync(CancellationToken cancel)
    {
        // One step down the index (function_id, id) for each function, however many rows it has.
        var rows = await database.ReadAsync(static s => s.QueryAsync("""
            SELECT i.function_id, i.id, i.state, i.created_at, i.started_at, i.finished_at FROM invocations i
            WHERE i.id IN (SELECT (SELECT MAX(newest.id) FROM invocations newest WHERE newest.function_id = f.id) FROM functions f WHERE f.deleted_at IS NULL)
            """, static r => (Function: r.GetInt64(0), View: new LastRunView(InvocationId.Format(r.GetInt64(1)), ((InvocationState)r.GetInt32(2)).Word(), Time(r, 3)!.Value, Time(r, 4), Time(r, 5)))), cancel);
        return rows.ToDictionary(r => r.Function, r => r.View);
    }

    /// <summary>The highest id ever stored.</summary>
    public ValueTask<long> LastIdAsync(CancellationToken cancel) =>
        database.ReadAsync(static s => s.ScalarAsync<long>("SELECT COALESCE(MAX(id), 0) FROM invocations"), cancel);

    /// <summary>The version that an invocation is of, for headers; null when there is no such invocation or its version was removed.</summary>
    public async ValueTask<FunctionVersion?> VersionAsync(long id, CancellationToken cancel) =>
        catalog.Version(await database.ReadAsync(s => s.ScalarAsync<long>("SELECT COALESCE(MAX(version_id), 0) FROM invocations WHERE id = $1", id), cancel));

    /// <summary>What a row would say of a relaxed call that has none yet.</summary>
    public static InvocationView ViewOf(ActiveInvocation active)
    {
        var ended = active.Ended;
        var past = active.Unrecorded is { } attempts ? attempts.ToArray() : [];
        var list = past.Select(a => new AttemptView(a.Attempt, null, a.Slot, a.StartedAt, a.FinishedAt, FunctionMetrics.OutcomeName(a.End.Outcome), a.End.Reason,
            a.End.Outcome != AttemptOutcome.StartFailed, a.Cold)).ToList();
        if (active.State == InvocationState.Processing && past.All(a => a.Attempt != active.Attempt))
            list.Add(new AttemptView(active.Attempt, null, active.Slot, active.CreatedAt, null, FunctionMetrics.OutcomeName(AttemptOutcome.Running), null, true, active.Cold));
        var started = active.StartedAt ?? (list.Count > 0 ? list[0].StartedAt : null);
        var finished = ended is null ? null : active.FinishedAt ?? (past.Length == 0 ? null : past[^1].FinishedAt);
        return new InvocationView(InvocationId.Format(active.Id), active.Version.FunctionName, active.Version.Digest, (ended?.State ?? active.State).Word(),
            active.Owner, active.CreatedAt, started, finished, (finished - started)?.TotalMilliseconds, active.Attempt, active.MayHaveRun,
            active.Durability == Durability.Durable ? "durable" : "relaxed", ended?.Reason, ApiJson.ReadError(ended?.Error), active.Source.Word(),
            active.RerunOf is { } rerun ? InvocationId.Format(rerun) : null, active.IdempotencyKey, active.Payload.Length, ended?.Result?.Length, active.Log?.Length ?? 0, active.NextAt, active.CancelRequested, list,
            CallbackUrl: Address(active.CallbackUrl), VersionNumber: active.Version.Number);
    }

    private static string Invariant(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static InvocationView Read(DbDataReader r)
    {
        var started = Time(r, 6);
        var finished = Time(r, 7);
        return new InvocationView(InvocationId.Format(r.GetInt64(0)), r.GetString(1), r.GetString(2), ((InvocationState)r.GetInt32(3)).Word(), r.GetString(4),
            Time(r, 5)!.Value, started, finished, finished is null || started is null ? null : (finished - started).Value.TotalMilliseconds, r.GetInt32(8), r.GetInt64(9) != 0,
            r.GetInt32(10) == 0 ? "durable" : "relaxed", Text(r, 11), ApiJson.ReadError(Text(r, 12)), ((InvocationSource)r.GetInt32(13)).Word(),
            Number(r, 14) is { } rerun ? InvocationId.Format(rerun) : null, Text(r, 15), r.GetInt64(16), Number(r, 17), r.GetInt64(18), Time(r, 19), r.GetInt64(20) != 0,
            CallbackUrl: Address(Text(r, 21)), ScheduledFor: Time(r, 22), VersionNumber: r.GetInt32(23));
    }

    private static AttemptView ReadAttempt(DbDataReader r)
    {
        var outcome = (AttemptOutcome)r.GetInt32(5);
        return new AttemptView(r.GetInt32(0), Text(r, 1), Text(r, 2), Time(r, 3)!.Value, Time(r, 4), FunctionMetrics.OutcomeName(outcome), Text(r, 6),
            outcome != AttemptOutcome.StartFailed, r.GetInt64(7) != 0);
    }

    private ActiveInvocation? ReadActive(DbDataReader r)
    {
        if (catalog.Version(r.GetInt64(1)) is not { } version)
            return null;
        var payload = new Payload(r.IsDBNull(14) ? default : r.GetFieldValue<byte[]>(14), Text(r, 15), r.GetInt64(16));
        return new ActiveInvocation(r.GetInt64(0), version, r.GetString(2), Time(r, 3)!.Value, payload)
        {
            State = (InvocationState)r.GetInt32(4),
            Attempt = r.GetInt32(5),
            Errors = r.GetInt32(6),
            Deaths = r.GetInt32(7),
            MayHaveRun = r.GetInt64(8) != 0,
            CancelRequested = r.GetInt64(9) != 0,
            NextAt = Time(r, 10),
            Durability = (Durability)r.GetInt32(11),
            Source = (InvocationSource)r.GetInt32(12),
            CallbackUrl = Text(r, 13),
            StartedAt = Time(r, 17),
        };
    }

    // What follows the question mark may be a secret of whoever is called.
    private static string? Address(string? url) => url is null ? null : Uri.TryCreate(url, UriKind.Absolute, out var address) ? address.GetLeftPart(UriPartial.Path) : null;

    private static string? Text(DbDataReader r, int column) => r.IsDBNull(column) ? null : r.GetString(column);

    private static long? Number(DbDataReader r, int column) => r.IsDBNull(column) ? null : r.GetInt64(column);

    private static DateTimeOffset? Time(DbDataReader r, int column) => r.IsDBNull(column) ? null : DateTimeOffset.FromUnixTimeMilliseconds(r.GetInt64(column));
}
