namespace Dure.Host.Web;

/// <summary>Marks an endpoint whose short requests are handled on the thread that read them; all others go to the pool first (see <see cref="OnPool"/>).</summary>
/// <param name="BodyMost">Longest body of a short request, bytes.</param>
internal sealed record StaysOnReader(int BodyMost)
{
    /// <summary>Sends a request that may take long to the pool.</summary>
    public static Task InvokeAsync(HttpContext http, RequestDelegate next) =>
        http.GetEndpoint()?.Metadata.GetMetadata<StaysOnReader>() is { } mark && mark.IsShort(http.Request) ? next(http) : OnPool.RunAsync(() => next(http));

    // With a key the database is read, and a stream is read from a file as it grows.
    private bool IsShort(HttpRequest request) => request.ContentLength <= BodyMost && !request.Headers.ContainsKey("Idempotency-Key")
        && !request.Headers["Prefer"].ToString().Contains("stream", StringComparison.OrdinalIgnoreCase);
}
