using System.Globalization;
using Dure.Functions.Deploy;
using Dure.Host;
using Dure.Host.Web;

namespace Dure.Functions.Api;

/// <summary>What versions were deployed from: to look at, and to go on from.</summary>
internal sealed class SourceEndpoints(FunctionsContext context, FunctionEndpoints functions, VersionRebuild rebuild)
{
    private const int DefaultLimit = 1000;
    private const int LargestLimit = 10_000;

    /// <summary>GET /api/functions/{name}/versions/{version}/files.</summary>
    public async Task ListAsync(HttpContext http)
    {
        if (await FindAsync(http) is not { } version)
            return;
        var limit = DefaultLimit;
        if (http.Request.Query["limit"].ToString() is { Length: > 0 } asked && (!int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > LargestLimit))
        {
            await ProblemResponse.WriteAsync(http, HostErrors.BadRequest.With("The list cannot be made.", [new Fault("limit", $"A number from 1 to {LargestLimit}.")]));
            return;
        }
        var items = VersionSource.List(version.Built.CodeDirectory, http.Request.Query["cursor"].ToString(), limit + 1, http.RequestAborted)
            .Select(i => new SourceFileView(i.Path, i.Kind, i.Bytes, i.Executable, i.Target)).ToList();
        await InvocationEndpoints.JsonAsync(http, new Page<SourceFileView>([.. items.Take(limit)], items.Count > limit ? items[limit - 1].Path : null), ApiJson.Default.PageSourceFileView);
    }

    /// <summary>GET /api/functions/{name}/versions/{version}/file.</summary>
    public async Task FileAsync(HttpContext http)
    {
        if (await FindAsync(http) is not { } version)
            return;
        var path = http.Request.Query["path"].ToString();
        if (VersionSource.Find(version.Built.CodeDirectory, path) is not { } file)
        {
            await ProblemResponse.WriteAsync(http, FunctionErrors.NoSuchFile.With($"Version {version.Number} of '{version.FunctionName}' has no file '{SourcePaths.Show(path)}'."));
            return;
        }
        // Somebody's file, on the address of the portal: a browser must not take it for a page of it.
        Saved(http, file.Name);
        http.Response.ContentType = "application/octet-stream";
        http.Response.ContentLength = file.Length;
        await http.Response.SendFileAsync(file.FullName, http.RequestAborted);
    }

    /// <summary>GET /api/functions/{name}/versions/{version}/source: the package as it was sent.</summary>
    public async Task PackageAsync(HttpContext http)
    {
        if (await FindAsync(http, built: false) is not { } version)
            return;
        await using var package = await context.Blobs.OpenAsync(version.Built.SourceBlob, http.RequestAborted);
        if (package is null)
        {
            await ProblemResponse.WriteAsync(http, Host.Operations.OperationErrors.SourceLost.With($"Version {version.Number} of {version.FunctionName}."));
            return;
        }
        var first = new byte[2];
        var n = await package.ReadAtLeastAsync(first, first.Length, throwOnEndOfStream: false, http.RequestAborted);
        var ending = first is [0x1f, 0x8b] ? ".tar.gz" : first is [(byte)'P', (byte)'K'] ? ".zip" : ".tar";
        Saved(http, $"{version.FunctionName}-{version.Number}{ending}");
        http.Response.ContentType = "application/octet-stream";
        await http.Response.Body.WriteAsync(first.AsMemory(0, n), http.RequestAborted);
        await package.CopyToAsync(http.Response.Body, http.RequestAborted);
    }

    /// <summary>GET /api/templates.</summary>
    public static Task TemplatesAsync(HttpContext http) => InvocationEndpoints.JsonAsync(http, new Page<TemplateView>(FunctionTemplates.All, null), ApiJson.Default.PageTemplateView);

    private static void Saved(HttpContext http, string name)
    {
        http.Response.Headers.ContentDisposition = "attachment; filename*=UTF-8''" + Uri.EscapeDataString(name);
        http.Response.Headers.XContentTypeOptions = "nosniff";
        http.Response.Headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
    }

    private async ValueTask<FunctionVersion?> FindAsync(HttpContext http, bool built = true)
    {
        if (await functions.FindAsync(http) is not { } function)
            return null;
        var text = (string)http.Request.RouteValues["version"]!;
        var version = text switch { "live" => function.Live, "canary" => function.Canary, _ => function.Find(text) };
        if (version is null)
        {
            await ProblemResponse.WriteAsync(http, FunctionErrors.NoSuchVersion.With($"'{function.Name}' has no version '{text}'."));
            return null;
        }
        // A restored backup holds the sources, not what was made of them.
        if (!built || await rebuild.EnsureAsync(version, http.RequestAborted) is not { } missing)
            return version;
        await ProblemResponse.WriteAsync(http, missing);
        return null;
    }
}
