using System.Collections.Concurrent;
using System.Data.Common;
using Dure.Functions.Callbacks;

namespace Dure.Portal.Notifications;

/// <summary>
/// Brings messages to where they go: at least once, until they are taken or the tries are used up. A delivery is noted before it begins, so one that
/// comes again says so. At most eight at a time, at most two of them to one receiver.
/// </summary>
internal sealed partial class NotifyDelivery(NotifyOutbox outbox, NotifyStore store, Courier courier, int attempts, TimeProvider time, ILogger<NotifyDelivery> logger) : IDisposable
{
    private const int AtOnce = 8;
    private const int PerReceiver = 2;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<long, byte> _running = new();
    private readonly ConcurrentDictionary<string, int> _receivers = new(StringComparer.OrdinalIgnoreCase);
    private readonly SemaphoreSlim _ended = new(0);

    /// <summary>Delivers until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                await StartDueAsync(cancel);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                LogRefused(error);
            }
            await _ended.WaitAsync(LookEvery, cancel);
        }
    }

    /// <summary>Begins what is due.</summary>
    /// <returns>When those that were begun have ended.</returns>
    public async Task<Task> StartDueAsync(CancellationToken cancel)
    {
        var begun = new List<Task>();
        var now = Now();
        foreach (var row in await outbox.DueAsync(now, now + (long)LongestWait.TotalMilliseconds, 2 * PerReceiver, 4 * AtOnce, cancel))
        {
            if (_running.Count >= AtOnce)
                break;
            if (_running.ContainsKey(row.Id) || _receivers.GetValueOrDefault(row.Target) >= PerReceiver)
                continue;
            _receivers.AddOrUpdate(row.Target, 1, static (_, count) => count + 1);
            _running[row.Id] = 0;
            begun.Add(Task.Run(() => DeliverOneAsync(row, cancel), CancellationToken.None));
        }
        return Task.WhenAll(begun);
    }

    public void Dispose() => _ended.Dispose();

    private async Task DeliverOneAsync(NotifyDeliveryRow row, CancellationToken cancel)
    {
        try
        {
            if (!await outbox.BeginAsync(row.Id, row.Message, Now()))
                return;
            var tries = row.Tries + 1;
            var error = await store.FindAsync(row.Message, cancel) is { } message ? await courier.SendAsync(message, row.Channel, row.Target, tries, cancel) : "the message is no longer kept";
            if (error is null)
            {
                await outbox.DoneAsync(row.Id, Now(), null);
            }
            else if (tries >= attempts)
            {
                await outbox.DoneAsync(row.Id, Now(), error);
                LogGivenUp(row.Message, row.Channel, tries, error);
            }
            else
            {
                await outbox.RetryAsync(row.Id, Now() + (long)CallbackDelivery.Wait(tries, Random.Shared.NextDouble()).TotalMilliseconds, error);
            }
        }
        catch (Exception error) when (error is DbException or OperationCanceledException)
        {
            // Not recorded, so it is delivered again, and says that it may be the second time.
        }
        finally
        {
            _receivers.AddOrUpdate(row.Target, 0, static (_, count) => count - 1);
            _running.TryRemove(row.Id, out _);
            if (!cancel.IsCancellationRequested)
                _ended.Release();
        }
    }

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    [LoggerMessage(Level = LogLevel.Warning, Message = "Notification {Message} by {Channel} is given up after {Tries} tries: {Why}")]
    private partial void LogGivenUp(string message, string channel, int tries, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "Looking for notifications to deliver failed; it is tried again")]
    private partial void LogRefused(Exception why);
}
