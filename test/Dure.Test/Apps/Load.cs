using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using Xunit;

namespace Dure.Test.Apps;

/// <summary>
/// Asks without a pause, over connections that are used again and new ones, and keeps every answer that was not good. A connection that was used before and was closed before anything was answered
/// is asked again over a new one, as browsers do (RFC 9112, 9.3.1): who serves may close what lies idle at the moment when it is used.
/// </summary>
internal sealed class Load : IDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentQueue<string> _bad = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Task _running;
    private int _good, _again;

    /// <summary>Requests that met a kept connection's end.</summary>
    public int AskedAgain => _again;

    public Load(string url, int clients = 8)
    {
        _running = Task.WhenAll(Enumerable.Range(0, clients).Select(client => Task.Run(() => AskAsync(url, again: client % 2 == 0))));
    }

    /// <summary>Stops, and fails the test when any request did.</summary>
    /// <returns>How many were answered, and how many of them in a second.</returns>
    public async Task<(int Good, double Second)> EndAsync()
    {
        await _ending.CancelAsync();
        await _running;
        _clock.Stop();
        Assert.True(_bad.IsEmpty, $"{_bad.Count} of {_bad.Count + _good} failed: {string.Join('\n', _bad.Take(3))}");
        Assert.True(_good > 0, "Nobody was asked.");
        return (_good, _good / _clock.Elapsed.TotalSeconds);
    }

    public void Dispose() => _ending.Dispose();

    private async Task AskAsync(string url, bool again)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = again ? TimeSpan.FromMinutes(1) : TimeSpan.Zero });
        var used = false;
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri(url));
                used = again;
                if (answer.IsSuccessStatusCode)
                    Interlocked.Increment(ref _good);
                else
                    _bad.Enqueue($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            }
            catch (HttpRequestException closed) when (used && closed.InnerException is HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded } or IOException { InnerException: SocketException })
            {
                // The next one is over a new connection, and counts.
                used = false;
                Interlocked.Increment(ref _again);
                continue;
            }
            catch (HttpRequestException failed)
            {
                _bad.Enqueue(failed.ToString());
            }

            await Task.Delay(20);
        }
    }
}
