using System.Threading.Tasks.Sources;

namespace Dure.Host.Data;

/// <summary>A write that waits for its group's commit.</summary>
internal abstract class PendingWrite
{
    /// <summary>Why the write was not done; null when it is on disk.</summary>
    public Exception? Error { get; set; }

    /// <summary>Runs the SQL; the result is kept until <see cref="Complete"/>.</summary>
    public abstract ValueTask RunAsync(DbSession session);

    /// <summary>The group is over: answer the caller with the result or the error.</summary>
    public abstract void Complete();
}

/// <inheritdoc />
internal sealed class PendingWrite<T>(Func<DbSession, ValueTask<T>> work) : PendingWrite, IValueTaskSource<T>
{
    private ManualResetValueTaskSourceCore<T> _core;
    private T? _result;

    /// <summary>Completes after the commit.</summary>
    public ValueTask<T> Task => new(this, _core.Version);

    /// <summary>True continues the caller on a pool thread, so that the committing thread is free for the next group.</summary>
    public bool Asynchronously { set => _core.RunContinuationsAsynchronously = value; }

    public override async ValueTask RunAsync(DbSession session) => _result = await work(session);

    public override void Complete()
    {
        if (Error is null)
            _core.SetResult(_result!);
        else
            _core.SetException(Error);
    }

    public T GetResult(short token) => _core.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}

/// <summary>
/// Group commit: whoever finds no commit under way commits for all that wait. While one group is being written to disk the
/// next one gathers, so the rate grows with the load and a lone caller waits for one flush only.
/// </summary>
/// <param name="commit">Runs and commits a group; sets <see cref="PendingWrite.Error"/> where that failed, never throws.</param>
/// <param name="limit">Writes in one group at most.</param>
internal sealed class WriteGroup(Func<IReadOnlyList<PendingWrite>, ValueTask> commit, int limit)
{
    private readonly Lock _gate = new();
    private List<PendingWrite> _waiting = [];
    private bool _busy;

    /// <summary>Adds a write and sees to it that somebody commits it.</summary>
    public ValueTask<T> AddAsync<T>(Func<DbSession, ValueTask<T>> work, bool inline)
    {
        var write = new PendingWrite<T>(work);
        bool lead;
        lock (_gate)
        {
            lead = !_busy;
            _busy = true;
            _waiting.Add(write);
        }
        write.Asynchronously = !(lead && inline);
        var task = write.Task;
        if (lead && inline)
            _ = LeadAsync();
        else if (lead)
            ThreadPool.UnsafeQueueUserWorkItem(static group => _ = group.LeadAsync(), this, preferLocal: false);
        return task;
    }

    private async Task LeadAsync()
    {
        List<PendingWrite> group;
        lock (_gate)
        {
            if (_waiting.Count <= limit)
                (group, _waiting) = (_waiting, []);
            else
                (group, _waiting) = (_waiting.GetRange(0, limit), _waiting.GetRange(limit, _waiting.Count - limit));
        }
        var begun = System.Diagnostics.Stopwatch.GetTimestamp();
        await commit(group);
        var took = System.Diagnostics.Stopwatch.GetElapsedTime(begun);
        bool more;
        lock (_gate)
            _busy = more = _waiting.Count > 0;
        // The leader goes back to its own caller; the next group gets a thread of its own.
        if (more)
            ThreadPool.UnsafeQueueUserWorkItem(static next => _ = next.LeadAsync(), this, preferLocal: false);
        foreach (var write in group)
            write.Complete();
        // Nobody waits for the figures.
        Metrics.DatabaseMetrics.Committed(took, group.Count);
    }
}
