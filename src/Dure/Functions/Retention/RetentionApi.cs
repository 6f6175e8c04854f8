using Dure.Host.Identity;
using Dure.Host.Web;

namespace Dure.Functions.Retention;

/// <summary>Retention over HTTP: GET tells how long things are kept, POST runs it, with <c>?dry_run=true</c> without removing.</summary>
internal static class RetentionApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void Map(Gate gate, RetentionRun retention)
    {
        gate.Map("GET", "/api/retention", Scopes.Read, http => JsonBody.WriteAsync(http, new RetentionView(retention.Keep.Invocations.TotalMilliseconds,
            retention.Keep.Results.TotalMilliseconds, retention.Keep.Logs.TotalMilliseconds, retention.Keep.Versions, retention.Last), RetentionJson.Default.RetentionView));
        gate.Map("POST", "/api/retention", Scopes.Admin, async http =>
        {
            var dryRun = http.Request.Query["dry_run"] == "true";
            await JsonBody.WriteAsync(http, await retention.RunAsync(dryRun, http.RequestAborted), RetentionJson.Default.RetentionReport);
        });
    }
}
