using System.Data.Common;
using Dure.Host.Live;

namespace Dure.Host.Data;

/// <summary>
/// Keeps what a store has in memory as fresh as the database: read again after each change here, when another server tells of one
/// through Live, and every few seconds where others share the database.
/// </summary>
/// <param name="load">Reads the rows into memory.</param>
internal sealed class FreshCopy(Database database, ILive live, string channel, Func<CancellationToken, ValueTask> load) : IDisposable
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _loading = new(1);

    /// <summary>Reads the rows. One at a time, so that an older reading never replaces a newer one.</summary>
    public async ValueTask LoadAsync(CancellationToken cancel)
    {
        await _loading.WaitAsync(cancel);
        try
        {
            await load(cancel);
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <summary>Makes a change, durably; what is in memory knows of it when this is over.</summary>
    public async ValueTask<T> ChangeAsync<T>(Func<DbSession, ValueTask<T>> change, CancellationToken cancel)
    {
        var changed = await database.WriteAsync(change, cancel: cancel);
        await LoadAsync(CancellationToken.None);
        live.Publish(channel, "changed");
        return changed;
    }

    /// <summary>Listens until cancelled.</summary>
    public Task RunAsync(CancellationToken cancel) => RunAsync(static () => default, cancel);

    /// <summary>Listens until cancelled, and writes down what was gathered in memory: so often, and once more at the end.</summary>
    /// <param name="every">Between two writings at least.</param>
    public async Task RunAsync(TimeProvider time, TimeSpan every, Func<ValueTask> write, CancellationToken cancel)
    {
        var written = time.GetTimestamp();
        await RunAsync(
            () =>
            {
                if (time.GetElapsedTime(written) < every)
                    return default;
                written = time.GetTimestamp();
                return write();
            },
            cancel);
        await write();
    }

    /// <inheritdoc/>
    public void Dispose() => _loading.Dispose();

    // `meanwhile` is called at every turn, at least every few seconds.
    private async Task RunAsync(Func<ValueTask> meanwhile, CancellationToken cancel)
    {
        using var changes = live.Subscribe(channel);
        var shared = database.Dialect != Dialect.Sqlite;
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                if (await changes.NextAsync(LookAgain, cancel) is not null || shared)
                    await LoadAsync(cancel);
                await meanwhile();
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
            }
            catch (DbException)
            {
                // What is in memory stands; the next round tries again.
            }
        }
    }
}
