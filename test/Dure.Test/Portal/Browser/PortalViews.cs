using Xunit;

namespace Dure.Test.Portal.Browser;

/// <summary>Every view of the portal, with an address on a server that has a bit of everything (<see cref="SmallLab"/>).</summary>
internal static class PortalViews
{
    /// <summary>Addresses by the pattern of their route in <c>web/src/routes.tsx</c>; several where the view has parts. ID stands for an invocation that failed, RAN for one that did not.</summary>
    public static IReadOnlyDictionary<string, string[]> ByRoute { get; } = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["/"] = ["/"],
        ["/functions"] = ["/functions"],
        ["/functions/new"] = ["/functions/new"],
        ["/functions/:name/edit"] = ["/functions/counts/edit"],
        ["/functions/:name"] = ["/functions/counts"],
        ["/functions/:name/:tab"] = ["/functions/counts/try", "/functions/counts/versions", "/functions/counts/code", "/functions/counts/schedule", "/functions/counts/settings"],
        ["/invocations"] = ["/invocations", "/invocations?state=FAILED&range=24h"],
        ["/invocations/:id"] = ["/invocations/ID", "/invocations/RAN", "/invocations/ID?tab=logs"],
        ["/invocations/:id/compare"] = ["/invocations/ID/compare"],
        ["/invocations/:id/compare/:other"] = ["/invocations/ID/compare/RAN"],
        ["/workers"] = ["/workers"],
        ["/storage"] = ["/storage"],
        ["/storage/replication"] = ["/storage/replication"],
        ["/storage/keys"] = ["/storage/keys"],
        ["/storage/:bucket/*prefix"] = ["/storage/readings", "/storage/readings/2026/"],
        ["/notifications"] = ["/notifications"],
        ["/settings"] = ["/settings"],
        ["/settings/:tab"] = ["/settings/people", "/settings/tokens", "/settings/sessions", "/settings/secrets", "/settings/audit", "/settings/health"],
    };

    /// <summary>All of them, for a theory.</summary>
    public static TheoryData<string> All => [.. ByRoute.Values.SelectMany(paths => paths), "/no/such/page"];
}
