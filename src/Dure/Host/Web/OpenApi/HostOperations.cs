using Dure.Host.Commands;
using Dure.Host.Operations;

namespace Dure.Host.Web.OpenApi;

/// <summary>The host's part of the API's document.</summary>
internal static class HostOperations
{
    /// <summary>One for each endpoint that the host maps.</summary>
    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("GET", "/api/health", "Whether the server can work; 503 when it cannot. Needs no token.", 200, HostJson.Default.HealthView),
        new("GET", EchoSocket.Path, "A WebSocket that sends back what it gets, for who wants to know whether WebSockets come through. Needs no token.", 101),
        new("GET", "/api/status", "The server, its workers, its queue, its disk.", 200, HostJson.Default.StatusView),
        new("POST", "/api/stop", "Stop the server.", 202, null, HostJson.Default.StopRequest),
        new("GET", "/metrics", "Everything measured, for Prometheus.", 200) { ResponseType = "text/plain" },
        new("GET", "/errors/{id}", "What a kind of error means and what to do: the `type` of a problem leads here. Needs no token.", 200) { ResponseType = "text/markdown" },
        new("GET", "/openapi.json", "This document. Needs no token.", 200) { ResponseType = "application/json" },
        new("GET", "/api/tokens", "Tokens, without their secrets.", 200, HostJson.Default.PageViewTokenView)
        {
            Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["limit"] = "Items, 1 to 1000.", ["cursor"] = "As `next` of the page before.", ["mine"] = "Only one's own; without, everybody's, for owners." },
        },
        new("POST", "/api/tokens", "Make a token; its secret is told this once.", 201, HostJson.Default.CreatedTokenView, HostJson.Default.CreateTokenRequest)
        {
            Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["mine"] = "One's own, which may no more than oneself; without, a token of nobody in particular, for owners." },
        },
        new("DELETE", "/api/tokens/{id}", "Revoke a token.", 204),
        new("GET", "/api/secrets", "Names of secrets.", 200) { ResponseType = "application/json" },
        new("PUT", "/api/secrets/{name}", "Set a secret.", 204) { RequestType = "application/json" },
        new("DELETE", "/api/secrets/{name}", "Remove a secret.", 204),
        new("GET", "/api/backups", "Backups, the newest first.", 200, OperationsJson.Default.BackupListView),
        new("POST", "/api/backups", "Make a backup and verify it.", 201, OperationsJson.Default.BackupView),
    ];
}
