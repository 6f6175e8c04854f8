using Dure.Host.Data;

namespace Dure.Storage.Store;

/// <summary>What is done beside the requests: files without a row, removed contents, abandoned uploads.</summary>
internal sealed partial class Housekeeping(Database database, Contents contents, TimeSpan abandonedAfter, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private const int Batch = 256;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    // Between finding an object and opening it, its bytes must not go.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(10);

    // A client that lost the answer to its completion asks again; after a day it does not.
    private static readonly TimeSpan CompletedKept = TimeSpan.FromDays(1);

    private readonly CancellationTokenSource _closing = new();
    private Task _working = Task.CompletedTask;

    public Task StraysRemoved { get; private set; } = Task.CompletedTask;

    /// <summary>Begins.</summary>
    /// <param name="born">Files with smaller numbers were there before this start.</param>
    public void Start(long born)
    {
        StraysRemoved = Task.Run(() => RemoveStraysAsync(born));
        _working = Task.Run(WorkAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await StraysRemoved.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _working.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
    }

    public async ValueTask SweepAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var abandoned = await database.ReadAsync(s => s.QueryAsync("SELECT id FROM uploads WHERE touched_at < $1 AND object_id IS NULL",
            static row => row.GetInt64(0), (now - abandonedAfter).ToUnixTimeMilliseconds()), cancel);
        foreach (var upload in abandoned)
        {
            cancel.ThrowIfCancellationRequested();
            await database.WriteAsync(s => UploadTable.RemoveAsync(s, upload, now.ToUnixTimeMilliseconds()), cancel: cancel);
        }
        if (abandoned.Count > 0)
            Abandoned(log, abandoned.Count);
        await database.WriteAsync(s => s.ExecuteAsync("DELETE FROM uploads WHERE touched_at < $1 AND object_id IS NOT NULL", (now - CompletedKept).ToUnixTimeMilliseconds()), cancel: cancel);
        await CollectAsync(Grace, cancel);
    }

    /// <summary>Removes contents that no object has any more, except what is being read and what a provider has not got yet.</summary>
    public async ValueTask CollectAsync(TimeSpan grace, CancellationToken cancel)
    {
        var before = (time.GetUtcNow() - grace).ToUnixTimeMilliseconds();
        var last = 0L;
        while (true)
        {
            var after = last;
            var batch = await database.ReadAsync(s => s.QueryAsync(
                "SELECT g.content_id, COALESCE(c.group_id, 0), COALESCE(c.is_file, 0), g.at FROM garbage g LEFT JOIN contents c ON c.id = g.content_id " +
                "WHERE g.content_id > $1 AND NOT (COALESCE(c.replicated, 0) = 1 AND EXISTS (SELECT 1 FROM replication r WHERE r.name = c.sha256 AND r.kind = 0)) ORDER BY g.content_id LIMIT $2",
                static row => (Id: row.GetInt64(0), Group: row.GetInt64(1), IsFile: row.GetInt64(2) != 0, At: row.GetInt64(3)), after, Batch), cancel);
            if (batch.Count == 0)
                return;
            last = batch[^1].Id;
            var gone = batch.FindAll(content => content.At <= before && contents.Claim(content.Group));
            if (gone.Count == 0)
                continue;
            try
            {
                foreach (var content in gone.Where(static content => content.IsFile))
                    contents.Files.Delete(content.Id);
                await database.WriteAsync(async s =>
                {
                    foreach (var (id, _, _, _) in gone)
                        await ForgetAsync(s, id);
                    return 0;
                }, cancel: cancel);
            }
            finally
            {
                contents.Removed(gone.Select(static content => content.Group));
            }
        }
    }

    private static async ValueTask ForgetAsync(DbSession session, long id)
    {
        await session.ExecuteAsync("DELETE FROM digests WHERE content_id = $1 AND sha256 = (SELECT sha256 FROM contents WHERE id = $1)", id);
        await session.ExecuteAsync("DELETE FROM contents WHERE id = $1", id);
        await session.ExecuteAsync("DELETE FROM garbage WHERE content_id = $1", id);
        await session.ExecuteAsync("DELETE FROM corrupt WHERE content_id = $1", id);
    }

    private async Task WorkAsync()
    {
        var swept = time.GetTimestamp();
        using var timer = new PeriodicTimer(Every, time);
        while (await timer.WaitForNextTickAsync(_closing.Token))
        {
            try
            {
                if (time.GetElapsedTime(swept) < SweepEvery)
                {
                    await CollectAsync(Grace, _closing.Token);
                    continue;
                }
                swept = time.GetTimestamp();
                await SweepAsync(_closing.Token);
            }
            catch (Exception failure) when (failure is IOException or System.Data.Common.DbException)
            {
                NotCleaned(log, failure);
            }
        }
    }

    private async Task RemoveStraysAsync(long born)
    {
        var removed = 0;
        foreach (var folder in contents.Files.All())
        {
            _closing.Token.ThrowIfCancellationRequested();
            var old = folder.Where(id => id < born).ToList();
            if (old.Count == 0)
                continue;
            var known = await database.ReadAsync(async s =>
            {
                var found = new HashSet<long>();
                foreach (var id in old)
                {
                    if (await s.ScalarAsync<long>("SELECT is_file FROM contents WHERE id = $1", id) == 1)
                        found.Add(id);
                }
                return found;
            }, _closing.Token);
            foreach (var id in old.Where(id => !known.Contains(id)))
            {
                contents.Files.Delete(id);
                removed++;
            }
        }
        if (removed > 0)
            Strays(log, removed);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Removed {Count} files of uploads that a previous process had not finished")]
    private static partial void Strays(ILogger log, int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "Removed {Count} abandoned multipart uploads")]
    private static partial void Abandoned(ILogger log, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Removed objects could not be cleaned up; it is tried again")]
    private static partial void NotCleaned(ILogger log, Exception failure);
}
