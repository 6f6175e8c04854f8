using Dure.Functions.Dispatch;
using Dure.Functions.Usage;
using Dure.Host.Configuration;
using Dure.Storage;

namespace Dure.Functions.Retention;

/// <summary>Where retention works.</summary>
/// <param name="Grace">What nothing refers to stays this long: a row that refers to it may be on its way.</param>
/// <param name="VersionsChanged">Told when versions went out of service.</param>
internal sealed record RetentionPlaces(string Data, RetentionOptions Keep, TimeSpan Grace, Func<Task> VersionsChanged);

/// <summary>
/// Removes what is older than configured: events and results, logs, invocations, versions; then what nothing refers to any more.
/// Never an invocation that has not ended or that still owes a callback, nor a version in use.
/// </summary>
internal sealed partial class RetentionRun(RetentionStore store, IBlobs blobs, LogBook logs, RetentionPlaces places, TimeProvider time, ILogger<RetentionRun> logger) : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    private readonly SemaphoreSlim _one = new(1);
    private readonly Dictionary<string, DateTimeOffset> _unreferenced = new(StringComparer.Ordinal);
    private long _stripped;
    private long _unlogged;

    /// <summary>The last run that removed.</summary>
    public RetentionReport? Last { get; private set; }

    /// <summary>How long things are kept.</summary>
    public RetentionOptions Keep => places.Keep;

    /// <summary>Runs every hour until cancelled.</summary>
    public async Task LoopAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(Every, time);
        while (await timer.WaitForNextTickAsync(cancel))
        {
            try
            {
                await RunAsync(dryRun: false, cancel);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                LogFailed(error);
            }
        }
    }

    /// <summary>Keeps blobs and rows as they are until disposed; for backups.</summary>
    public async Task<IDisposable> HoldAsync(CancellationToken cancel)
    {
        await _one.WaitAsync(cancel);
        return new Held(_one);
    }

    /// <summary>Runs once.</summary>
    public async Task<RetentionReport> RunAsync(bool dryRun, CancellationToken cancel)
    {
        using var held = await HoldAsync(cancel);
        var (begun, now) = (time.GetTimestamp(), time.GetUtcNow());
        var (logCount, logBytes) = await LogsAsync(now, dryRun, cancel);
        var results = await ResultsAsync(now, dryRun, cancel);
        var invocations = await InvocationsAsync(now, dryRun, cancel);
        var versions = await VersionsAsync(now, dryRun, cancel);
        var grace = now - places.Grace;
        if (!dryRun)
            await store.ForgetAsync(grace.ToUnixTimeMilliseconds());
        var references = await store.ReferencesAsync(grace.ToUnixTimeMilliseconds(), cancel);
        var checkpoints = await CheckpointsAsync(grace, dryRun, cancel);
        var folders = Folders("code", references, grace, dryRun) + Folders("deps", references, grace, dryRun);
        var (swept, sweptBytes, waiting) = await BlobsAsync(references, now, dryRun, cancel);
        var report = new RetentionReport(dryRun, now, time.GetElapsedTime(begun).TotalMilliseconds, invocations, results, logCount, logBytes, versions, checkpoints, folders, swept, sweptBytes, waiting);
        if (!dryRun)
        {
            Last = report;
            LogRan(invocations, results, logCount, versions, swept, (long)report.DurationMs);
        }
        return report;
    }

    public void Dispose() => _one.Dispose();

    private async Task<(long Count, long Bytes)> LogsAsync(DateTimeOffset now, bool dryRun, CancellationToken cancel)
    {
        long count = 0, bytes = 0;
        _unlogged = await ScanAsync(_unlogged, now - places.Keep.Logs, dryRun, async due =>
        {
            var with = due.Where(i => i.LogBytes > 0).ToList();
            count += with.Count;
            bytes += with.Sum(i => i.LogBytes);
            if (dryRun)
                return;
            foreach (var use in due.Select(i => UsageBook.PathOf(logs, i.Id)).Where(File.Exists))
                File.Delete(use);
            if (with.Count == 0)
                return;
            with.ForEach(i => File.Delete(logs.PathOf(i.Id)));
            await store.ForgetLogsAsync(with.ConvertAll(i => i.Id));
        }, cancel);
        return (count, bytes);
    }

    private async Task<long> ResultsAsync(DateTimeOffset now, bool dryRun, CancellationToken cancel)
    {
        long count = 0;
        _stripped = await ScanAsync(_stripped, now - places.Keep.Results, dryRun, async due =>
        {
            var with = due.Where(i => i.HasPayload || i.HasResult).Select(i => i.Id).ToList();
            count += with.Count;
            if (!dryRun && with.Count > 0)
                await store.StripAsync(with);
        }, cancel);
        return count;
    }

    private async Task<long> InvocationsAsync(DateTimeOffset now, bool dryRun, CancellationToken cancel)
    {
        long count = 0;
        await ScanAsync(0, now - places.Keep.Invocations, dryRun: true, async due =>
        {
            count += due.Count;
            if (dryRun)
                return;
            // The file first: a crash in between leaves a row whose log is gone, not a file that nobody knows of.
            // One that never said anything has no file, and its folder may not exist, which Delete would not forgive.
            foreach (var path in due.SelectMany(i => new[] { logs.PathOf(i.Id), UsageBook.PathOf(logs, i.Id) }).Where(File.Exists))
                File.Delete(path);
            await store.DeleteAsync(due.ConvertAll(i => i.Id));
        }, cancel);
        return count;
    }

    // Returns the id up to which everything has been dealt with, where the next scan may begin.
    private async Task<long> ScanAsync(long from, DateTimeOffset before, bool dryRun, Func<List<EndedInvocation>, Task> handle, CancellationToken cancel)
    {
        var (below, limit) = (InvocationId.FirstAt(before), before.ToUnixTimeMilliseconds());
        var (at, kept) = (from, await store.OldestOpenAsync(cancel));
        while (await store.EndedAsync(at, below, cancel) is { Count: > 0 } batch)
        {
            at = batch[^1].Id;
            var due = batch.Where(i => i.FinishedAt < limit && !i.CallbackDue).ToList();
            if (due.Count < batch.Count)
                kept = Math.Min(kept, batch.Where(i => i.FinishedAt >= limit || i.CallbackDue).Min(i => i.Id));
            if (due.Count > 0)
                await handle(due);
            cancel.ThrowIfCancellationRequested();
        }
        return dryRun ? from : Math.Min(at, kept - 1);
    }

    private async Task<long> VersionsAsync(DateTimeOffset now, bool dryRun, CancellationToken cancel)
    {
        long count = 0;
        foreach (var version in await store.OldVersionsAsync(places.Keep.Versions, cancel))
        {
            if (dryRun || await store.RemoveVersionAsync(version.Id, now.ToUnixTimeMilliseconds()))
                count++;
        }
        if (count > 0 && !dryRun)
            await places.VersionsChanged();
        return count;
    }

    private async Task<long> CheckpointsAsync(DateTimeOffset grace, bool dryRun, CancellationToken cancel)
    {
        long count = 0;
        foreach (var folder in FoldersIn("checkpoints"))
        {
            if (folder.LastWriteTimeUtc >= grace.UtcDateTime || (InvocationId.TryParse(folder.Name, out var id) && await store.IsOpenAsync(id, cancel)))
                continue;
            count++;
            if (!dryRun)
                folder.Delete(recursive: true);
        }
        return count;
    }

    private long Folders(string kind, References references, DateTimeOffset grace, bool dryRun)
    {
        long count = 0;
        foreach (var folder in FoldersIn(kind).Where(f => f.LastWriteTimeUtc < grace.UtcDateTime && !references.Folders.Contains(f.Name)))
        {
            count++;
            if (!dryRun)
                Deploy.BuildFiles.Remove(folder.FullName);
        }
        return count;
    }

    private DirectoryInfo[] FoldersIn(string kind)
    {
        var folder = new DirectoryInfo(Path.Combine(places.Data, kind));
        return folder.Exists ? folder.GetDirectories() : [];
    }

    // A rerun may refer to a blob again without storing it again, so a blob goes only when it has been unreferenced for the whole grace.
    private async Task<(long Count, long Bytes, long Waiting)> BlobsAsync(References references, DateTimeOffset now, bool dryRun, CancellationToken cancel)
    {
        long count = 0, bytes = 0, waiting = 0;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var blob in blobs.ListAsync(cancel))
        {
            if (references.Blobs.Contains(blob.Digest))
                continue;
            seen.Add(blob.Digest);
            _unreferenced.TryAdd(blob.Digest, now);
            if (now - _unreferenced[blob.Digest] < places.Grace)
            {
                waiting++;
            }
            else if (dryRun || await blobs.SweepAsync(blob.Digest, now - places.Grace, cancel))
            {
                count++;
                bytes += blob.Length;
                if (!dryRun)
                    seen.Remove(blob.Digest);
            }
        }
        foreach (var digest in _unreferenced.Keys.Where(digest => !seen.Contains(digest)).ToList())
            _unreferenced.Remove(digest);
        return (count, bytes, waiting);
    }

    private sealed class Held(SemaphoreSlim one) : IDisposable
    {
        public void Dispose() => one.Release();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Retention removed {Invocations} invocations, {Results} results, {Logs} logs, {Versions} versions and {Blobs} blobs in {Ms} ms")]
    private partial void LogRan(long invocations, long results, long logs, long versions, long blobs, long ms);

    [LoggerMessage(Level = LogLevel.Error, Message = "Retention failed; it runs again in an hour")]
    private partial void LogFailed(Exception error);
}
