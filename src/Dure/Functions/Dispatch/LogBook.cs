using System.Collections.Concurrent;
using Dure.Host.Live;

namespace Dure.Functions.Dispatch;

/// <summary>Keeps the log files of invocations and writes them out.</summary>
/// <param name="folder">Holds <c>ab/&lt;id&gt;.log</c>, by the two characters of the id that change with every few milliseconds.</param>
/// <param name="limit">Bytes an attempt may log.</param>
public sealed class LogBook(string folder, long limit, ILive live, TimeProvider time)
{
    /// <summary>Lines reach the file, and followers, at most this much later.</summary>
    public static readonly TimeSpan FlushEvery = TimeSpan.FromMilliseconds(40);

    private readonly ConcurrentQueue<LogFile> _dirty = [];
    private int _scheduled;

    /// <summary>Where an invocation's log is or would be.</summary>
    public string PathOf(long invocation)
    {
        var id = InvocationId.Format(invocation);
        return Path.Combine(folder, id[7..9], id + ".log");
    }

    /// <summary>Opens a log for appending; the file appears with its first line.</summary>
    /// <param name="function">Name of the function, whose followers hear of new lines as well.</param>
    public LogFile Open(long invocation, string function) => new(this, invocation, function, PathOf(invocation), limit);

    /// <summary>Writes out what waits, at the end of the server.</summary>
    public void FlushAll()
    {
        for (var n = _dirty.Count; n > 0 && _dirty.TryDequeue(out var file); n--)
            file.Flush();
    }

    internal void MarkDirty(LogFile file)
    {
        _dirty.Enqueue(file);
        if (Interlocked.Exchange(ref _scheduled, 1) == 0)
            _ = FlushSoonAsync();
    }

    internal void Written(LogFile file)
    {
        var id = InvocationId.Format(file.Invocation);
        live.Publish(InvocationEvents.Channel(id), InvocationEvents.Log);
        live.Publish(InvocationEvents.FunctionChannel(file.Function), id);
    }

    // Nothing ticks while nothing is logged.
    private async Task FlushSoonAsync()
    {
        await Task.Delay(FlushEvery, time);
        Volatile.Write(ref _scheduled, 0);
        FlushAll();
    }
}

/// <summary>Names of the live channels and messages about invocations.</summary>
public static class InvocationEvents
{
    /// <summary>The log has grown.</summary>
    public const string Log = "log";

    /// <summary>The state has changed.</summary>
    public const string State = "state";

    /// <summary>Hints about one invocation.</summary>
    public static string Channel(long invocation) => Channel(InvocationId.Format(invocation));

    /// <summary>Hints about one invocation, whose id is written already.</summary>
    public static string Channel(string invocation) => "invocation." + invocation;

    /// <summary>Changes of state of all invocations; the message is the invocation's id.</summary>
    public const string All = "invocations";

    /// <summary>Functions that were deployed, changed or removed; the message is the name.</summary>
    public const string Functions = "functions";

    /// <summary>Something about this machine's worker or its processes has changed.</summary>
    public const string Workers = "workers";

    /// <summary>Hints about a function's invocations; the message is the invocation's id.</summary>
    public static string FunctionChannel(string function) => "function." + function;
}
