using Dure.Functions.Lists;
using Dure.Functions.Logs;
using Dure.Functions.Retention;
using Dure.Functions.Trends;
using Dure.Functions.Usage;
using Dure.Functions.Workers;
using Dure.Host.Web.OpenApi;

namespace Dure.Functions.Api;

/// <summary>The functions slice's part of the API's document.</summary>
internal static class FunctionsOperations
{
    private static readonly Dictionary<string, string> InvokeParameters = new(StringComparer.Ordinal)
    {
        ["version"] = "A version's number, digest or first digits of it; without, the live one or the canary.",
        ["Prefer"] = "wait (until it ends), wait=SECONDS (202 after that), respond-async (202 at once) or stream.",
        ["Idempotency-Key"] = "The same key with the same event is the same invocation.",
        ["Dure-Callback-Url"] = "Told by POST how it ended.",
    };

    private static readonly Dictionary<string, string> ListParameters = new(StringComparer.Ordinal)
    {
        ["function"] = "Its name.", ["version"] = "A version's number, or the first digits of its digest (four at least).",
        ["state"] = "PENDING, PROCESSING, SUCCESS, FAILED, CANCELLED or UNKNOWN; several with commas between.", ["trigger"] = "api, schedule or rerun; several with commas between.", ["owner"] = "Who asked.",
        ["since"] = "Asked at or after, RFC 3339.", ["until"] = "Asked before, RFC 3339.", ["text"] = "Found in the reason or the error, or how the id begins.",
        ["up_to"] = "Only up to this id: what is read does not move while newer ones come.", ["above"] = "Only newer than this id.",
        ["limit"] = "Items, 1 to 1000.", ["cursor"] = "As `next` of the page before.", ["offset"] = "Items passed over, instead of a cursor.",
        ["total"] = "true counts what matches, exactly up to 100000.",
    };

    private static readonly Dictionary<string, string> OnTopOf = new(StringComparer.Ordinal) { ["If-Match"] = "The function's `tag` as it was seen: 412 when somebody changed it meanwhile." };
    private static readonly Dictionary<string, string> FacetParameters = ListParameters.Where(p => p.Key is not ("limit" or "cursor" or "offset" or "total")).ToDictionary(StringComparer.Ordinal);

    /// <summary>One for each endpoint that the slice maps.</summary>
    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("POST", "/api/functions/{name}/invocations", "Invoke: 200 with the result, or 202 with the id.", 200) { RequestType = "application/octet-stream", ResponseType = "application/octet-stream", Parameters = InvokeParameters },
        new("POST", "/api/functions/{name}/invocations/batch", "Invoke once for each line.", 202, ApiJson.Default.BatchView) { RequestType = "application/x-ndjson" },
        new("GET", "/api/functions", "Functions.", 200, ApiJson.Default.PageFunctionView) { Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["text"] = "Found in the name." } },
        new("GET", "/api/functions/{name}", "One function.", 200, ApiJson.Default.FunctionView),
        new("DELETE", "/api/functions/{name}", "Take a function out of service.", 204),
        new("GET", "/api/functions/{name}/versions", "Its versions, the newest first.", 200, ApiJson.Default.PageVersionView),
        new("POST", "/api/functions/{name}/versions", "Build and deploy a folder; one JSON object a line tells how it goes.", 200)
        {
            RequestType = "application/gzip",
            ResponseType = "application/x-ndjson",
            Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["canary"] = "Percent of calls that go to it, instead of all.", ["If-Match"] = OnTopOf["If-Match"], ["If-None-Match"] = "`*`: only when there is no function of this name." },
        },
        new("GET", "/api/functions/{name}/diff", "What changed between two versions.", 200, ApiJson.Default.DiffView) { Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["from"] = "A version.", ["to"] = "A version." } },
        new("PUT", "/api/functions/{name}/live", "Send calls to a version.", 200, ApiJson.Default.FunctionView, ApiJson.Default.SetLive) { Parameters = OnTopOf },
        new("POST", "/api/functions/{name}/rollback", "Send calls to the version before, or to another.", 200, ApiJson.Default.FunctionView, ApiJson.Default.Rollback) { Parameters = OnTopOf },
        new("GET", "/api/functions/{name}/history", "Who sent callers where, and when, the newest first.", 200, ApiJson.Default.PageReleaseView),
        new("GET", "/api/functions/{name}/schedule", "When it runs by itself: the next firings, and those that were missed.", 200, ApiJson.Default.AheadView),
        new("GET", "/api/functions/{name}/versions/{version}/files", "Files of a version's source.", 200, ApiJson.Default.PageSourceFileView) { Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["limit"] = "Items, 1 to 10000.", ["cursor"] = "As `next` of the page before." } },
        new("GET", "/api/functions/{name}/versions/{version}/file", "One file of a version's source.", 200) { ResponseType = "application/octet-stream", Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["path"] = "Its path, as the list has it." } },
        new("GET", "/api/functions/{name}/versions/{version}/source", "A version's source as it was sent.", 200) { ResponseType = "application/octet-stream" },
        new("GET", "/api/functions/{name}/test-events", "Events that were saved to try it with.", 200, ApiJson.Default.PageTestEventView),
        new("GET", "/api/functions/{name}/test-events/{event}", "A saved event.", 200) { ResponseType = "application/json" },
        new("PUT", "/api/functions/{name}/test-events/{event}", "Save an event.", 204) { RequestType = "application/json" },
        new("DELETE", "/api/functions/{name}/test-events/{event}", "Forget a saved event.", 204),
        new("GET", "/api/templates", "What to begin a function with.", 200, ApiJson.Default.PageTemplateView),
        new("GET", "/api/functions/{name}/events", "States and log lines of its invocations as they come.", 200) { ResponseType = "text/event-stream" },
        new("GET", "/api/invocations", "Invocations, the newest first.", 200, ListJson.Default.InvocationPage) { Parameters = ListParameters },
        new("GET", "/api/invocations/facets", "How many there are by state, function and person.", 200, ListJson.Default.InvocationFacets) { Parameters = FacetParameters },
        new("GET", "/api/invocations/{id}", "One invocation with its attempts.", 200, ApiJson.Default.InvocationView),
        new("GET", "/api/invocations/{id}/result", "Its result.", 200) { ResponseType = "application/octet-stream" },
        new("GET", "/api/invocations/{id}/payload", "Its event.", 200) { ResponseType = "application/octet-stream" },
        new("GET", "/api/invocations/{id}/logs", "What it printed.", 200) { ResponseType = "text/plain", Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["follow"] = "true streams until it ends." } },
        new("GET", "/api/invocations/{id}/logs/index", "How long its log is, and where lines begin.", 200, LogJson.Default.LogIndexView) { Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["offsets"] = "false leaves them out." } },
        new("GET", "/api/invocations/{id}/logs/lines", "Lines of its log by number.", 200, LogJson.Default.LogWindow)
        {
            Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["from"] = "The first line, from 0.", ["count"] = "Lines at most, 1 to 2000; fewer come when they are long." },
        },
        new("GET", "/api/invocations/{id}/logs/search", "Lines of its log with a text; looks for some 0.4 s and says where to go on.", 200, LogJson.Default.LogHits)
        {
            Parameters = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["text"] = "What to look for, in what was printed.", ["regex"] = "true: it is a regular expression.", ["case"] = "true: upper and lower case differ.",
                ["after"] = "As `next` of the search before.", ["limit"] = "Hits at most, 1 to 10000.",
            },
        },
        new("GET", "/api/invocations/{id}/usage", "What its sandbox used, measured about each second: memory and processor. Invocations that share a process share what it uses.", 200, UsageJson.Default.Series)
        {
            Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["from"] = "Unix ms; without, its start.", ["to"] = "Unix ms; without, its end or now.", ["buckets"] = "At most, 1 to 4000." },
        },
        new("GET", "/api/invocations/{id}/events", "Its states and log lines as they come.", 200) { ResponseType = "text/event-stream" },
        new("POST", "/api/invocations/{id}/cancel", "End it.", 202, ApiJson.Default.InvocationView),
        new("POST", "/api/invocations/{id}/rerun", "Run the same version with the same event again.", 202, ApiJson.Default.InvocationView),
        .. WorkersApi.Operations,
        .. TrendsApi.Operations,
        new("GET", "/api/retention", "How long things are kept, and the last run.", 200, RetentionJson.Default.RetentionView),
        new("POST", "/api/retention", "Remove what is older than configured.", 200, RetentionJson.Default.RetentionReport) { Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["dry_run"] = "true removes nothing." } },
    ];
}
