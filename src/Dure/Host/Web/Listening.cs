using Microsoft.AspNetCore.Connections;

namespace Dure.Host.Web;

/// <summary>How a listener begins.</summary>
internal static class Listening
{
    /// <summary>Begins to listen.</summary>
    /// <param name="where">Address and port, for people.</param>
    /// <returns>DURE0008 when another program listens there; null when it began.</returns>
    public static async Task<Problem?> BeginAsync(WebApplication app, string where, CancellationToken cancel)
    {
        try
        {
            await app.StartAsync(cancel);
            return null;
        }
        catch (IOException taken) when (taken.InnerException is AddressInUseException)
        {
            return HostErrors.AddressInUse.With($"{where} is taken by another program.");
        }
    }
}
