using System.Text;
using System.Text.Json;

namespace Dure.Functions.Dispatch;

/// <content>What processes and the worker report.</content>
internal sealed partial class Pool
{
    /// <summary>The body of ASSIGN for a pre-started process.</summary>
    public ReadOnlyMemory<byte> AssignBody() => dispatcher.AssignBody(version);

    /// <summary>A sandbox exists; talk to it.</summary>
    public FunctionProcess Attach(string slot, string ioFolder, bool generic, bool adopted, CancellationToken cancel)
    {
        var process = new FunctionProcess(this, slot, ioFolder, generic) { Adopted = adopted, IdleSince = time.GetTimestamp(), AttachedAt = time.GetTimestamp() };
        lock (_gate)
            _processes.Add(process);
        process.Closed = Task.Run(() => process.RunAsync(cancel), cancel);
        return process;
    }

    /// <summary>No sandbox could be started; what waited for it alone fails.</summary>
    /// <param name="withWorker">It went with its worker, which says nothing about how the next start will go: no start is put off for it.</param>
    public void OnStartFailed(AttemptEnd end, bool withWorker = false)
    {
        List<ActiveInvocation> stranded = [];
        lock (_gate)
        {
            _starting--;
            if (!withWorker)
            {
                _startFailures++;
                _startFailedAt = time.GetTimestamp();
            }
            if (NobodyComes())
                stranded = TakeReady();
        }
        foreach (var invocation in stranded)
            finisher.End(this, null, invocation, end);
        Pump();
    }

    /// <summary>A process says what it holds.</summary>
    /// <param name="finished">Ended while no server was there: their results follow and must be found here, not taken for lost.</param>
    public void OnReady(FunctionProcess process, List<FrameKey> running, List<FrameKey> finished)
    {
        List<ActiveInvocation> send = [];
        var cancelled = false;
        lock (_gate)
        {
            // Its last words may be read after its end was reported.
            if (process.Ready || !_processes.Contains(process))
                return;
            process.Ready = true;
            _startFailures = 0;
            process.IdleSince = time.GetTimestamp();
            if (!process.Adopted)
                _starting--;
            foreach (var key in running)
            {
                if (dispatcher.Adopt(key, version) is not { } invocation)
                {
                    process.Closing = true;
                    continue;
                }
                Assign(process, invocation);
                if (!invocation.CancelRequested)
                    continue;
                invocation.Ending = new AttemptEnd(AttemptOutcome.Cancelled, "cancelled before the server was replaced", null);
                process.Closing = cancelled = true;
            }
            foreach (var key in finished)
            {
                if (dispatcher.Adopt(key, version) is { } invocation)
                    Assign(process, invocation);
            }
            while (!process.Closing && process.Running.Count < version.Spec.Concurrency && _ready.TryDequeue(out var next))
            {
                Assign(process, next);
                send.Add(next);
            }
        }
        foreach (var invocation in send)
            finisher.Send(process, invocation);
        if (process.Closing)
            dispatcher.Stop(process, cancelled ? TimeSpan.FromSeconds(5) : TimeSpan.Zero);
        dispatcher.Answered(process.Slot);
        Pump();
    }

    /// <summary>A pre-started process of a former server that has not been told what it is for.</summary>
    public void OnUnassigned(FunctionProcess process)
    {
        lock (_gate)
            process.Closing = true;
        dispatcher.Stop(process, TimeSpan.Zero);
        dispatcher.Answered(process.Slot);
    }

    public void OnResult(FunctionProcess process, FrameKey key, ResultFlags flags, byte[] payload)
    {
        if (Take(process, key, out var next) is not { } invocation)
            return;
        if (next is not null)
            finisher.Send(process, next);
        finisher.Succeed(this, process, invocation, flags, payload, alone: next is null);
    }

    public void OnError(FunctionProcess process, FrameKey key, ResultFlags flags, string error)
    {
        if (Take(process, key, out var next) is not { } invocation)
            return;
        if (next is not null)
            finisher.Send(process, next);
        // Told to end for another's sake, the code may still answer, with an error that is not its own.
        finisher.End(this, process, invocation, invocation.Ending ?? Displaced(process) ?? new AttemptEnd(AttemptOutcome.Error, Summary(error), error));
    }

    public void OnChunk(FunctionProcess process, FrameKey key, ReadOnlySpan<byte> piece)
    {
        if (Find(process, key) is { } invocation)
            finisher.SpoolOf(invocation).Append(piece);
    }

    public void OnLog(FunctionProcess process, FrameKey key, LogStream stream, long timestamp, string text)
    {
        if (Find(process, key) is { } invocation)
            finisher.LogOf(invocation).Append(key.Attempt, stream, timestamp, text);
    }

    /// <summary>Lines written past the shim, straight to the descriptors: they belong to whatever runs.</summary>
    public void OnRawLog(FunctionProcess process, LogStream stream, long timestamp, string text)
    {
        ActiveInvocation? invocation;
        lock (_gate)
            invocation = process.Running.Values.FirstOrDefault() ?? process.Last;
        if (invocation is not null)
            finisher.LogOf(invocation).Append(invocation.Attempt, stream, timestamp, text);
        else
            process.Unclaimed.Append(text).Append('\n');
    }

    public void OnStep(FunctionProcess process, FrameKey key, uint sequence, string name, string value)
    {
        if (Find(process, key) is not null)
            _ = finisher.StepAsync(process, key, sequence, name, value);
    }

    /// <summary>The code could not be loaded: whatever waited for this process fails with its error.</summary>
    public void OnInitError(FunctionProcess process, string error)
    {
        List<ActiveInvocation> stranded;
        lock (_gate)
        {
            process.Closing = true;
            if (!process.Ready && !process.Adopted && _processes.Contains(process))
            {
                process.Ready = true;
                _starting--;
            }
            stranded = NobodyComes() ? TakeReady() : [];
        }
        foreach (var invocation in stranded)
        {
            if (process.Unclaimed.Length > 0)
                finisher.LogOf(invocation).Append(invocation.Attempt, LogStream.Error, time.GetUtcNow().ToUnixTimeMilliseconds(), process.Unclaimed.ToString().TrimEnd('\n'));
            finisher.End(this, null, invocation, new AttemptEnd(AttemptOutcome.Error, "the code could not be loaded: " + Summary(error), error));
        }
        dispatcher.Stop(process, TimeSpan.FromSeconds(1));
    }

    /// <summary>The process does not speak the protocol: it is ended.</summary>
    public void OnGarbage(FunctionProcess process, string why)
    {
        lock (_gate)
        {
            process.Closing = true;
            foreach (var invocation in process.Running.Values)
                invocation.Ending ??= new AttemptEnd(AttemptOutcome.Error, "the process broke the function protocol: " + why, null);
        }
        dispatcher.Stop(process, TimeSpan.Zero);
    }

    /// <summary>The connection ended although this server goes on: nothing more can be heard, so the process must not linger with its work.</summary>
    public void OnDisconnected(FunctionProcess process)
    {
        lock (_gate)
            process.Closing = true;
        _ = EndLingeringAsync(process);
    }

    // Most often the process has died, and how is the worker's to say: asking at once for its end would hide that.
    private async Task EndLingeringAsync(FunctionProcess process)
    {
        await Task.Delay(LingerMost, time);
        bool lingers;
        lock (_gate)
            lingers = _processes.Contains(process);
        if (lingers)
            dispatcher.Stop(process, TimeSpan.Zero);
    }

    /// <summary>Every process of the sandbox is gone; its work has ended with it.</summary>
    public void OnExited(FunctionProcess process, AttemptEnd end)
    {
        List<ActiveInvocation> lost;
        List<ActiveInvocation> stranded = [];
        lock (_gate)
        {
            process.Closing = true;
            if (!_processes.Remove(process))
                return;
            if (!process.Ready && !process.Adopted)
            {
                _starting--;
                if (NobodyComes())
                    stranded = TakeReady();
            }
            lost = [.. process.Running.Values];
            if (end.Outcome == AttemptOutcome.WorkerLost && lost.Count > 0)
                _toReplace++;
            process.Running.Clear();
            foreach (var invocation in lost)
                Left(invocation);
        }
        process.Dispose();
        foreach (var invocation in lost)
        {
            invocation.MayHaveRun = true;
            finisher.End(this, process, invocation, invocation.Ending ?? Displaced(process) ?? end);
        }
        var early = end.Outcome == AttemptOutcome.WorkerLost ? end : end with { Outcome = AttemptOutcome.Error, Reason = $"the process ended before it was ready: {end.Reason}" };
        foreach (var invocation in stranded)
        {
            if (process.Unclaimed.Length > 0)
                finisher.LogOf(invocation).Append(invocation.Attempt, LogStream.Error, time.GetUtcNow().ToUnixTimeMilliseconds(), process.Unclaimed.ToString().TrimEnd('\n'));
            finisher.End(this, null, invocation, early);
        }
        Pump();
    }

    /// <summary>Looks after time: timeouts, idle processes, acknowledgements, work that has waited too long.</summary>
    /// <returns>True while there is work.</returns>
    public bool Tick()
    {
        var busy = false;
        List<(FunctionProcess Process, TimeSpan Grace)> stop = [];
        lock (_gate)
        {
            busy = _ready.Count + _waiting.Count + _claiming + _starting > 0;
            foreach (var process in _processes)
            {
                process.Flush();
                busy |= process.Running.Count > 0;
                if (!process.Closing && process is { Generic: true, Greeted: false } && time.GetElapsedTime(process.AttachedAt) > GreetWithin)
                    stop.Add((process, TimeSpan.Zero));
                if (process.Closing || !process.Ready)
                    continue;
                if (process.Running.Count == 0 && _ready.Count == 0 && time.GetElapsedTime(process.IdleSince) > IdleMost())
                    stop.Add((process, TimeSpan.FromSeconds(1)));
                else if (TimedOut(process))
                    stop.Add((process, TimeSpan.FromSeconds(5)));
            }
            foreach (var (process, _) in stop)
                process.Closing = true;
        }
        foreach (var (process, grace) in stop)
            dispatcher.Stop(process, grace);
        Pump();
        return busy;
    }

    /// <summary>Processes that could make way for others: none while there is work for them.</summary>
    public List<FunctionProcess> Idle()
    {
        lock (_gate)
            return _ready.Count + _waiting.Count + _claiming > 0 ? [] : [.. _processes.Where(p => p.Ready && !p.Closing && p.Running.Count == 0)];
    }

    /// <summary>Sandboxes that are about to end: their room is as good as free.</summary>
    public List<string> Leaving()
    {
        lock (_gate)
            return [.. _processes.Where(p => p.Closing).Select(p => p.Slot)];
    }

    /// <summary>Takes an idle process out of service.</summary>
    public bool Retire(FunctionProcess process)
    {
        lock (_gate)
        {
            if (process.Running.Count > 0 || process.Closing)
                return false;
            return process.Closing = true;
        }
    }

    private static string Summary(string error)
    {
        try
        {
            using var json = JsonDocument.Parse(error);
            var type = json.RootElement.GetProperty("errorType").GetString();
            var message = json.RootElement.GetProperty("errorMessage").GetString() ?? "";
            return $"{type}: {(message.Length > 500 ? message[..500] + "…" : message)}";
        }
        catch (Exception bad) when (bad is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return error.Length > 500 ? error[..500] : error;
        }
    }

    private static AttemptEnd? Displaced(FunctionProcess process) =>
        process.EndedFor is { } why ? new AttemptEnd(AttemptOutcome.Displaced, why, null) : null;

    private bool TimedOut(FunctionProcess process)
    {
        if (version.Spec.Timeout is not { } limit)
            return false;
        var late = process.Running.Values.FirstOrDefault(i => time.GetElapsedTime(i.AttemptTimestamp) > limit);
        if (late is null)
            return false;
        late.Ending ??= new AttemptEnd(AttemptOutcome.Timeout, $"timeout: it ran longer than {limit}", null);
        process.EndedFor ??= $"its process also ran invocation {InvocationId.Format(late.Id)}, which ran into its timeout";
        return true;
    }

    private ActiveInvocation? Find(FunctionProcess process, FrameKey key)
    {
        lock (_gate)
            return process.Running.TryGetValue(key.Invocation, out var invocation) && invocation.Attempt == key.Attempt ? invocation : null;
    }

    private ActiveInvocation? Take(FunctionProcess process, FrameKey key, out ActiveInvocation? next)
    {
        next = null;
        ActiveInvocation? invocation;
        var makesWay = false;
        lock (_gate)
        {
            if (process.Running.TryGetValue(key.Invocation, out invocation) && invocation.Attempt == key.Attempt)
            {
                process.Running.Remove(key.Invocation);
                Left(invocation);
                Learn(time.GetElapsedTime(invocation.AttemptTimestamp).TotalMilliseconds);
            }
            else if ((invocation = dispatcher.Adopt(key, version)) is not null)
            {
                invocation.Slot = process.Slot;
            }
            else
            {
                // An attempt that was given up, or a result that is already on disk.
                process.Acknowledge(key);
                return null;
            }
            process.Served++;
            process.Last = invocation;
            process.IdleSince = time.GetTimestamp();
            if (!process.Closing && process.Running.Count == 0 && dispatcher.IsShort && NextOwner() is { } owner && dispatcher.MakesWay(this, owner))
                process.Closing = makesWay = true;
            if (!process.Closing && process.Running.Count < version.Spec.Concurrency && _ready.TryDequeue(out next))
                Assign(process, next);
        }
        if (makesWay)
            dispatcher.Stop(process, TimeSpan.FromSeconds(1));
        return invocation;
    }

    private void Left(ActiveInvocation invocation) => dispatcher.Shares.End(invocation.Owner);

    private void Learn(double ms) => _meanMs = double.IsNaN(_meanMs) ? ms : _meanMs * 0.9 + ms * 0.1;

    private List<ActiveInvocation> TakeReady()
    {
        List<ActiveInvocation> all = [.. _ready];
        _ready.Clear();
        return all;
    }
}
