namespace Dure.Host.Commands;

/// <summary>Asks whether a server answers.</summary>
internal static class HealthProbe
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.FromMinutes(1) })
    {
        Timeout = TimeSpan.FromSeconds(5),
    };

    /// <summary>True when <c>/api/health</c> answers 200.</summary>
    public static async Task<bool> AnswersAsync(string url, CancellationToken cancel)
    {
        try
        {
            using var response = await Http.GetAsync(new Uri(new Uri(url), "/api/health"), cancel);
            return response.IsSuccessStatusCode;
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is TaskCanceledException && !cancel.IsCancellationRequested))
        {
            return false;
        }
    }
}
