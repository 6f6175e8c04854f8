using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
using System.Net.Http.Headers;
using Dure.Host;
using Dure.Host.Configuration;
using Dure.Host.Web;

namespace Dure.Functions.Callbacks;

/// <summary>
/// Tells the addresses that callers gave how their invocations ended: at least once, until the receiver answers 2xx or the tries
/// are used up. At most eight at a time, at most four of them to one receiver.
/// </summary>
internal sealed partial class CallbackDelivery : IDisposable
{
    private const int AtOnce = 8;
    private const int PerReceiver = 4;
    private const int ErrorLengthMax = 500;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    private readonly CallbackStore _store;
    private readonly CallbackBody _body;
    private readonly CallbackKey _key;
    private readonly CallbackOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<long, byte> _running = new();
    private readonly ConcurrentDictionary<string, int> _receivers = new(StringComparer.OrdinalIgnoreCase);
    private readonly SemaphoreSlim _ended = new(0);
    private readonly HookClient _http;

    public CallbackDelivery(CallbackStore store, CallbackBody body, CallbackKey key, CallbackOptions options, TimeProvider time, ILogger<CallbackDelivery> logger)
    {
        (_store, _body, _key, _options, _time, _logger) = (store, body, key, options, time, logger);
        _http = new HookClient(options.Timeout);
    }

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

    public void Dispose()
    {
        _http.Dispose();
        _ended.Dispose();
    }

    /// <summary>The wait before the next try: doubles from one second to an hour, and is spread so that many do not come at once.</summary>
    internal static TimeSpan Wait(int tries, double jitter)
    {
        var full = Math.Min(LongestWait.TotalSeconds, Math.Pow(2, Math.Min(tries - 1, 30)));
        return TimeSpan.FromSeconds(full * (0.5 + jitter / 2));
    }

    private async Task StartDueAsync(CancellationToken cancel)
    {
        if (_running.Count >= AtOnce)
            return;
        var now = Now();
        foreach (var callback in await _store.DueAsync(now, now + (long)LongestWait.TotalMilliseconds, 2 * PerReceiver, 32 * AtOnce, cancel))
        {
            if (_running.Count >= AtOnce)
                return;
            var receiver = Uri.TryCreate(callback.Target, UriKind.Absolute, out var target) ? target.Authority : callback.Target;
            if (_running.ContainsKey(callback.Id) || _receivers.GetValueOrDefault(receiver) >= PerReceiver)
                continue;
            _receivers.AddOrUpdate(receiver, 1, static (_, count) => count + 1);
            _running[callback.Id] = 0;
            _ = Task.Run(() => DeliverOneAsync(callback, receiver, cancel), CancellationToken.None);
        }
    }

    private async Task DeliverOneAsync(DueCallback callback, string receiver, CancellationToken cancel)
    {
        try
        {
            var error = await SendAsync(callback, cancel);
            var tries = callback.Tries + 1;
            if (error is null)
            {
                await _store.DoneAsync(callback.Id, tries, Now(), null);
            }
            else if (tries >= _options.Attempts)
            {
                await _store.DoneAsync(callback.Id, tries, Now(), error);
                LogGivenUp(InvocationId.Format(callback.Invocation), tries, error);
            }
            else
            {
                await _store.RetryAsync(callback.Id, tries, Now() + (long)Wait(tries, Random.Shared.NextDouble()).TotalMilliseconds, error);
            }
        }
        catch (Exception error) when (error is DbException or OperationCanceledException)
        {
            // Not recorded, so it is delivered again: at least once.
        }
        finally
        {
            _receivers.AddOrUpdate(receiver, 0, static (_, count) => count - 1);
            _running.TryRemove(callback.Id, out _);
            if (!cancel.IsCancellationRequested)
                _ended.Release();
        }
    }

    /// <summary>Sends once.</summary>
    /// <returns>Null when the receiver took it, else what went wrong.</returns>
    private async Task<string?> SendAsync(DueCallback callback, CancellationToken cancel)
    {
        if (await _body.MakeAsync(callback.Invocation, cancel) is not { } body)
            return "the invocation is no longer kept";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(_options.Timeout);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, callback.Target);
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            request.Headers.Add("Dure-Signature", _key.Sign(_time.GetUtcNow(), body));
            request.Headers.Add("Dure-Invocation", InvocationId.Format(callback.Invocation));
            request.Headers.Add("Dure-Delivery-Attempt", (callback.Tries + 1).ToString(CultureInfo.InvariantCulture));
            using var response = await _http.SendAsync(request, limit.Token);
            var status = (int)response.StatusCode;
            return status is >= 200 and < 300 ? null : status is >= 300 and < 400 ? $"HTTP {status}: redirects are not followed" : $"HTTP {status}";
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return $"no answer within {_options.Timeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s";
        }
        catch (Exception error) when (error is HttpRequestException or IOException or UriFormatException or InvalidOperationException)
        {
            return error.Message.Length > ErrorLengthMax ? error.Message[..ErrorLengthMax] : error.Message;
        }
    }

    private long Now() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    [LoggerMessage(Level = LogLevel.Warning, Message = "The callback of invocation {Invocation} is given up after {Tries} tries: {Why}")]
    private partial void LogGivenUp(string invocation, int tries, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "Looking for callbacks failed; it is tried again")]
    private partial void LogRefused(Exception why);
}
