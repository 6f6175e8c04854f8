using System.Text.Json;
using Dure.Host;
using Dure.Host.Identity;
using Dure.Host.Web;

namespace Dure.Storage.Replication;

/// <summary>Copies over HTTP: <c>/api/storage/status</c>, and verify, repair and restore, which answer line by line as they go.</summary>
internal sealed class StorageApi(ReplicationService service, Reconciliation reconciliation, StoreUpkeep? upkeep, ILogger log)
{
    /// <summary>Maps the endpoints.</summary>
    public void Map(Gate gate)
    {
        gate.Map("GET", "/api/storage/status", Scopes.Read, async http =>
            await JsonBody.WriteAsync(http, StorageStatusView.Of(await service.StatusAsync(http.RequestAborted), upkeep is null ? null : await upkeep.ViewAsync(http.RequestAborted)), ReplicationJson.Default.StorageStatusView));
        gate.Map("POST", "/api/storage/verify", Scopes.Admin, VerifyAsync);
        gate.Map("POST", "/api/storage/repair", Scopes.Admin, RepairAsync);
        gate.Map("POST", "/api/storage/restore", Scopes.Admin, RestoreAsync);
    }

    private Task VerifyAsync(HttpContext http) => StreamAsync(http, lines => reconciliation.VerifyAsync(Named(http, "provider"), Is(http, "full"), lines, http.RequestAborted));

    private Task RepairAsync(HttpContext http) => StreamAsync(http, lines => reconciliation.RepairAsync(Named(http, "provider"), Is(http, "full"), lines, http.RequestAborted));

    private Task RestoreAsync(HttpContext http) => Named(http, "from") is { } from
        ? StreamAsync(http, lines => reconciliation.RestoreAsync(from, Is(http, "dry_run"), lines, http.RequestAborted))
        : ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The query has a fault.", [new Fault("from", "The provider to restore from.")]));

    private static string? Named(HttpContext http, string name) => http.Request.Query[name].ToString() is { Length: > 0 } value ? value : null;

    private static bool Is(HttpContext http, string name) => http.Request.Query[name].ToString() is "true" or "1";

    private async Task StreamAsync(HttpContext http, Func<StorageLines, Task<Problem?>> work)
    {
        using var one = new SemaphoreSlim(1);
        var lines = new StorageLines(async line =>
        {
            await one.WaitAsync(http.RequestAborted);
            try
            {
                if (!http.Response.HasStarted)
                    http.Response.ContentType = JsonBody.Lines;
                await JsonBody.WriteLineAsync(http, line, ReplicationJson.Default.StorageLine);
            }
            finally
            {
                one.Release();
            }
        });
        Problem? problem = null;
        try
        {
            problem = await work(lines);
        }
        catch (Exception error) when (error is not OperationCanceledException && http.Response.HasStarted)
        {
            // Too late for an error of its own: the last line tells it.
            log.LogReconcileFailed(error);
            problem = ReplicationErrors.Failed.With(error.Message);
        }
        if (problem is null)
            return;
        if (http.Response.HasStarted)
            await lines.EndAsync(problem);
        else
            await ProblemResponse.WriteAsync(http, problem);
    }
}

/// <summary>What the API logs.</summary>
internal static partial class StorageApiLog
{
    [LoggerMessage(Level = LogLevel.Error, Message = "Comparing copies failed")]
    public static partial void LogReconcileFailed(this ILogger logger, Exception error);
}
