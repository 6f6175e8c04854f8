using Dure.Functions.Worker;

namespace Dure.Functions;

/// <summary>How much is promised before an invocation is answered.</summary>
public enum Durability
{
    /// <summary>Rows are on disk (fsync) before the code starts and before the answer.</summary>
    Durable,

    /// <summary>Synchronous calls are recorded behind the answer; a crash may forget the last ones. Said in every result.</summary>
    Relaxed,
}

/// <summary>When a function runs by itself.</summary>
/// <param name="Cron">Five fields (minute, hour, day of month, month, day of week), as in crontab(5).</param>
/// <param name="TimeZone">IANA name, such as <c>Asia/Seoul</c>; <c>UTC</c> when not given.</param>
public sealed record FunctionSchedule(string Cron, string TimeZone);

/// <summary>What happens after an attempt that failed.</summary>
/// <param name="Max">Further attempts after an error that the code raised, 0 to 100.</param>
/// <param name="FirstDelay">Wait before the first retry; doubles with each, with jitter.</param>
/// <param name="LongestDelay">The wait never exceeds this.</param>
public sealed record RetryPolicy(int Max, TimeSpan FirstDelay, TimeSpan LongestDelay);

/// <summary>What a version needs and promises: the defaults of its runtime overlaid with <c>function.yaml</c>. Immutable, part of the version's digest.</summary>
/// <param name="Runtime">One of <c>python</c>, <c>node</c>, <c>go</c>, <c>cpp</c>, <c>csharp</c>, <c>bootstrap</c>.</param>
/// <param name="Handler">Python and Node.js: <c>module.function</c>; others: the program inside /code.</param>
/// <param name="Mode">Who speaks the function protocol.</param>
/// <param name="Timeout">An attempt longer than this is ended; null, the default, for none.</param>
/// <param name="Environment">Plain values, shown to anyone who may see the function.</param>
/// <param name="Secrets">Names of secrets given as environment variables of the same name.</param>
/// <param name="Concurrency">Invocations that one process handles at a time, 1 to 1,000.</param>
/// <param name="Instances">Processes at most on one machine, 0 for as many as fit.</param>
/// <param name="IdleTimeout">A process without work for this long is ended; null for what the server is configured to (functions.idle_timeout).</param>
/// <param name="AtMostOnce">After a lost worker the invocation ends UNKNOWN instead of running again.</param>
/// <param name="Idempotent">The code may safely run twice; said to those who read that an attempt may have run before.</param>
public sealed record FunctionSpec(
    string Runtime,
    string Handler,
    SandboxMode Mode,
    SandboxLimits Limits,
    int Gpus,
    TimeSpan? Timeout,
    IReadOnlyDictionary<string, string> Environment,
    IReadOnlyList<string> Secrets,
    SandboxNetwork Network,
    FunctionSchedule? Schedule,
    int Concurrency,
    int Instances,
    TimeSpan? IdleTimeout,
    RetryPolicy Retries,
    bool AtMostOnce,
    bool Idempotent,
    Durability Durability);
