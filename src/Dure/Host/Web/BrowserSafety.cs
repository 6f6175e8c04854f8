namespace Dure.Host.Web;

/// <summary>What a browser may do with an answer. Data never runs as a page, whatever a function wrote into it; a page runs only what came with it.</summary>
internal static class BrowserSafety
{
    /// <summary>The policy of pages: only what this server serves, no inline script or style, in nobody's frame.</summary>
    public const string PagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; "
        + "manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

    private const string DataPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox";

    /// <summary>Marks the answers that a browser could show: those to GET. Calls of functions, which are POSTs, cost nothing more.</summary>
    public static Task MarkDataAsync(HttpContext http, RequestDelegate next)
    {
        if (HttpMethods.IsGet(http.Request.Method))
        {
            http.Response.Headers.XContentTypeOptions = "nosniff";
            http.Response.Headers.ContentSecurityPolicy = DataPolicy;
        }
        return next(http);
    }

    /// <summary>Sets the headers of a page or of a part of one.</summary>
    public static void Page(HttpResponse response)
    {
        var headers = response.Headers;
        headers.ContentSecurityPolicy = PagePolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), display-capture=()";
    }
}
