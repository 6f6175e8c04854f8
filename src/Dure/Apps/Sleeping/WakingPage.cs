using Microsoft.Net.Http.Headers;

namespace Dure.Apps.Sleeping;

/// <summary>What a browser shows while an app wakes. It asks again by itself, and shows the app once that answers.</summary>
internal static class WakingPage
{
    private const string Html =
        """
        <!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Waking up</title>
        <noscript><meta http-equiv="refresh" content="2"></noscript>
        <style>body{font:16px/1.5 system-ui,sans-serif;margin:0;height:100vh;display:grid;place-items:center;color:#333;background:#fafafa}@media(prefers-color-scheme:dark){body{color:#ccc;background:#181818}}</style>
        </head><body><p role="status" id="said">Nobody has looked at this for a while. It is waking up&hellip;</p><script>
        async function ask(left) {
          try {
            const answer = await fetch(location.href, { cache: "no-store", headers: { accept: "*/*" } });
            if (answer.status < 500) return location.reload();
          } catch { }
          if (left > 0) return setTimeout(ask, 1000, left - 1);
          document.getElementById("said").textContent = "It does not wake up. Whoever published it can see why with: dure apps status";
        }
        ask(30);
        </script></body></html>
        """;

    /// <summary>Whether a person waits for a page, and not a program for an answer.</summary>
    public static bool Suits(HttpRequest request) => HttpMethods.IsGet(request.Method) && !request.Headers.ContainsKey(HeaderNames.Upgrade)
        && request.Headers.Accept.Any(accept => accept?.Contains("text/html", StringComparison.OrdinalIgnoreCase) == true);

    public static Task WriteAsync(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        http.Response.ContentType = "text/html; charset=utf-8";
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.RetryAfter = "1";
        return http.Response.WriteAsync(Html, http.RequestAborted);
    }
}
