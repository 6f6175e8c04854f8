using System.Collections.Concurrent;
using System.Data.Common;
using System.Net.Sockets;
using Dure.Host;

namespace Dure.Fleet.Drill.Clients;

/// <summary>
/// A client of one tier: sends requests at a fixed pace, whatever becomes of them, and remembers what it saw of each. One that writes counts its writes up from 1 and can read
/// them back.
/// </summary>
internal abstract class DrillClient(string tier, TimeSpan pace, TimeSpan patience, TimeProvider time) : IAsyncDisposable
{
    private readonly ConcurrentQueue<Request> _seen = new();
    private long _began;
    private long _next;

    public string Tier => tier;

    public TimeSpan Pace => pace;

    /// <summary>What it asks for, in a line.</summary>
    public abstract string What { get; }

    /// <summary>What was seen so far.</summary>
    public IReadOnlyList<Request> Seen => [.. _seen];

    /// <summary>A request does not wait for the one before it. Otherwise it is the one session of a program that waits for each answer.</summary>
    protected virtual bool Overlaps => false;

    protected TimeProvider Time => time;

    /// <summary>Makes what the requests need: a table, a session.</summary>
    public virtual Task<Problem?> PrepareAsync(CancellationToken cancel) => Task.FromResult<Problem?>(null);

    /// <summary>The ids of its writes that are there; null for a tier that keeps nothing.</summary>
    public virtual Task<Outcome<IReadOnlySet<long>?>> ReadBackAsync(CancellationToken cancel) => Task.FromResult(new Outcome<IReadOnlySet<long>?>((IReadOnlySet<long>?)null));

    /// <summary>Removes what it wrote.</summary>
    public virtual Task CleanAsync(CancellationToken cancel) => Task.CompletedTask;

    /// <summary>Sends until it is cancelled; every request has been answered or given up then.</summary>
    /// <param name="began">The timestamp that times count from.</param>
    public async Task RunAsync(long began, CancellationToken cancel)
    {
        _began = began;
        var open = new List<Task>();
        var due = NowMs();
        while (!cancel.IsCancellationRequested)
        {
            var request = OneAsync(++_next);
            if (Overlaps)
                open.Add(request);
            else
                await request;
            open.RemoveAll(static task => task.IsCompleted);
            due = Math.Max(due + pace.TotalMilliseconds, NowMs() - pace.TotalMilliseconds);
            if (due - NowMs() is > 0 and var wait)
                await Task.Delay(TimeSpan.FromMilliseconds(wait), time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await Task.WhenAll(open);
    }

    public ValueTask DisposeAsync() => EndAsync();

    /// <summary>Closes what the client holds.</summary>
    protected virtual ValueTask EndAsync() => ValueTask.CompletedTask;

    /// <summary>Sends one request.</summary>
    /// <returns>Null when it was acknowledged, else why not.</returns>
    protected abstract Task<string?> SendAsync(long id, CancellationToken cancel);

    /// <summary>Failures that a client of a network expects; anything else is a bug.</summary>
    protected static bool IsExpected(Exception failure) =>
        failure is IOException or SocketException or TimeoutException or OperationCanceledException or DbException or HttpRequestException or InvalidDataException or ObjectDisposedException;

    private double NowMs() => time.GetElapsedTime(_began).TotalMilliseconds;

    private async Task OneAsync(long id)
    {
        using var limit = new CancellationTokenSource(patience, time);
        var sent = NowMs();
        string? error;
        try
        {
            error = await SendAsync(id, limit.Token);
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            error = failure is OperationCanceledException ? $"no answer within {patience.TotalSeconds:0.#} s" : failure.Message;
        }

        _seen.Enqueue(new(id, sent, NowMs(), error));
    }
}
