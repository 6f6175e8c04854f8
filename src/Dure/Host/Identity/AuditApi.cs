using System.Globalization;
using Dure.Host.Commands;
using Dure.Host.Web;

namespace Dure.Host.Identity;

/// <summary>The API of the audit trail: <c>/api/audit</c>, for owners.</summary>
internal static class AuditApi
{
    private const int LimitMax = 1000;

    /// <summary>Maps the endpoint.</summary>
    public static void Map(Gate gate, AuditTrail audit) => gate.Map("GET", "/api/audit", Scopes.Admin, http => ListAsync(http, audit));

    private static async Task ListAsync(HttpContext http, AuditTrail audit)
    {
        var query = http.Request.Query;
        var faults = new List<Fault>();
        var limit = 50;
        if (query.TryGetValue("limit", out var asked) && (!int.TryParse(asked, out limit) || limit is < 1 or > LimitMax))
            faults.Add(new Fault("limit", $"A number from 1 to {LimitMax}."));
        long before = long.MaxValue;
        if (query.TryGetValue("cursor", out var cursor) && !long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out before))
            faults.Add(new Fault("cursor", "As `next` of the page before."));
        var filter = new AuditFilter(query["who"], query["text"], Moment(http, "from", faults), Moment(http, "to", faults));
        if (faults.Count > 0)
        {
            await ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The list cannot be made.", faults));
            return;
        }
        var found = await audit.ListAsync(filter, before, limit + 1, http.RequestAborted);
        var items = found.Take(limit).Select(e => new AuditView(e.Id, e.At, e.Who, e.How, e.Address, e.Action, e.Subject, e.Status)).ToList();
        var next = found.Count > limit ? items[^1].Id.ToString(CultureInfo.InvariantCulture) : null;
        await JsonBody.WriteAsync(http, new PageView<AuditView>(items, next), SigninJson.Default.PageViewAuditView);
    }

    private static DateTimeOffset? Moment(HttpContext http, string name, List<Fault> faults)
    {
        if (!http.Request.Query.TryGetValue(name, out var text) || text.ToString().Length == 0)
            return null;
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment))
            return moment;
        faults.Add(new Fault(name, "A moment such as 2026-11-26T14:00:00Z."));
        return null;
    }
}
