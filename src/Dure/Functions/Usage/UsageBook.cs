using System.Collections.Concurrent;
using Dure.Functions.Dispatch;

namespace Dure.Functions.Usage;

/// <summary>
/// Keeps what running invocations use, measured about each second, beside their logs. Nothing here is on the way of a call: who has
/// ended is known by not being measured any more.
/// </summary>
public sealed partial class UsageBook(LogBook logs, ILogger logger)
{
    /// <summary>Points kept of an invocation: an hour at full resolution, then half of it for two, and so on.</summary>
    public const int MostPoints = 3600;

    // A crash of the server costs so many seconds of a chart.
    private const int FlushEvery = 10;

    private readonly ConcurrentDictionary<long, UsageTrack> _open = new();
    private readonly Lock _gate = new();
    private int _rounds;

    /// <summary>Where an invocation's use is or would be.</summary>
    public string PathOf(long invocation) => PathOf(logs, invocation);

    /// <inheritdoc cref="PathOf(long)"/>
    public static string PathOf(LogBook logs, long invocation) => Path.ChangeExtension(logs.PathOf(invocation), ".usage");

    /// <summary>Takes a round of measurements and returns at once; invocations that are not in it have ended, or wait.</summary>
    public void Take(IReadOnlyDictionary<long, UsagePoint> round)
    {
        if (round.Count == 0 && _open.IsEmpty)
            return;
        _ = Task.Run(() => Keep(round));
    }

    /// <summary>What is known of an invocation, oldest first.</summary>
    public IReadOnlyList<UsagePoint> Read(long invocation) =>
        _open.TryGetValue(invocation, out var track) ? track.Points() : UsageTrack.Load(PathOf(invocation));

    /// <summary>Writes out what waits, at the end of the server.</summary>
    public void FlushAll()
    {
        foreach (var track in _open.Values)
            Flush(track);
    }

    private void Keep(IReadOnlyDictionary<long, UsagePoint> round)
    {
        lock (_gate)
        {
            foreach (var (id, point) in round)
                _open.GetOrAdd(id, static (key, self) => new UsageTrack(self.PathOf(key), MostPoints), this).Add(point);
            foreach (var id in _open.Keys.Where(id => !round.ContainsKey(id)))
            {
                Flush(_open[id]);
                _open.TryRemove(id, out _);
            }
            if (++_rounds % FlushEvery == 0)
                FlushAll();
        }
    }

    private void Flush(UsageTrack track)
    {
        try
        {
            track.Flush();
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            // A full disk costs a chart, nothing else.
            LogNotKept(refused.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "What an invocation used could not be kept: {Why}")]
    private partial void LogNotKept(string why);
}
