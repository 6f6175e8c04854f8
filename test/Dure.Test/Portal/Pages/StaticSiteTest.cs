using System.IO.Compression;
using System.Text;
using Dure.Portal.Pages;
using Dure.Test.Processes;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Dure.Test.Portal.Pages;

public sealed class StaticSiteTest : IDisposable
{
    private const string Page = "<!doctype html><title>Dure</title>";
    private static readonly string Script = string.Concat(Enumerable.Repeat("console.log('a line that compresses');\n", 200));

    private readonly Scratch _scratch = new();
    private readonly StaticSite _site;

    public StaticSiteTest()
    {
        var folder = Directory.CreateDirectory(_scratch["portal"]).FullName;
        Directory.CreateDirectory(Path.Combine(folder, "assets"));
        File.WriteAllText(Path.Combine(folder, "index.html"), Page);
        File.WriteAllText(Path.Combine(folder, "assets", "app-abc.js"), Script);
        Pack(Path.Combine(folder, "assets", "app-abc.js.gz"), stream => new GZipStream(stream, CompressionLevel.Optimal));
        Pack(Path.Combine(folder, "assets", "app-abc.js.br"), stream => new BrotliStream(stream, CompressionLevel.Optimal));
        File.WriteAllBytes(Path.Combine(folder, "logo.png"), [1, 2, 3]);
        File.WriteAllText(_scratch["secret.txt"], "secret");
        _site = new StaticSite(folder);
    }

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("br, gzip", "br")]
    [InlineData("gzip, deflate", "gzip")]
    [InlineData("br;q=0, gzip", "gzip")]
    [InlineData("identity", null)]
    [InlineData(null, null)]
    public async Task A_file_is_sent_in_the_smallest_form_that_the_caller_takes(string? accepted, string? encoding)
    {
        var answer = await AskAsync("/assets/app-abc.js", ("Accept-Encoding", accepted));
        Assert.Equal(200, answer.Status);
        Assert.Equal(encoding, answer.Header("Content-Encoding"));
        Assert.Equal("Accept-Encoding", answer.Header("Vary"));
        Assert.Equal(answer.Body.Length, answer.Length);
        using var body = new MemoryStream(answer.Body);
        await using Stream plain = encoding switch { "br" => new BrotliStream(body, CompressionMode.Decompress), "gzip" => new GZipStream(body, CompressionMode.Decompress), _ => body };
        using var reader = new StreamReader(plain);
        Assert.Equal(Script, await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task What_bears_a_digest_in_its_name_is_kept_for_ever_and_the_page_is_asked_for_every_time()
    {
        Assert.Equal("public, max-age=31536000, immutable", (await AskAsync("/assets/app-abc.js")).Header("Cache-Control"));
        Assert.Equal("no-cache", (await AskAsync("/logo.png")).Header("Cache-Control"));
        var page = await AskAsync("/", ("Accept", "text/html"));
        Assert.Equal("no-cache", page.Header("Cache-Control"));
        Assert.Equal(Page, Encoding.UTF8.GetString(page.Body));
    }

    [Fact]
    public async Task Who_has_it_already_gets_304_and_each_form_has_a_tag_of_its_own()
    {
        var packed = await AskAsync("/assets/app-abc.js", ("Accept-Encoding", "br"));
        var plain = await AskAsync("/assets/app-abc.js");
        Assert.NotEqual(packed.Header("ETag"), plain.Header("ETag"));
        var again = await AskAsync("/assets/app-abc.js", ("Accept-Encoding", "br"), ("If-None-Match", $"\"other\", W/{packed.Header("ETag")}"));
        Assert.Equal(304, again.Status);
        Assert.Empty(again.Body);
        Assert.Equal(packed.Header("ETag"), again.Header("ETag"));
        Assert.Equal(200, (await AskAsync("/assets/app-abc.js", ("Accept-Encoding", "br"), ("If-None-Match", plain.Header("ETag")))).Status);
    }

    [Fact]
    public async Task Head_tells_what_get_would_and_sends_nothing()
    {
        var got = await AskAsync("/assets/app-abc.js", ("Accept-Encoding", "gzip"));
        var head = await AskAsync("/assets/app-abc.js", "HEAD", ("Accept-Encoding", "gzip"));
        Assert.Equal((200, got.Length, 0), (head.Status, head.Length, head.Body.Length));
    }

    [Theory]
    [InlineData("/functions/hello/versions")]
    [InlineData("/storage/data/a.csv")]
    [InlineData("/apiary")]
    public async Task An_address_that_is_no_file_is_a_view(string path) =>
        Assert.Equal(Page, Encoding.UTF8.GetString((await AskAsync(path, ("Accept", "text/html,application/xhtml+xml"))).Body));

    [Theory]
    [InlineData("/api/nothing", "text/html", "GET")]
    [InlineData("/metrics", "text/html", "GET")]
    [InlineData("/functions", "application/json", "GET")]
    [InlineData("/functions", "text/html;q=0", "GET")]
    [InlineData("/functions", "text/html", "POST")]
    [InlineData("/assets/app-old.js", "text/html", "GET")]
    public async Task What_is_no_view_is_answered_as_before(string path, string accept, string method) =>
        Assert.Equal(404, (await AskAsync(path, method, ("Accept", accept))).Status);

    [Theory]
    [InlineData("/../secret.txt")]
    [InlineData("/assets/../../secret.txt")]
    [InlineData("/assets//../..//secret.txt")]
    [InlineData("//etc/passwd")]
    [InlineData("/..\\secret.txt")]
    [InlineData("/assets/app-abc.js.br")]
    public async Task No_path_leads_out_of_the_folder(string path)
    {
        var answer = await AskAsync(path);
        Assert.Equal(404, answer.Status);
        Assert.Empty(answer.Body);
    }

    [Fact]
    public async Task Only_what_came_with_the_page_may_run()
    {
        var answer = await AskAsync("/", ("Accept", "text/html"));
        var policy = answer.Header("Content-Security-Policy")!;
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        foreach (var (name, value) in new[] { ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Opener-Policy", "same-origin"), ("X-Frame-Options", "DENY") })
            Assert.Equal(value, answer.Header(name));
        Assert.Contains("camera=()", answer.Header("Permissions-Policy"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_compresses_is_kept_compressed_only()
    {
        await AskAsync("/");
        Assert.InRange(_site.Held, 1, Script.Length);
    }

    [Fact]
    public async Task Without_its_files_it_says_how_to_get_them()
    {
        var answer = await AskAsync(new StaticSite(_scratch["nowhere"]), "/functions", "GET", ("Accept", "text/html"));
        Assert.Equal(404, answer.Status);
        Assert.Contains("nodejs npm", Encoding.UTF8.GetString(answer.Body), StringComparison.Ordinal);
        Assert.Equal("no-store", answer.Header("Cache-Control"));
    }

    private Task<Answer> AskAsync(string path, params (string Name, string? Value)[] headers) => AskAsync(_site, path, "GET", headers);

    private Task<Answer> AskAsync(string path, string method, params (string Name, string? Value)[] headers) => AskAsync(_site, path, method, headers);

    private static async Task<Answer> AskAsync(StaticSite site, string path, string method, params (string Name, string? Value)[] headers)
    {
        var http = new DefaultHttpContext();
        using var body = new MemoryStream();
        http.Request.Method = method;
        http.Request.Path = path;
        http.Response.Body = body;
        foreach (var (name, value) in headers.Where(header => header.Value is not null))
            http.Request.Headers[name] = value;
        await site.HandleAsync(http, other =>
        {
            other.Response.StatusCode = 404;
            return Task.CompletedTask;
        });
        return new(http.Response.StatusCode, http.Response.ContentLength, body.ToArray(), name => http.Response.Headers[name] is { Count: > 0 } value ? value.ToString() : null);
    }

    private static void Pack(string path, Func<Stream, Stream> pack)
    {
        using var file = File.Create(path);
        using var packer = pack(file);
        packer.Write(Encoding.UTF8.GetBytes(Script));
    }

    private sealed record Answer(int Status, long? Length, byte[] Body, Func<string, string?> Header);
}
