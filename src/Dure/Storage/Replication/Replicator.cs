using System.Collections.Concurrent;
using System.Data.Common;
using Dure.Host;

namespace Dure.Storage.Replication;

/// <summary>How copies are made.</summary>
/// <param name="Concurrency">Copies at once, for each provider and outbox.</param>
/// <param name="Poll">The longest time until a row is seen whose announcement was lost.</param>
public sealed record ReplicatorOptions(int Concurrency, TimeSpan Poll)
{
    public static readonly ReplicatorOptions Default = new(4, TimeSpan.FromSeconds(5));
}

/// <summary>
/// Brings what waits in one outbox to one provider, for as long as it takes. The rows are the truth: whatever ends this half-way is made
/// good by the next one.
/// </summary>
internal sealed partial class Replicator(ReplicaTarget target, Originals originals, ReplicatorOptions options, TimeProvider time, ILogger log) : IDisposable
{
    private const int BatchRows = 256;
    private static readonly TimeSpan AfterRefusedCommit = TimeSpan.FromSeconds(1);

    private readonly ReplicaCopy _copy = new(target.Objects, originals.OpenAsync);
    private readonly ConcurrentDictionary<string, bool> _underWay = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _slots = new(options.Concurrency);
    private readonly Signal _signal = new();

    /// <summary>Something may have been added.</summary>
    public void Wake() => _signal.Set();

    /// <summary>Works until cancelled; then what is under way has ended as well.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            var begun = 0;
            try
            {
                begun = await RoundAsync(cancel);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                break;
            }
            catch (Exception error)
            {
                LogRoundFailed(target.Name, originals.Name, error);
            }
            if (begun == 0)
                await WaitAsync(cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        for (var i = 0; i < options.Concurrency; i++)
            await _slots.WaitAsync(CancellationToken.None);
    }

    public void Dispose() => _slots.Dispose();

    // Answers how many copies it began.
    private async Task<int> RoundAsync(CancellationToken cancel)
    {
        var breaker = target.Health.Breaker;
        if (breaker.State == BreakerState.HalfOpen || breaker.State == BreakerState.Open && breaker.RetryAt > time.GetUtcNow())
            return 0;
        var rows = await originals.Outbox.DueAsync(target.Name, BatchRows, cancel);
        var begun = 0;
        foreach (var row in await ReadyAsync(rows))
        {
            await _slots.WaitAsync(cancel);
            if (!target.Health.MayTry())
            {
                _slots.Release();
                break;
            }
            _underWay[row.Subject] = true;
            begun++;
            _ = Task.Run(() => CopyAsync(row, cancel), CancellationToken.None);
        }
        return begun;
    }

    // Doubles are one; of manifests of one name only the newest counts; bytes go first; manifests whose bytes wait are put off.
    private async Task<List<PendingReplica>> ReadyAsync(List<PendingReplica> rows)
    {
        var subjects = rows.GroupBy(row => row.Subject, StringComparer.Ordinal).Select(same => same.MaxBy(row => row.Id)!).Where(row => !_underWay.ContainsKey(row.Subject)).ToList();
        var ready = subjects.Where(row => row.WaitsUntil is null).OrderBy(row => row.Kind == OutboxKind.Blob ? 0 : 1).ThenBy(row => row.Id).ToList();
        // The end of what is under way wakes the loop, and they go at once.
        var coming = ready.Select(row => row.Subject).Concat(_underWay.Keys).ToHashSet(StringComparer.Ordinal);
        var waiting = rows.Where(row => row.WaitsUntil is not null && !OutboxStore.DigestsIn(row.Body).Any(digest => coming.Contains("b:" + digest))).ToList();
        if (waiting.Count > 0)
            await originals.Outbox.DeferAsync(waiting);
        return ready;
    }

    private async Task WaitAsync(CancellationToken cancel)
    {
        var breaker = target.Health.Breaker;
        var wait = options.Poll;
        if (breaker.State == BreakerState.Open && breaker.RetryAt - time.GetUtcNow() is var left && left < wait)
            wait = left > TimeSpan.FromMilliseconds(10) ? left : TimeSpan.FromMilliseconds(10);
        // Nothing that is added meanwhile can be sent while the breaker is open.
        if (breaker.State == BreakerState.Closed)
            await _signal.WaitAsync(wait, time, cancel);
        else
            await Task.Delay(wait, time, cancel);
    }

    private async Task CopyAsync(PendingReplica row, CancellationToken cancel)
    {
        try
        {
            await SettleAsync(row, await SendAsync(row, cancel));
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            target.Health.Undecided();
        }
        catch (DbException error)
        {
            // What was copied is found there when the row is tried again.
            target.Health.Undecided();
            LogCommitRefused(target.Name, error.Message);
            await Task.Delay(AfterRefusedCommit, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            _underWay.TryRemove(row.Subject, out _);
            _slots.Release();
            _signal.Set();
        }
    }

    private async Task<Problem?> SendAsync(PendingReplica row, CancellationToken cancel)
    {
        try
        {
            return await _copy.SendAsync(row.Kind, row.Name, row.Bytes, row.Body, again: row.Tries > 0, cancel);
        }
        catch (Exception error) when (error is not (OperationCanceledException or DbException) || error is OperationCanceledException && !cancel.IsCancellationRequested)
        {
            LogCopyFailed(target.Name, row.Name, error);
            return ReplicationErrors.Failed.With($"{target.Name}: {error.Message}");
        }
    }

    private async Task SettleAsync(PendingReplica row, Problem? problem)
    {
        if (problem is null)
        {
            target.Health.Succeeded();
            await originals.Outbox.FinishAsync(target.Name, row);
        }
        else if (problem.Kind == ReplicationErrors.SourceLost || problem.Kind == ReplicationErrors.SourceDamaged)
        {
            target.Health.Undecided();
            if (await originals.Outbox.LoseAsync(target.Name, row, ProviderHealth.Text(problem)) > 0)
                LogLost(target.Name, ProviderHealth.Text(problem));
        }
        else
        {
            if (target.Health.Failed(problem))
                LogOpened(target.Name, ProviderHealth.Text(problem));
            await originals.Outbox.FailAsync(target.Name, row, ProviderHealth.Text(problem), Backoff.OfObject(row.Tries, Random.Shared.NextDouble()));
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Provider {Provider} fails; what waits is kept and tried again: {Why}")]
    private partial void LogOpened(string provider, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "A copy for {Provider} cannot be made: {Why}")]
    private partial void LogLost(string provider, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "The copy of {Name} for {Provider} failed; it is tried again")]
    private partial void LogCopyFailed(string provider, string name, Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A copy at {Provider} could not be noted and is looked at again: {Why}")]
    private partial void LogCommitRefused(string provider, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "The outbox of {Originals} for {Provider} could not be read; it is tried again")]
    private partial void LogRoundFailed(string provider, string originals, Exception error);
}

/// <summary>A wake-up for one waiter; many while nobody waits are one.</summary>
internal sealed class Signal
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _set = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Set()
    {
        lock (_gate)
            _set.TrySetResult();
    }

    /// <summary>Waits for it, or for a time; takes it.</summary>
    public async Task WaitAsync(TimeSpan longest, TimeProvider time, CancellationToken cancel)
    {
        Task set;
        lock (_gate)
            set = _set.Task;
        await set.WaitAsync(longest, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            if (_set.Task.IsCompleted)
                _set = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        cancel.ThrowIfCancellationRequested();
    }
}
