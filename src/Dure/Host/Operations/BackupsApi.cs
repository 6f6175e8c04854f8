using Dure.Host.Identity;
using Dure.Host.Web;

namespace Dure.Host.Operations;

/// <summary>Backups over HTTP: POST makes one, GET lists them. To verify and restore takes no server.</summary>
internal static class BackupsApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void Map(Gate gate, Backups backups)
    {
        gate.Map("GET", "/api/backups", Scopes.Admin, http => JsonBody.WriteAsync(http, new BackupListView(backups.List(), null), OperationsJson.Default.BackupListView));
        gate.Map("POST", "/api/backups", Scopes.Admin, async http =>
        {
            // It goes on when the caller goes away: half a backup helps nobody.
            var made = await backups.CreateAsync(CancellationToken.None);
            if (!made.Ok)
            {
                await ProblemResponse.WriteAsync(http, made.Problem);
                return;
            }
            http.Response.StatusCode = StatusCodes.Status201Created;
            await JsonBody.WriteAsync(http, made.Value, OperationsJson.Default.BackupView);
        });
    }
}
