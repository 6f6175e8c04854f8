using System.Formats.Tar;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Api;

/// <summary>What a version was deployed from can be read, and nothing else of the disk.</summary>
public sealed class SourceTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task Every_file_comes_back_as_it_was_sent_and_says_what_it_is()
    {
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch["data"], Cancel);
        byte[] binary = [0, 255, 1, 254];
        var package = await SourcePackages.PackAsync(Cancel, SourcePackages.Python("x"), SourcePackages.File("data/weights.bin", binary),
            SourcePackages.File("data/run.sh", "#!/bin/sh\n"u8.ToArray(), executable: true), SourcePackages.File("한글 이름.txt", "안녕\n"u8.ToArray()),
            new PaxTarEntry(TarEntryType.SymbolicLink, "latest") { LinkName = "data/weights.bin" });
        await dure.DeployAsync("kept", package, Cancel);

        var files = (await dure.GetAsync("/api/functions/kept/versions/1/files", Cancel))["items"]!.AsArray();
        Assert.Equal(["data/run.sh", "data/weights.bin", "handler.py", "latest", "한글 이름.txt"], files.Select(file => (string)file!["path"]!));
        Assert.Equal(["text", "binary", "text", "link", "text"], files.Select(file => (string)file!["kind"]!));
        Assert.True((bool)files[0]!["executable"]!);
        Assert.Equal("data/weights.bin", (string?)files[3]!["target"]);
        Assert.Equal(binary, await BytesAsync(dure, "live", "data/weights.bin"));
        Assert.Equal("안녕\n", Encoding.UTF8.GetString(await BytesAsync(dure, "1", "한글 이름.txt")));
        Assert.Equal(package, await dure.Http.GetByteArrayAsync(new Uri("/api/functions/kept/versions/1/source", UriKind.Relative), Cancel));

        Assert.Equal(0, await PullAsync(dure, scratch["pulled"]));
        Assert.Equal(binary, await File.ReadAllBytesAsync(scratch["pulled/latest"], Cancel));
        Assert.NotEqual(0, await PullAsync(dure, scratch["pulled"]));

        var first = await dure.GetAsync("/api/functions/kept/versions/1/files?limit=2", Cancel);
        var second = await dure.GetAsync($"/api/functions/kept/versions/1/files?limit=10&cursor={Uri.EscapeDataString((string)first["next"]!)}", Cancel);
        Assert.Equal(5, first["items"]!.AsArray().Count + second["items"]!.AsArray().Count);
        Assert.Null(second["next"]);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_path_leads_to_files_of_the_source_only_and_no_browser_takes_one_for_a_page()
    {
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch["data"], Cancel);
        await dure.DeployAsync("kept", await SourcePackages.PackAsync(Cancel, SourcePackages.Python("x"), SourcePackages.File("page.html", "<script>alert(1)</script>"u8.ToArray()),
            SourcePackages.File("data/a.txt", "a"u8.ToArray()), new PaxTarEntry(TarEntryType.SymbolicLink, "other") { LinkName = "data" }), Cancel);
        foreach (var path in new[] { "../../../keys/owner.token", "/etc/passwd", "data/../handler.py", ".dure/version.json", "other/a.txt", "other", "data", "none.py", "", "handler.py/", "a\0b", "./handler.py" })
        {
            var (status, problem) = await dure.SendAsync(HttpMethod.Get, Address("1", path), Cancel);
            Assert.Equal(HttpStatusCode.NotFound, status);
            Assert.Equal("DURE0221", (string?)problem!["id"]);
        }
        using var page = await dure.Http.GetAsync(new Uri(Address("1", "page.html"), UriKind.Relative), Cancel);
        Assert.Equal("application/octet-stream", page.Content.Headers.ContentType!.MediaType);
        Assert.Equal("attachment", page.Content.Headers.ContentDisposition!.DispositionType);
        Assert.Equal("nosniff", Assert.Single(page.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal(HttpStatusCode.NotFound, (await dure.SendAsync(HttpMethod.Get, "/api/functions/kept/versions/9/files", Cancel)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await dure.SendAsync(HttpMethod.Get, "/api/functions/kept/versions/1/files?limit=0", Cancel)).Status);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_template_of_every_runtime_is_there_and_runs_as_it_comes()
    {
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch["data"], Cancel);
        var templates = (await dure.GetAsync("/api/templates", Cancel))["items"]!.AsArray();
        Assert.Equal(["bootstrap", "cpp", "csharp", "go", "node", "python"], templates.Select(template => (string)template!["runtime"]!).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal(Directory.GetDirectories(Path.Combine(Tidy.SourceTree.Root, "examples")).Length, templates.Count);
        foreach (var template in templates.Where(template => (string?)template!["name"] is "hello-python" or "hello-node" or "bootstrap-shell"))
        {
            Assert.NotEqual("", (string)template!["description"]!);
            var package = await SourcePackages.PackAsync(Cancel, [.. template["files"]!.AsArray().Select(file =>
                SourcePackages.File((string)file!["path"]!, Encoding.UTF8.GetBytes((string)file["content"]!), (bool)file["executable"]!))]);
            var name = (string)template["name"]!;
            Assert.NotNull((await dure.DeployAsync(name, package, Cancel)).Last["version"]);
            var (status, result) = await dure.SendAsync(HttpMethod.Post, $"/api/functions/{name}/invocations", Cancel, (string)template["event"]!);
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.Contains("Ada", result!.ToJsonString(), StringComparison.Ordinal);
        }
    }

    private static async Task<int> PullAsync(RunningDure dure, string folder)
    {
        using var pull = System.Diagnostics.Process.Start(RunningDure.Program, ["fn", "pull", "kept", "--to", folder, "--data", dure.Data, "--quiet"]);
        await pull.WaitForExitAsync(Cancel);
        return pull.ExitCode;
    }

    private static string Address(string version, string path) => $"/api/functions/kept/versions/{version}/file?path={Uri.EscapeDataString(path)}";

    private static Task<byte[]> BytesAsync(RunningDure dure, string version, string path) => dure.Http.GetByteArrayAsync(new Uri(Address(version, path), UriKind.Relative), Cancel);
}
