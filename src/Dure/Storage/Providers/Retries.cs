using System.Net;

namespace Dure.Storage.Providers;

/// <summary>When and after how long a request is made again.</summary>
internal static class Retries
{
    /// <summary>Tries of one request, the first included.</summary>
    public const int TriesMax = 4;

    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    /// <summary>Whether a store that answers so may answer otherwise soon.</summary>
    public static bool IsPassing(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError
        or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    /// <summary>Twice as long each time, and a random share of it, so that many who failed together do not come back together.</summary>
    public static TimeSpan Pause(int tried) => Random.Shared.NextDouble() * Min(First * Math.Pow(2, tried), Longest);

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
