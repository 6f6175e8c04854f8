using System.Collections.Concurrent;
using Xunit;

namespace Dure.Test.Apps;

/// <summary>Asks without a pause, over connections that are used again and new ones, and keeps every answer that was not good.</summary>
internal sealed class Load : IDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentQueue<string> _bad = new();
    private readonly Task _running;
    private int _good;

    public Load(string url, int clients = 8)
    {
        _running = Task.WhenAll(Enumerable.Range(0, clients).Select(client => Task.Run(() => AskAsync(url, again: client % 2 == 0))));
    }

    /// <summary>Stops, and fails the test when any request did.</summary>
    public async Task<int> EndAsync()
    {
        await _ending.CancelAsync();
        await _running;
        Assert.True(_bad.IsEmpty, $"{_bad.Count} of {_bad.Count + _good} failed: {string.Join('\n', _bad.Take(3))}");
        Assert.True(_good > 0, "Nobody was asked.");
        return _good;
    }

    public void Dispose() => _ending.Dispose();

    private async Task AskAsync(string url, bool again)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = again ? TimeSpan.FromMinutes(1) : TimeSpan.Zero });
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri(url));
                if (answer.IsSuccessStatusCode)
                    Interlocked.Increment(ref _good);
                else
                    _bad.Enqueue($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            }
            catch (HttpRequestException failed)
            {
                _bad.Enqueue(failed.ToString());
            }

            await Task.Delay(20);
        }
    }
}
