using System.Diagnostics.Metrics;

namespace Dure.Functions;

/// <summary>What the functions slice measures, through the base class library's meters.</summary>
public sealed class FunctionMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Dure.Functions";

    private readonly Meter _meter = new(MeterName);
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _wait;
    private readonly Counter<long> _attempts;
    private readonly Counter<long> _starts;
    private readonly Counter<long> _ended;
    private readonly Counter<long> _commitFailures;

    public FunctionMetrics()
    {
        _duration = _meter.CreateHistogram<double>("dure_function_duration_seconds", "s", "How long attempts ran.");
        _wait = _meter.CreateHistogram<double>("dure_function_wait_seconds", "s", "How long invocations waited for a process.");
        _attempts = _meter.CreateCounter<long>("dure_function_attempts_total", null, "Ended attempts by function and outcome.");
        _starts = _meter.CreateCounter<long>("dure_function_starts_total", null, "Attempts by function and by cold or warm start.");
        _ended = _meter.CreateCounter<long>("dure_function_invocations_total", null, "Ended invocations by function, state and, where they failed, the last attempt's outcome.");
        _commitFailures = _meter.CreateCounter<long>("dure_commit_failures_total", null, "Commits that the database refused (disk full).");
    }

    /// <summary>Counts an ended attempt.</summary>
    public void AttemptEnded(ActiveInvocation invocation, AttemptEnd end, Verdict verdict, TimeSpan ran)
    {
        if (!_attempts.Enabled)
            return;
        var function = new KeyValuePair<string, object?>("function", invocation.Version.FunctionName);
        _attempts.Add(1, function, new("outcome", OutcomeName(end.Outcome)));
        _starts.Add(1, function, new("start", invocation.Cold ? "cold" : "warm"));
        if (verdict.State > InvocationState.Processing)
            _ended.Add(1, function, new("state", StateName(verdict.State)), new("reason", verdict.State == InvocationState.Success ? "" : OutcomeName(end.Outcome)));
        _duration.Record(ran.TotalSeconds, function);
        _wait.Record(System.Diagnostics.Stopwatch.GetElapsedTime(invocation.QueuedTimestamp, invocation.AttemptTimestamp).TotalSeconds, function);
    }

    /// <summary>Counts a refused commit.</summary>
    public void CommitFailed() => _commitFailures.Add(1);

    /// <summary>The word for an outcome in the API, logs and metrics.</summary>
    public static string OutcomeName(AttemptOutcome outcome) => outcome switch
    {
        AttemptOutcome.Running => "running",
        AttemptOutcome.Success => "success",
        AttemptOutcome.Error => "error",
        AttemptOutcome.WorkerLost => "worker-lost",
        AttemptOutcome.ControllerLost => "controller-lost",
        AttemptOutcome.Limit => "limit",
        AttemptOutcome.Timeout => "timeout",
        AttemptOutcome.Cancelled => "cancelled",
        AttemptOutcome.Displaced => "displaced",
        _ => "start-failed",
    };

    private static string StateName(InvocationState state) => state switch
    {
        InvocationState.Success => "success",
        InvocationState.Failed => "failed",
        InvocationState.Cancelled => "cancelled",
        _ => "unknown",
    };

    public void Dispose() => _meter.Dispose();
}
