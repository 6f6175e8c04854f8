using System.Collections.Concurrent;
using System.Net;
using Dure.Host.Programs;

namespace Dure.Apps.Sleeping;

/// <summary>
/// Connections that others made to ports of apps, as the kernel tells of their end (<c>ss -E</c>, which root may ask). A request that is over before anybody looks at the table of sockets is
/// seen here. Where nobody may ask, only what is open when it is looked at counts.
/// </summary>
internal sealed partial class ClosedConnections(ILoggerFactory loggers) : IAsyncDisposable
{
    private readonly ILogger _log = loggers.CreateLogger<ClosedConnections>();
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentDictionary<int, int> _ports = new();
    private Task? _reading;

    /// <summary>Begins to listen; once.</summary>
    public void Begin(int first, int last) => _reading ??= Task.Run(() => ReadAsync(first, last));

    /// <summary>How many have ended since the last time, by port.</summary>
    public IReadOnlyDictionary<int, int> Take()
    {
        var taken = new Dictionary<int, int>();
        foreach (var port in _ports.Keys)
        {
            if (_ports.TryRemove(port, out var count))
                taken[port] = count;
        }

        return taken;
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        if (_reading is not null)
            await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    // UNCONN 0 0 10.0.0.5:27003 10.0.0.9:40112
    private async Task ReadAsync(int first, int last)
    {
        string[] words = ["stdbuf", "-oL", "ss", "-H", "-n", "-t", "-E", FormattableString.Invariant($"sport >= :{first} and sport <= :{last}")];
        await foreach (var line in HostProgram.LinesAsync(words, _ending.Token))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            // Dure itself asks for health, and the door counts its own visitors.
            if (fields.Length >= 5 && IPEndPoint.TryParse(fields[3], out var local) && IPEndPoint.TryParse(fields[4], out var from) && !from.Address.Equals(local.Address))
                _ports.AddOrUpdate(local.Port, 1, static (_, count) => count + 1);
        }

        LogOver();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "the kernel does not tell when connections end (ss -E): short visits through the edge may be missed before an app falls asleep")]
    private partial void LogOver();
}
