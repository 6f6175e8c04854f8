using Dure.Host.Data;

namespace Dure.Storage.Store;

/// <summary>Rows of contents for readers, which ones are being read, and which are damaged.</summary>
internal sealed class Contents(Database database, DataFiles files, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<long, int> _pins = [];
    private readonly HashSet<long> _claimed = [];
    private readonly HashSet<long> _reported = [];

    public DataFiles Files => files;

    public Action? CorruptionFound { get; set; }

    /// <summary>Keeps a group of contents where it is; false when it is being removed.</summary>
    public bool Pin(long group)
    {
        lock (_gate)
        {
            if (_claimed.Contains(group))
                return false;
            _pins[group] = _pins.GetValueOrDefault(group) + 1;
            return true;
        }
    }

    public void Unpin(long group)
    {
        lock (_gate)
        {
            if (--_pins[group] == 0)
                _pins.Remove(group);
        }
    }

    /// <summary>Before a removal: false when somebody reads. Nobody begins to until <see cref="Removed"/>.</summary>
    public bool Claim(long group)
    {
        lock (_gate)
            return !_pins.ContainsKey(group) && (_claimed.Add(group) || true);
    }

    public void Removed(IEnumerable<long> groups)
    {
        lock (_gate)
            _claimed.ExceptWith(groups);
    }

    public ValueTask<SegmentBytes?> BytesAsync(long id, CancellationToken cancel) => database.ReadAsync(s => s.FirstAsync(
        "SELECT crcs, bytes FROM contents WHERE id = $1",
        static row => new SegmentBytes(row.GetFieldValue<byte[]>(0), row.IsDBNull(1) ? null : row.GetFieldValue<byte[]>(1)), id), cancel);

    /// <summary>The pieces of a group in order.</summary>
    public ValueTask<List<Segment>> SegmentsAsync(long group, CancellationToken cancel) => database.ReadAsync(s => s.QueryAsync(
        "SELECT id, size FROM contents WHERE group_id = $1 AND number > 0 AND size > 0 ORDER BY number", static row => new Segment(row.GetInt64(0), row.GetInt64(1)), group), cancel);

    /// <summary>Notes that a content is damaged and tells who repairs.</summary>
    public async ValueTask ReportAsync(long id)
    {
        lock (_gate)
        {
            if (!_reported.Add(id))
                return;
        }
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        // Removed contents are no damage: whoever reads one so late has an object that is gone.
        var marked = await database.WriteAsync(s => s.ExecuteAsync("INSERT INTO corrupt (content_id, at) SELECT id, $2 FROM contents WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM corrupt WHERE content_id = $1)", id, now));
        if (marked > 0)
            CorruptionFound?.Invoke();
        else
            Repaired(id);
    }

    /// <summary>It may be reported again.</summary>
    public void Repaired(long id)
    {
        lock (_gate)
            _reported.Remove(id);
    }
}
