using Dure.Host.Web;

namespace Dure.Portal.Pages;

/// <summary>What stands where the portal would be in a program that was built without it.</summary>
internal static class UnbuiltPage
{
    private const string Text = """
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>Dure</title></head>
        <body>
        <h1>Dure runs, but its portal was not built</h1>
        <p>Node.js 18 or later and npm are needed to build it; nothing of them is needed to run it. On the machine where Dure is built:</p>
        <pre>sudo apt-get install -y nodejs npm
        ./dure restart</pre>
        <p>Everything else works: the API under <code>/api</code>, and the command <code>dure</code>. To do without the portal, set <code>portal.enabled: false</code>.</p>
        </body>
        </html>

        """;

    /// <summary>Answers with it; it is not the page that was asked for, so the status is 404.</summary>
    public static Task WriteAsync(HttpContext http)
    {
        BrowserSafety.Page(http.Response);
        http.Response.StatusCode = StatusCodes.Status404NotFound;
        http.Response.ContentType = "text/html; charset=utf-8";
        http.Response.Headers.CacheControl = "no-store";
        return HttpMethods.IsHead(http.Request.Method) ? Task.CompletedTask : http.Response.WriteAsync(Text, http.RequestAborted);
    }
}
