using System.Globalization;
using Dure.Storage.Signing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Dure.Test.Storage.Signing;

/// <summary>The key and the day of the published examples, and requests that stand in no server.</summary>
internal static class Published
{
    public const string Id = "AKIAIOSFODNN7EXAMPLE";
    public const string Secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    public const string Region = "us-east-1";
    public const string Empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    public static readonly AccessKey Key = new(Id, Secret, "ada", KeyScopes.Admin, [], null);
    public static readonly DateTimeOffset Day = new(2013, 5, 24, 0, 0, 0, TimeSpan.Zero);

    public static AccessKey? Find(string id) => id == Id ? Key : null;

    public static RequestVerifier Verifier(DateTimeOffset? now = null) => new(Find, Region, new StoppedClock(now ?? Day));

    /// <summary>A request as a client sends it: method and raw target, then headers.</summary>
    public static HttpRequest Request(string line, params ReadOnlySpan<(string Name, string Value)> headers)
    {
        var http = new DefaultHttpContext();
        var (method, target) = (line[..line.IndexOf(' ', StringComparison.Ordinal)], line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
        http.Features.Get<IHttpRequestFeature>()!.RawTarget = target;
        http.Request.Method = method;
        foreach (var (name, value) in headers)
        {
            http.Request.Headers.Append(name, value);
        }
        return http.Request;
    }

    /// <summary>Signs a request that was made by <see cref="Request"/>, its host and all of its x-amz- headers.</summary>
    public static HttpRequest Signed(this HttpRequest request, DateTimeOffset? now = null, string region = Region, string payload = Empty)
    {
        var at = now ?? Day;
        request.Headers["x-amz-date"] = at.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        request.Headers["x-amz-content-sha256"] = payload;
        var headers = request.Headers.Where(header => header.Key.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase))
            .ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.Ordinal);
        var raw = request.HttpContext.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var address = new Uri($"http://{request.Headers.Host}{raw}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        request.Headers.Authorization = Signer.Authorization(request.Method, address, Id, Secret, region, at, headers, payload);
        return request;
    }

    /// <summary>Time that stands still.</summary>
    internal sealed class StoppedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
