using System.Net;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Portal.Pages;

/// <summary>The portal as a real server serves it.</summary>
public sealed class ServedPortalTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task Pages_are_served_beside_the_api_and_data_never_runs_as_a_page()
    {
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch["data"], Cancel);
        using var page = await AskAsync(dure, "/functions/any", "text/html");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var html = await page.Content.ReadAsStringAsync(Cancel);
        Assert.Contains("id=\"app\"", html, StringComparison.Ordinal);
        var script = html.Split('"').First(part => part.StartsWith("/assets/", StringComparison.Ordinal) && part.EndsWith(".js", StringComparison.Ordinal));
        using var code = await AskAsync(dure, script, "*/*");
        Assert.Equal("text/javascript", code.Content.Headers.ContentType!.MediaType);
        Assert.True(code.Headers.CacheControl!.MaxAge > TimeSpan.FromDays(300));

        using var nothing = await AskAsync(dure, "/api/nothing", "text/html");
        Assert.Equal("application/problem+json", nothing.Content.Headers.ContentType!.MediaType);
        await dure.DeployAsync("writes-html", Cancel, ("handler.py", "def handler(event, context):\n    return '<script>alert(1)</script>'\n"));
        var id = await dure.SubmitAsync("writes-html", "{}", Cancel);
        await dure.EndAsync(id, Cancel);
        using var result = await AskAsync(dure, $"/api/invocations/{id}/result", "text/html");
        Assert.Equal(HttpStatusCode.OK, result.StatusCode);
        Assert.NotEqual("text/html", result.Content.Headers.ContentType!.MediaType);
        Assert.Equal("nosniff", Assert.Single(result.Headers.GetValues("X-Content-Type-Options")));
        Assert.Contains("sandbox", Assert.Single(result.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_server_that_is_told_so_serves_no_portal()
    {
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch["data"], Cancel, "portal.enabled=false");
        using var page = await AskAsync(dure, "/", "text/html");
        Assert.Equal(HttpStatusCode.NotFound, page.StatusCode);
        Assert.Equal("application/problem+json", page.Content.Headers.ContentType!.MediaType);
        Assert.Empty((await dure.GetAsync("/openapi.json", Cancel))["x-unmapped"]!.AsArray());
    }

    private static async Task<HttpResponseMessage> AskAsync(RunningDure dure, string path, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        return await dure.Http.SendAsync(request, Cancel);
    }
}
