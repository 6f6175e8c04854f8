namespace Dure.Storage.Store;

/// <summary>
/// A page of a listing in the making: rows in the order of their keys become items and common prefixes. What lies below a common
/// prefix is skipped by a seek, never read.
/// </summary>
/// <param name="limit">Items and common prefixes together.</param>
internal sealed class Walk<T>(string prefix, string delimiter, int limit, Func<T, string> keyOf)
    where T : class
{
    private const int AtFirst = 64;
    private const int AfterSeek = 4;

    /// <summary>Reads rows from a key on.</summary>
    /// <param name="inclusive">False for keys greater than <paramref name="from"/>.</param>
    /// <param name="below">Keys less than this; null is without bound.</param>
    public delegate ValueTask<List<T>> Read(string from, bool inclusive, string? below, int limit);

    private readonly string? _below = prefix.Length == 0 ? null : KeyOrder.After(prefix);
    private string _last = "";

    public List<T> Items { get; } = [];

    public List<string> Prefixes { get; } = [];

    /// <summary>The last key or common prefix of a page that more follows; null at the end.</summary>
    public string? Next { get; private set; }

    /// <summary>The last item; null when a common prefix came after it.</summary>
    public T? LastItem { get; private set; }

    private bool Full => Items.Count + Prefixes.Count >= limit;

    /// <summary>Where to begin: nothing up to the marker, and when the marker is a common prefix, nothing below it.</summary>
    public (string From, bool Inclusive)? StartAfter(string marker)
    {
        if (marker.Length > 0 && marker.StartsWith(prefix, StringComparison.Ordinal) && KeyOrder.CommonPrefix(marker, prefix, delimiter) == marker)
            return KeyOrder.After(marker) is { } after ? (after, true) : null;
        return KeyOrder.Compare(marker, prefix) >= 0 && marker.Length > 0 ? (marker, false) : (prefix, true);
    }

    /// <summary>The rest of the rows of one key, which a page before this one has begun.</summary>
    public async ValueTask FinishAsync(string key, Func<int, ValueTask<List<T>>> read)
    {
        if (limit == 0 || !key.StartsWith(prefix, StringComparison.Ordinal) || KeyOrder.CommonPrefix(key, prefix, delimiter) is not null)
            return;
        foreach (var row in await read(limit + 1))
        {
            if (!Add(row))
                return;
        }
    }

    /// <summary>Reads until the page is full and something is known to follow it, or to the end.</summary>
    /// <param name="rest">When a key may have several rows: the rows of the same key after one.</param>
    public async ValueTask RunAsync((string From, bool Inclusive)? start, Read read, Func<T, ValueTask<List<T>>>? rest = null)
    {
        var batch = delimiter.Length == 0 ? limit + 1 : Math.Min(AtFirst, limit + 1);
        while (start is var (from, inclusive) && Next is null && limit > 0)
        {
            var rows = await read(from, inclusive, _below, batch);
            var (goOn, skipped) = Take(rows);
            if (!goOn || (!skipped && rows.Count < batch))
                return;
            if (skipped)
            {
                start = KeyOrder.After(_last) is { } after ? (after, true) : null;
                batch = AfterSeek;
                continue;
            }
            if (rest is not null && !TakeAll(await rest(rows[^1])))
                return;
            start = (keyOf(rows[^1]), false);
            batch = Math.Min(batch * 4, limit + 1);
        }
    }

    private bool TakeAll(List<T> rows) => rows.TrueForAll(Add);

    // Rows below a common prefix that came with the batch are passed over; if the batch ends among them, the next one begins behind them.
    private (bool GoOn, bool Skipped) Take(List<T> rows)
    {
        string? current = null;
        foreach (var row in rows)
        {
            if (current is not null && keyOf(row).StartsWith(current, StringComparison.Ordinal))
                continue;
            current = KeyOrder.CommonPrefix(keyOf(row), prefix, delimiter);
            if (!(current is null ? Add(row) : Add(current)))
                return (false, false);
        }
        return (true, current is not null);
    }

    private bool Add(T row)
    {
        if (Full)
        {
            Next = _last;
            return false;
        }
        Items.Add(row);
        (_last, LastItem) = (keyOf(row), row);
        return true;
    }

    private bool Add(string common)
    {
        if (Full)
        {
            Next = _last;
            return false;
        }
        Prefixes.Add(common);
        (_last, LastItem) = (common, null);
        return true;
    }
}
