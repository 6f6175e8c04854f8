using System.Collections.Concurrent;
using Dure.Functions.Copies;
using Dure.Host;
using Dure.Host.Files;
using Dure.Host.Live;
using Dure.Storage;

namespace Dure.Functions.Dispatch;

/// <summary>Folders and limits that invocations need on this machine.</summary>
/// <param name="Checkpoints">Checkpoint folders of invocations between attempts.</param>
/// <param name="Spool">Streamed results in the making.</param>
/// <param name="ResultLimitBytes">Largest result.</param>
/// <param name="SpoolAboveBytes">Results above this go to blobs.</param>
/// <param name="MaxDeaths">See <see cref="Lifecycle.After"/>.</param>
public sealed record DispatchOptions(string Checkpoints, string Spool, long ResultLimitBytes, int SpoolAboveBytes, int MaxDeaths);

/// <summary>Sends attempts to processes and brings their ends to the database, the callers and the log.</summary>
internal sealed partial class Finisher(InvocationStore store, IBlobs blobs, LogBook logs, ILive live, FunctionMetrics metrics, DispatchOptions options, TimeProvider time)
{
    private const int BehindLimit = 4096;
    private const int RecordTries = 50;
    private static readonly TimeSpan RecordAgainAfter = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<long, LogFile> _logs = new();
    private readonly ConcurrentQueue<ActiveInvocation> _begun = [];
    private int _behind;

    /// <summary>Who records and retries; set once by the dispatcher that owns this.</summary>
    public Dispatcher Dispatcher { get; set; } = null!;

    /// <summary>What second providers get of results; null for none.</summary>
    public FunctionCopies? Copies { get; init; }

    /// <summary>Counts ends over the last day.</summary>
    public FunctionActivity? Activity { get; init; }

    /// <summary>The server stops: a success that waits for its copy is left to the next one.</summary>
    public CancellationToken Stopping { get; init; }

    /// <summary>The log of an invocation, opened at its first line.</summary>
    public LogFile LogOf(ActiveInvocation invocation) => invocation.Log ??=
        _logs.GetOrAdd(invocation.Id, static (id, x) => x.logs.Open(id, x.function), (logs, function: invocation.Version.FunctionName));

    /// <summary>The log while it is open in this process, for exact lengths.</summary>
    public LogFile? OpenLog(long invocation) => _logs.GetValueOrDefault(invocation);

    /// <summary>The pieces of a streamed result.</summary>
    public ResultSpool SpoolOf(ActiveInvocation invocation) => invocation.Spool ??=
        new ResultSpool(Path.Combine(options.Spool, InvocationId.Format(invocation.Id)), options.SpoolAboveBytes, options.ResultLimitBytes);

    /// <summary>The code returned.</summary>
    /// <param name="alone">No other work waits for this process, so the commit may run on this thread.</param>
    public void Succeed(Pool pool, FunctionProcess process, ActiveInvocation invocation, ResultFlags flags, byte[] payload, bool alone)
    {
        if (flags == ResultFlags.None && invocation.Payload.Blob is null && invocation.Steps is null && payload.Length <= options.SpoolAboveBytes)
            _ = EndAsync(pool, process, invocation, AttemptEnd.Success, Payload.Of(payload), alone);
        else
            _ = OnPool.RunAsync(() => SucceedLargeAsync(pool, process, invocation, flags, payload));
    }

    /// <summary>An attempt ended otherwise.</summary>
    public void End(Pool pool, FunctionProcess? process, ActiveInvocation invocation, AttemptEnd end)
    {
        if (process is not null)
            KeepCheckpoint(process.IoFolder, invocation);
        _ = EndAsync(pool, process, invocation, end, null, alone: false);
    }

    /// <summary>Journals a step, then lets the function go on.</summary>
    public async Task StepAsync(FunctionProcess process, FrameKey key, uint sequence, string name, string value)
    {
        try
        {
            await store.StepAsync(key.Invocation, key.Attempt, name, value);
        }
        catch (System.Data.Common.DbException error)
        {
            // The function waits for its acknowledgement as long as it takes.
            metrics.CommitFailed();
            Dispatcher.RetryEnd(() => StepAsync(process, key, sequence, name, value), error);
            return;
        }
        process.AcknowledgeStep(key, sequence);
    }

    /// <summary>Tells followers that a state changed.</summary>
    /// <param name="lend">See <see cref="ILive.Publish"/>.</param>
    public void Announce(ActiveInvocation invocation, bool lend = false)
    {
        var id = InvocationId.Format(invocation.Id);
        live.Publish(InvocationEvents.Channel(id), InvocationEvents.State);
        live.Publish(InvocationEvents.All, id);
        live.Publish(InvocationEvents.FunctionChannel(invocation.Version.FunctionName), id, lend);
    }

    /// <summary>Tells those who watch the machine that something of it has changed.</summary>
    public void AnnounceWorkers() => live.Publish(InvocationEvents.Workers, "");

    /// <summary>Tells followers, at the next tick, that an attempt runs, if it still does: of a short call they hear only how it ended.</summary>
    public void AnnounceBegun(ActiveInvocation invocation) => _begun.Enqueue(invocation);

    /// <summary>Tells what <see cref="AnnounceBegun"/> put off.</summary>
    public void Tick()
    {
        for (var n = _begun.Count; n > 0 && _begun.TryDequeue(out var invocation); n--)
        {
            if (invocation.State == InvocationState.Processing)
                Announce(invocation);
        }
    }

    private async Task SucceedLargeAsync(Pool pool, FunctionProcess process, ActiveInvocation invocation, ResultFlags flags, byte[] payload)
    {
        Outcome<Payload> result;
        try
        {
            result = await TakeLargeAsync(process, invocation, flags, payload);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            result = FunctionErrors.BadResultPath.With("the result could not be kept: " + error.Message);
        }
        var end = result.Ok ? AttemptEnd.Success
            : result.Problem.Kind == FunctionErrors.StreamCut ? new AttemptEnd(AttemptOutcome.ControllerLost, result.Problem.Detail, null)
            : new AttemptEnd(AttemptOutcome.Limit, result.Problem.Detail, null);
        invocation.Checkpointed |= flags.HasFlag(ResultFlags.Checkpoint);
        KeepCheckpoint(process.IoFolder, invocation);
        await EndAsync(pool, process, invocation, end, result.Ok ? result.Value : null, alone: false);
    }

    private async ValueTask<Outcome<Payload>> TakeLargeAsync(FunctionProcess process, ActiveInvocation invocation, ResultFlags flags, byte[] payload)
    {
        Outcome<Payload> result = Payload.Of(payload);
        if (flags.HasFlag(ResultFlags.Streamed))
            result = await TakeSpoolAsync(invocation, process);
        else if (flags.HasFlag(ResultFlags.File))
            result = await TakeOutputAsync(process, invocation, System.Text.Encoding.UTF8.GetString(payload));
        else if (payload.Length > options.SpoolAboveBytes)
            result = ToPayload(await blobs.PutAsync(new MemoryStream(payload), options.ResultLimitBytes, CancellationToken.None));
        if (invocation.Payload.Blob is not null)
            File.Delete(InFile(process, invocation));
        if (invocation.Steps is not null)
            File.Delete(InFile(process, invocation) + MetaEnding);
        return result;
    }

    private async ValueTask<Outcome<Payload>> TakeSpoolAsync(ActiveInvocation invocation, FunctionProcess process)
    {
        if (invocation.Spool is not { } spool)
        {
            // An empty stream, or one whose pieces went to a server that is gone.
            return process.Adopted && !invocation.SeenStart
                ? FunctionErrors.StreamCut.With("the server was replaced while the result was being streamed")
                : Payload.Of(ReadOnlyMemory<byte>.Empty);
        }
        spool.End();
        if (spool.Fault is { } fault)
            return FunctionErrors.BadResultPath.With(fault);
        if (spool.FilePath is not { } file)
            return Payload.Of(spool.Memory);
        return await TakeFileAsync(file);
    }

    private async ValueTask<Outcome<Payload>> TakeFileAsync(string path) =>
        ToPayload(await blobs.TakeFileAsync(path, options.ResultLimitBytes, CancellationToken.None));

    // The sandbox names the file; it must be one of its own results and nothing that a link leads to.
    private async ValueTask<Outcome<Payload>> TakeOutputAsync(FunctionProcess process, ActiveInvocation invocation, string path)
    {
        const string Out = "/dure/io/out/";
        var name = path.StartsWith(Out, StringComparison.Ordinal) ? path[Out.Length..] : "";
        var taken = Path.Combine(options.Spool, "out-" + InvocationId.Format(invocation.Id));
        Directory.CreateDirectory(options.Spool);
        var plain = name.Length > 0 && !name.Contains('/', StringComparison.Ordinal) && name is not ("." or "..");
        if (!plain || !SandboxFolder.MoveOut(process.IoFolder, "out", name, taken))
            return FunctionErrors.BadResultPath.With($"there is no result file {path}");
        try
        {
            if (FileFacts.Of(taken) is not { Regular: true })
                return FunctionErrors.BadResultPath.With($"{path} is not a regular file");
            // Copied, not moved: the code may still hold the file open and write to it after it was hashed.
            await using var file = new FileStream(taken, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0, useAsync: true);
            return ToPayload(await blobs.PutAsync(file, options.ResultLimitBytes, CancellationToken.None));
        }
        finally
        {
            File.Delete(taken);
        }
    }

    private static Outcome<Payload> ToPayload(Outcome<BlobInfo> blob) =>
        blob.Ok ? new Payload(default, blob.Value.Digest, blob.Value.Length) : blob.Problem;

    private async Task EndAsync(Pool pool, FunctionProcess? process, ActiveInvocation invocation, AttemptEnd end, Payload? result, bool alone)
    {
        var now = EndOf(invocation);
        invocation.Log?.CloseAttempt(now.ToUnixTimeMilliseconds());
        var verdict = Lifecycle.After(end, invocation.Version.Spec, invocation.Errors, invocation.Deaths, invocation.CancelRequested, options.MaxDeaths, now, Random.Shared.NextDouble());
        var key = new FrameKey(invocation.Id, invocation.Attempt);
        if (!invocation.Recorded)
        {
            await EndUnrecordedAsync(pool, process, invocation, end, verdict, result, key);
            return;
        }
        bool done;
        var confirm = Copies is { Both: true } && verdict.State == InvocationState.Success && result is not null;
        try
        {
            if (confirm)
            {
                if (!await ConfirmAsync(invocation, result!.Value, now))
                    return;
                // It has ended now, not when it began to wait: who reads on from a moment must not pass it over.
                now = EndOf(invocation);
            }
            done = await store.FinishAsync(invocation, end, verdict, result, now, alone && !confirm, confirm);
        }
        catch (System.Data.Common.DbException error)
        {
            // The row stays PROCESSING and the function keeps its result: nothing is lost, the next try or server takes it up.
            metrics.CommitFailed();
            Dispatcher.RetryEnd(() => EndAsync(pool, process, invocation, end, result, alone: false), error);
            return;
        }
        process?.Acknowledge(key);
        Copies?.Wake();
        if (done)
            MoveOn(invocation, end, verdict, result, now, lend: alone);
        else
            await Dispatcher.FencedAsync(invocation);
    }

    // A success of mode both counts only with the copy. Until then the function keeps its result, for this server or the next one.
    private async Task<bool> ConfirmAsync(ActiveInvocation invocation, Payload result, DateTimeOffset at)
    {
        try
        {
            await Copies!.ConfirmAsync(invocation, result, at, async provider =>
            {
                await store.ExplainAsync(invocation.Id, invocation.Attempt, $"waiting for copy at {provider}");
                Announce(invocation);
            }, Stopping);
            return true;
        }
        catch (OperationCanceledException) when (Stopping.IsCancellationRequested)
        {
            return false;
        }
    }

    // A clock that jumped back while it ran must not let it end before it began.
    private DateTimeOffset EndOf(ActiveInvocation invocation)
    {
        var now = time.GetUtcNow();
        return invocation.StartedAt is { } started && now < started ? started + time.GetElapsedTime(invocation.AttemptTimestamp) : now;
    }

    private async Task EndUnrecordedAsync(Pool pool, FunctionProcess? process, ActiveInvocation invocation, AttemptEnd end, Verdict verdict, Payload? result, FrameKey key)
    {
        process?.Acknowledge(key);
        var now = time.GetUtcNow();
        (invocation.Unrecorded ??= []).Add(new UnrecordedAttempt(invocation.Attempt, invocation.Slot, invocation.Cold, now - time.GetElapsedTime(invocation.AttemptTimestamp), now, end));
        if (verdict.State == InvocationState.Pending)
        {
            MoveOn(invocation, end, verdict, result, now, lend: false);
            return;
        }
        // Recording falls behind the answers, but never without bound.
        var wait = Interlocked.Increment(ref _behind) > BehindLimit;
        var record = RecordAsync(invocation, end, verdict, result);
        if (wait)
            await record;
        // It stays known here until it can be read from the database.
        Count(invocation, end, verdict);
        Conclude(invocation, end, verdict, result);
        await record;
        Interlocked.Decrement(ref _behind);
        Forget(invocation);
        Announce(invocation);
    }

    private async Task RecordAsync(ActiveInvocation invocation, AttemptEnd end, Verdict verdict, Payload? result)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                await store.RecordAsync(invocation, end, verdict, result, Dispatcher.Worker, Dispatcher.Epoch);
                return;
            }
            catch (System.Data.Common.DbException error)
            {
                metrics.CommitFailed();
                if (tries == RecordTries)
                {
                    Dispatcher.LogForgotten(invocation.Id, error.Message);
                    return;
                }
            }
            await Task.Delay(RecordAgainAfter, time);
        }
    }

    private void MoveOn(ActiveInvocation invocation, AttemptEnd end, Verdict verdict, Payload? result, DateTimeOffset now, bool lend)
    {
        var final = verdict.State != InvocationState.Pending;
        if (final)
        {
            invocation.FinishedAt = now;
            Forget(invocation);
        }
        else
            Count(invocation, end, verdict);
        Conclude(invocation, end, verdict, result);
        Announce(invocation, lend);
        // Nobody waits for the figures, but one that goes on is soon another attempt.
        if (final)
            Count(invocation, end, verdict);
    }

    private void Count(ActiveInvocation invocation, AttemptEnd end, Verdict verdict) =>
        metrics.AttemptEnded(invocation, end, verdict, time.GetElapsedTime(invocation.AttemptTimestamp));

    private void Conclude(ActiveInvocation invocation, AttemptEnd end, Verdict verdict, Payload? result)
    {
        invocation.State = verdict.State;
        (invocation.Errors, invocation.Deaths, invocation.NextAt) = (verdict.Errors, verdict.Deaths, verdict.NextAt);
        invocation.Ending = null;
        if (verdict.State == InvocationState.Pending)
        {
            invocation.Slot = null;
            Dispatcher.Resubmit(invocation, verdict.Wait);
            return;
        }
        Activity?.Ended(invocation, verdict.State);
        invocation.Spool?.Dispose();
        invocation.Complete(new Finished(verdict.State, invocation.Attempt, verdict.Reason, end.Error, result));
    }

    private void Forget(ActiveInvocation invocation)
    {
        Dispatcher.Ended(invocation);
        if (invocation.Log is not null)
            _logs.TryRemove(invocation.Id, out _);
        if (invocation.Attempt > 1 || invocation.Checkpointed)
            Remove(Path.Combine(options.Checkpoints, InvocationId.Format(invocation.Id)));
    }

    /// <summary>Takes an attempt's checkpoint out of its sandbox, for the next attempt.</summary>
    public void KeepCheckpoint(string ioFolder, ActiveInvocation invocation)
    {
        if (!SandboxFolder.Has(ioFolder, "ck", CheckpointName(invocation)))
            return;
        var kept = Path.Combine(options.Checkpoints, InvocationId.Format(invocation.Id));
        invocation.Checkpointed = true;
        try
        {
            Remove(kept);
            Directory.CreateDirectory(options.Checkpoints);
            SandboxFolder.MoveOut(ioFolder, "ck", CheckpointName(invocation), kept);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A full disk costs the checkpoint, never the end of the attempt.
            LogOf(invocation).Append(invocation.Attempt, LogStream.System, time.GetUtcNow().ToUnixTimeMilliseconds(), "the checkpoint folder could not be kept: " + error.Message);
        }
    }

    private static void Remove(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The code made it unreadable; retention looks at what is left. The end of the invocation must not hang on it.
        }
    }

    private static string CheckpointName(ActiveInvocation invocation) => invocation.Id.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string InFile(FunctionProcess process, ActiveInvocation invocation) =>
        Path.Combine(Path.GetDirectoryName(process.IoFolder)!, "in", InvocationId.Format(invocation.Id));
}
