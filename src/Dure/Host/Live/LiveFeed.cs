namespace Dure.Host.Live;

/// <summary>
/// What one connection has still to be told: bounded, and never waited for by those who tell it. Changes of one thing become one; of a
/// topic with too many changes only the word is left that there are more (<c>more</c>), whereupon the viewer fetches anew.
/// </summary>
public sealed class LiveFeed : IDisposable
{
    /// <summary>Changes of one topic that wait, and so those that are sent at once.</summary>
    public const int ChangesMost = 200;

    private const int PiecesMost = 4;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly SemaphoreSlim _room = new(PiecesMost);
    private readonly Dictionary<string, string> _marks = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Event, string Key), LiveChange> _changes = [];
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly HashSet<string> _more = new(StringComparer.Ordinal);
    private readonly Queue<LivePiece> _pieces = new();
    private bool _over;

    /// <summary>Takes a change.</summary>
    public void Change(LiveChange change)
    {
        lock (_gate)
        {
            var key = (change.Event, change.Key);
            if (_changes.TryGetValue(key, out var waiting))
            {
                // It stays with the topic that it came for first.
                if (change.Order >= waiting.Order)
                    _changes[key] = change with { Topic = waiting.Topic };
            }
            else if (_more.Contains(change.Topic))
            {
                return;
            }
            else if (_counts.GetValueOrDefault(change.Topic) == ChangesMost)
            {
                TellMore(change.Topic);
            }
            else
            {
                _changes.Add(key, change);
                _counts[change.Topic] = _counts.GetValueOrDefault(change.Topic) + 1;
            }
        }
        Wake();
    }

    /// <summary>A topic has more changes than can be told one by one.</summary>
    public void More(string topic)
    {
        lock (_gate)
            TellMore(topic);
        Wake();
    }

    /// <summary>Says how far a topic has been told with what was given so far; goes out with that.</summary>
    public void Mark(string key, string value)
    {
        lock (_gate)
            _marks[key] = value;
    }

    /// <summary>Takes a piece of something that is told whole and in order, once there is room: who reads slowly is told slowly.</summary>
    public async ValueTask PutAsync(LivePiece piece, CancellationToken cancel)
    {
        await _room.WaitAsync(cancel);
        lock (_gate)
        {
            _pieces.Enqueue(piece);
            _marks[piece.Mark.Key] = piece.Mark.Value;
        }
        Wake();
    }

    /// <summary>Waits until there is something to tell.</summary>
    /// <returns>False when there was nothing within the wait.</returns>
    public Task<bool> WaitAsync(TimeSpan longest, CancellationToken cancel) => _wake.WaitAsync(longest, cancel);

    /// <summary>Takes everything out.</summary>
    public LiveBatch Take()
    {
        lock (_gate)
        {
            var batch = new LiveBatch([.. _pieces], [.. _changes.Values], [.. _more], new Dictionary<string, string>(_marks, StringComparer.Ordinal));
            if (_pieces.Count > 0)
                _room.Release(_pieces.Count);
            _pieces.Clear();
            _changes.Clear();
            _counts.Clear();
            _more.Clear();
            return batch;
        }
    }

    /// <summary>What is told from now on goes nowhere.</summary>
    public void Dispose()
    {
        lock (_gate)
            _over = true;
        _wake.Dispose();
        _room.Dispose();
    }

    private void TellMore(string topic)
    {
        if (!_more.Add(topic))
            return;
        foreach (var key in _changes.Where(change => change.Value.Topic == topic).Select(change => change.Key).ToList())
            _changes.Remove(key);
        _counts.Remove(topic);
    }

    private void Wake()
    {
        lock (_gate)
        {
            if (!_over && _wake.CurrentCount == 0)
                _wake.Release();
        }
    }
}

/// <summary>A part of something that is told whole.</summary>
/// <param name="Mark">Key and value of the mark that stands behind this piece.</param>
public sealed record LivePiece(string Event, byte[] Data, KeyValuePair<string, string> Mark);

/// <summary>What is sent at once.</summary>
/// <param name="More">Topics with too many changes.</param>
/// <param name="Marks">Where the topics stand once all of this is sent.</param>
public sealed record LiveBatch(IReadOnlyList<LivePiece> Pieces, IReadOnlyList<LiveChange> Changes, IReadOnlyList<string> More, IReadOnlyDictionary<string, string> Marks)
{
    /// <summary>Nothing but marks.</summary>
    public bool IsEmpty => Pieces.Count + Changes.Count + More.Count == 0;
}
