using System.Collections.Frozen;
using Dure.Host.Web;
using Microsoft.Net.Http.Headers;

namespace Dure.Portal.Pages;

/// <summary>
/// Serves the built portal. Its files are read once, at the first request for one, and found by their exact path in a table: nothing that a caller
/// writes reaches the file system. Every address that is no file and no part of the API is one of the portal's own views.
/// </summary>
internal sealed class StaticSite(string folder)
{
    private const string Index = "/index.html";

    // Vite puts there only what bears a digest of its content in its name.
    private const string Hashed = "/assets/";

    // Addresses of programs: a mistake in one is answered with a problem, not with a page.
    private static readonly string[] NotPages = ["/api", "/metrics", "/errors", "/openapi.json"];

    private readonly Lazy<FrozenDictionary<string, SiteFile>> _files = new(() => Load(folder));

    /// <summary>Bytes that the files take in memory.</summary>
    public long Held => _files.Value.Values.Sum(file => file.Held);

    /// <summary>Answers with a file or the portal's page, or as <paramref name="otherwise"/> says.</summary>
    public Task HandleAsync(HttpContext http, RequestDelegate otherwise)
    {
        var path = http.Request.Path.Value ?? "/";
        if (!(HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method)) || NotPages.Any(start => http.Request.Path.StartsWithSegments(start, StringComparison.OrdinalIgnoreCase)))
            return otherwise(http);
        if (_files.Value.TryGetValue(path, out var file))
            return SendAsync(http, file, path.StartsWith(Hashed, StringComparison.Ordinal));
        // A script of an older build is not a view: the page that asks for it must see that it is gone.
        if (path.StartsWith(Hashed, StringComparison.Ordinal) || !TakesPages(http.Request))
            return otherwise(http);
        return _files.Value.TryGetValue(Index, out var index) ? SendAsync(http, index, immutable: false) : UnbuiltPage.WriteAsync(http);
    }

    private static FrozenDictionary<string, SiteFile> Load(string folder) => !Directory.Exists(folder)
        ? FrozenDictionary<string, SiteFile>.Empty
        : Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(path => !path.EndsWith(".br", StringComparison.Ordinal) && !path.EndsWith(".gz", StringComparison.Ordinal))
            .ToFrozenDictionary(path => "/" + Path.GetRelativePath(folder, path), SiteFile.Read, StringComparer.Ordinal);

    private static bool TakesPages(HttpRequest request) =>
        request.GetTypedHeaders().Accept.Any(kind => kind.MediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase) && kind.Quality is not 0);

    private static async Task SendAsync(HttpContext http, SiteFile file, bool immutable)
    {
        var (encoding, body) = Choose(http.Request, file);
        var response = http.Response;
        var tag = new EntityTagHeaderValue($"\"{file.Digest}{(encoding is null ? "" : "-" + encoding)}\"");
        BrowserSafety.Page(response);
        response.Headers.CacheControl = immutable ? "public, max-age=31536000, immutable" : "no-cache";
        response.Headers.ETag = tag.ToString();
        if (file.Gzip is not null)
            response.Headers.Vary = HeaderNames.AcceptEncoding;
        if (http.Request.GetTypedHeaders().IfNoneMatch.Any(known => known.Tag == "*" || known.Compare(tag, useStrongComparison: false)))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        response.ContentType = file.ContentType;
        response.ContentLength = body?.Length ?? file.Length;
        if (encoding is not null)
            response.Headers.ContentEncoding = encoding;
        if (HttpMethods.IsHead(http.Request.Method))
            return;
        if (body is { } packed)
            await response.Body.WriteAsync(packed, http.RequestAborted);
        else
            await file.WritePlainAsync(response.Body, http.RequestAborted);
    }

    private static (string? Encoding, ReadOnlyMemory<byte>? Body) Choose(HttpRequest request, SiteFile file)
    {
        var taken = request.GetTypedHeaders().AcceptEncoding;
        bool Takes(string name) => taken.Any(coding => coding.Value.Equals(name, StringComparison.OrdinalIgnoreCase) && coding.Quality is not 0);
        return file.Brotli is not null && Takes("br") ? ("br", file.Brotli)
            : file.Gzip is not null && Takes("gzip") ? ("gzip", file.Gzip)
            : (null, null);
    }
}
