using System.Globalization;
using Dure.Host.Data;

namespace Dure.Functions.Lists;

/// <summary>How many there are of what.</summary>
/// <param name="Exact">False when only the newest <see cref="InvocationCounts.Most"/> were counted.</param>
/// <param name="Cells">Invocations by function and state.</param>
/// <param name="Owners">Who asked most among the newest.</param>
public sealed record CountedInvocations(bool Exact, IReadOnlyList<InvocationCell> Cells, IReadOnlyList<(string Name, long Count)> Owners);

/// <summary>Invocations of one function in one state.</summary>
public readonly record struct InvocationCell(long Function, InvocationState State, long Count);

/// <summary>
/// Counts invocations for lists. Most have succeeded, and those are not read: they are what remains of an index's count when the
/// others, which have small indexes of their own, are taken away. Only filters by person, version or trigger read every row.
/// </summary>
public sealed class InvocationCounts(Database database)
{
    /// <summary>Counts above this are not exact.</summary>
    public const int Most = 100_000;

    private const int OwnersFrom = 5000;
    private const int OwnersMost = 50;

    /// <summary>How many match, up to one more than <see cref="Most"/>.</summary>
    public ValueTask<long> TotalAsync(InvocationFilter filter, CancellationToken cancel)
    {
        var query = new InvocationQuery(filter with { Below = null });
        return database.ReadAsync(async s => await s.ScalarAsync<long>($"SELECT COUNT(*) FROM (SELECT 1 FROM invocations i {query.Where} LIMIT {Invariant(Most + 1)}) AS found", query.Values), cancel);
    }

    /// <summary>Counts by function and state within the filter, whatever functions and states it names.</summary>
    public ValueTask<CountedInvocations> CountAsync(InvocationFilter filter, CancellationToken cancel) => database.ReadAsync(async s =>
    {
        var wide = filter with { Function = null, States = [], Below = null };
        var floor = await FloorAsync(s, wide);
        if (floor is { } above)
            wide = wide with { Above = Math.Max(above, filter.Above ?? 0) };
        var cells = wide is { Owner: null, Version: null, Triggers.Count: 0 } ? await RemainderAsync(s, wide) : await EachAsync(s, new InvocationQuery(wide));
        var query = new InvocationQuery(filter with { Below = null });
        var owners = await s.QueryAsync($"""
            SELECT owner, COUNT(*) FROM (SELECT i.owner FROM invocations i {query.Where} ORDER BY i.id DESC LIMIT {Invariant(OwnersFrom)}) AS newest
            GROUP BY owner ORDER BY COUNT(*) DESC, owner LIMIT {Invariant(OwnersMost)}
            """, static r => (r.GetString(0), r.GetInt64(1)), query.Values);
        return new CountedInvocations(floor is null, cells, owners);
    }, cancel);

    // The id below which nothing is counted; null when everything is.
    private static async ValueTask<long?> FloorAsync(DbSession s, InvocationFilter filter)
    {
        if (await s.ScalarAsync<long>("SELECT COUNT(*) FROM invocations") <= Most)
            return null;
        var range = new InvocationQuery(new InvocationFilter { Limit = 1, Since = filter.Since, Until = filter.Until });
        var floor = await s.ScalarAsync<long>($"SELECT i.id FROM invocations i {range.Where} ORDER BY i.id DESC LIMIT 1 OFFSET {Invariant(Most)}", range.Values);
        return floor == 0 ? null : floor;
    }

    private static async ValueTask<List<InvocationCell>> RemainderAsync(DbSession s, InvocationFilter filter)
    {
        if (filter.Text is not null)
            return await EachAsync(s, new InvocationQuery(filter));
        InvocationState[] broken = [InvocationState.Failed, InvocationState.Cancelled, InvocationState.Unknown];
        InvocationState[] open = [InvocationState.Pending, InvocationState.Processing];
        List<InvocationCell> cells = [.. await EachAsync(s, new InvocationQuery(filter with { States = broken })), .. await EachAsync(s, new InvocationQuery(filter with { States = open }))];
        var others = cells.GroupBy(c => c.Function).ToDictionary(g => g.Key, g => g.Sum(c => c.Count));
        var range = new InvocationQuery(filter);
        var all = await s.QueryAsync($"SELECT f.id, (SELECT COUNT(*) FROM invocations i {range.And} i.function_id = f.id) FROM functions f", static r => (Id: r.GetInt64(0), Count: r.GetInt64(1)), range.Values);
        // Reads of one session see one moment only within a transaction: what ended between two of them must not make a count negative.
        cells.AddRange(all.Select(f => new InvocationCell(f.Id, InvocationState.Success, Math.Max(0, f.Count - others.GetValueOrDefault(f.Id)))).Where(c => c.Count > 0));
        return cells;
    }

    // One number a row is what sorting costs least.
    private static async ValueTask<List<InvocationCell>> EachAsync(DbSession s, InvocationQuery query) =>
        await s.QueryAsync($"SELECT i.function_id * 8 + i.state AS cell, COUNT(*) FROM invocations i {query.Where} GROUP BY i.function_id * 8 + i.state",
            static r => new InvocationCell(r.GetInt64(0) >> 3, (InvocationState)(r.GetInt64(0) & 7), r.GetInt64(1)), query.Values);

    private static string Invariant(long number) => number.ToString(CultureInfo.InvariantCulture);
}
