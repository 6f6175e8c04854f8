using Dure.Functions.Api;
using Dure.Host;
using Dure.Host.Web;

namespace Dure.Functions.Lists;

/// <summary>A page of invocations.</summary>
/// <param name="Next">Cursor of the next page, or null at the end.</param>
/// <param name="Total">How many match, when it was asked for.</param>
/// <param name="TotalIsExact">False when there are more than <see cref="InvocationCounts.Most"/>, which is then the total.</param>
public sealed record InvocationPage(IReadOnlyList<InvocationView> Items, string? Next, long? Total = null, bool? TotalIsExact = null);

/// <summary>How many have one value of a field.</summary>
public sealed record FacetView(string Value, long Count);

/// <summary>What there is within a filter.</summary>
/// <param name="Exact">False when more than <see cref="InvocationCounts.Most"/> are in the time asked for: then only the newest so many are counted by state and function.</param>
/// <param name="States">Counts by state, within the filter but for its states; all six, also those with none.</param>
/// <param name="Functions">Counts by function, within the filter but for its function; the most first.</param>
/// <param name="Owners">Counts by person among the newest 5,000 that match; the most first.</param>
public sealed record InvocationFacets(long Total, bool TotalIsExact, bool Exact, IReadOnlyList<FacetView> States, IReadOnlyList<FacetView> Functions, IReadOnlyList<FacetView> Owners);

/// <summary>Lists of invocations and what there is in them.</summary>
internal sealed class ListEndpoints(FunctionsContext context, InvocationCounts counts)
{
    /// <summary>GET /api/invocations.</summary>
    public async Task ListAsync(HttpContext http)
    {
        if (await ReadAsync(http) is not { } filter)
            return;
        var items = await context.Reader.ListAsync(filter with { Limit = filter.Limit + 1 }, http.RequestAborted);
        var more = items.Count > filter.Limit;
        if (more)
            items.RemoveAt(items.Count - 1);
        var page = new InvocationPage(items, more ? items[^1].Id : null);
        if (http.Request.Query["total"] == "true")
        {
            var total = await counts.TotalAsync(filter, http.RequestAborted);
            page = page with { Total = Math.Min(total, InvocationCounts.Most), TotalIsExact = total <= InvocationCounts.Most };
        }
        await InvocationEndpoints.JsonAsync(http, page, ListJson.Default.InvocationPage);
    }

    /// <summary>GET /api/invocations/facets.</summary>
    public async Task FacetsAsync(HttpContext http)
    {
        if (await ReadAsync(http) is not { } filter)
            return;
        var counted = await counts.CountAsync(filter, http.RequestAborted);
        bool InFunction(InvocationCell cell) => filter.Function is not { } function || cell.Function == function;
        bool InStates(InvocationCell cell) => filter.States.Count == 0 || filter.States.Contains(cell.State);
        var total = counted.Exact ? counted.Cells.Where(c => InFunction(c) && InStates(c)).Sum(c => c.Count) : await counts.TotalAsync(filter, http.RequestAborted);
        var names = context.Catalog.All.ToDictionary(f => f.Id, f => f.Name);
        var facets = new InvocationFacets(Math.Min(total, InvocationCounts.Most), total <= InvocationCounts.Most, counted.Exact,
            [.. Enum.GetValues<InvocationState>().Select(state => new FacetView(state.Word(), counted.Cells.Where(c => c.State == state && InFunction(c)).Sum(c => c.Count)))],
            [.. counted.Cells.Where(InStates).GroupBy(c => c.Function).Where(g => names.ContainsKey(g.Key)).Select(g => new FacetView(names[g.Key], g.Sum(c => c.Count))).OrderByDescending(f => f.Count).ThenBy(f => f.Value, StringComparer.Ordinal)],
            [.. counted.Owners.Select(o => new FacetView(o.Name, o.Count))]);
        await InvocationEndpoints.JsonAsync(http, facets, ListJson.Default.InvocationFacets);
    }

    private async ValueTask<InvocationFilter?> ReadAsync(HttpContext http)
    {
        var filter = new FilterReader(http.Request.Query, context.Catalog).Read();
        if (filter.Ok)
            return filter.Value;
        await ProblemResponse.WriteAsync(http, filter.Problem);
        return null;
    }
}
