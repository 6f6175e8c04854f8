namespace Dure.Functions.Worker;

/// <summary>
/// What the server has yet to be told, in order. Without a server, log text is kept up to 4 MiB a slot and then counted; all
/// else is kept. Belongs to the reactor's thread.
/// </summary>
internal sealed class Outbox(TimeProvider time)
{
    private static readonly TimeSpan RepeatedFor = TimeSpan.FromSeconds(60);

    /// <summary>Log bytes kept for one slot while no server is connected.</summary>
    public const int KeptMost = 4 << 20;

    private const int HighWater = 1 << 20;
    private const int LowWater = 256 << 10;
    private const int LastExitsMost = 256;
    private const long KeptTogetherMost = 64 << 20;
    private readonly LinkedList<Entry> _waiting = new();
    private readonly Dictionary<string, Kept> _kept = new(StringComparer.Ordinal);
    private readonly Queue<(Entry Entry, long At)> _lastExits = new();
    private int _headSent;
    private long _bytes;
    private bool _full;

    /// <summary>Whether a server is there to take what is added.</summary>
    public bool Connected { get; private set; }

    /// <summary>True when output should not be read from sandboxes now; <see cref="Drained"/> says when it may again.</summary>
    public bool Full => Connected && _full;

    /// <summary>Raised when there is something to send.</summary>
    public Action Added { get; set; } = () => { };

    /// <summary>Raised when <see cref="Full"/> became false.</summary>
    public Action Drained { get; set; } = () => { };

    /// <summary>
    /// Slots whose end the next server will hear of. They belong into the greeting, so that it waits for the reason instead of
    /// concluding from their absence that they were lost.
    /// </summary>
    public IReadOnlyList<LiveSlot> Ended =>
        [.. Repeated().Concat(_waiting.Where(e => e.Kind == Kind.Exit)).Select(e => e.Slot!).Distinct(StringComparer.Ordinal)
            .Select(slot => new LiveSlot(slot, Generic: false, Started: false))];

    /// <summary>Adds a message at the end.</summary>
    public void Add(FromWorker message) => Append(message, 0);

    /// <summary>Adds log lines, or counts them when too many wait for a server.</summary>
    public void AddLog(SandboxLog log, int lines, int bytes)
    {
        if (Connected)
        {
            Append(log, bytes);
            return;
        }

        if (!_kept.TryGetValue(log.Slot, out var kept)) _kept[log.Slot] = kept = new Kept();
        if (kept.Dropped > 0 || kept.Bytes + bytes > KeptMost || _bytes > KeptTogetherMost)
        {
            kept.Dropped += lines;
            return;
        }

        kept.Bytes += bytes;
        Append(log, bytes);
    }

    /// <summary>Says how many lines of a slot were dropped, in their place: after what was kept of it.</summary>
    public void SayDropped(string slot, long now)
    {
        if (!_kept.Remove(slot, out var kept) || kept.Dropped == 0) return;
        var text = $"{kept.Dropped} lines were dropped: no server was there to take them";
        Append(new SandboxLog(slot, "sys", now, text), text.Length);
    }

    /// <summary>
    /// A server came. It hears <paramref name="hello"/>, then the last exits that an earlier server may have taken to its grave,
    /// then all that waits.
    /// </summary>
    public void Connect(WorkerHello hello, long now)
    {
        Connected = true;
        _headSent = 0;
        foreach (var slot in _kept.Keys.ToArray()) SayDropped(slot, now);
        var first = new List<Entry> { new(WorkerWire.Line(hello), Kind.Passing) };
        first.AddRange(Repeated().Select(entry => entry with { Kind = Kind.Repeated }));
        for (var i = first.Count - 1; i >= 0; i--)
        {
            _waiting.AddFirst(first[i]);
            _bytes += first[i].Line.Length;
        }

        _full = _bytes > HighWater;
        Added();
    }

    /// <summary>The server went: a message that was cut off will be said again in full; beats and greetings are of no use any more.</summary>
    public void Disconnect()
    {
        Connected = false;
        _headSent = 0;
        for (var node = _waiting.First; node is not null;)
        {
            var next = node.Next;
            if (node.Value.Kind is Kind.Passing or Kind.Repeated)
            {
                _bytes -= node.Value.Line.Length;
                _waiting.Remove(node);
            }

            node = next;
        }

        _full = false;
        Drained();
    }

    /// <summary>The next bytes to send; empty when there is nothing.</summary>
    public ReadOnlySpan<byte> Next => _waiting.First is { } head ? head.Value.Line.AsSpan(_headSent) : default;

    /// <summary>So many bytes of <see cref="Next"/> were sent.</summary>
    public void Sent(int count)
    {
        var head = _waiting.First!;
        _headSent += count;
        if (_headSent < head.Value.Line.Length) return;
        _headSent = 0;
        _bytes -= head.Value.Line.Length;
        _waiting.RemoveFirst();
        if (head.Value.Kind == Kind.Exit)
        {
            _lastExits.Enqueue((head.Value, time.GetTimestamp()));
            if (_lastExits.Count > LastExitsMost) _lastExits.Dequeue();
        }

        if (!_full || _bytes > LowWater) return;
        _full = false;
        Drained();
    }

    private IEnumerable<Entry> Repeated() => _lastExits.Where(e => time.GetElapsedTime(e.At) <= RepeatedFor).Select(e => e.Entry);

    private void Append(FromWorker message, int logBytes)
    {
        var kind = message switch
        {
            // What has started stands in the next greeting; told twice, it would be talked to twice.
            WorkerHello or WorkerBeat or SandboxUsage or SandboxStarted => Kind.Passing,
            SandboxExited or SandboxStartFailed => Kind.Exit,
            _ => Kind.Kept,
        };
        if (kind == Kind.Passing && !Connected) return;
        var entry = new Entry(WorkerWire.Line(message), kind, (message as SandboxExited)?.Slot ?? (message as SandboxStartFailed)?.Slot);
        _waiting.AddLast(entry);
        _bytes += entry.Line.Length;
        if (logBytes > 0 && _bytes > HighWater) _full = true;
        if (Connected) Added();
    }

    private enum Kind
    {
        Kept,
        Exit,
        Repeated,
        Passing,
    }

    private sealed record Entry(byte[] Line, Kind Kind, string? Slot = null);

    private sealed class Kept
    {
        public long Bytes { get; set; }

        public long Dropped { get; set; }
    }
}
