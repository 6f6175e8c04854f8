using Dure.Functions.Dispatch;

namespace Dure.Functions.Logs;

/// <summary>The indexes of logs that are being looked at; the one unused longest makes room.</summary>
public sealed class LogIndexes(LogBook logs)
{
    private const int Most = 64;
    private readonly Lock _gate = new();
    private readonly Dictionary<long, (LogIndex Index, long Used)> _known = [];
    private long _clock;

    /// <summary>The index of an invocation's log.</summary>
    public LogIndex Of(long invocation)
    {
        lock (_gate)
        {
            var index = _known.TryGetValue(invocation, out var known) ? known.Index : new LogIndex(logs.PathOf(invocation));
            _known[invocation] = (index, ++_clock);
            // Whoever still reads with one that makes room reads on; it is only forgotten.
            if (_known.Count > Most)
                _known.Remove(_known.MinBy(k => k.Value.Used).Key);
            return index;
        }
    }
}
