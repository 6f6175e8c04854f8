using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Dure.Test.Host.Commands;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Storage.Commands;

/// <summary>The verbs of object storage from end to end, against a real server.</summary>
[Trait("speed", "slow")]
public sealed class StoreCommandsTest : IAsyncLifetime
{
    private readonly Scratch _cache = new();
    private readonly Cli _cli;

    public StoreCommandsTest() => _cli = new Cli($"XDG_CACHE_HOME={_cache.Path}", "DURE_STORE_PORT=0");

    public async ValueTask InitializeAsync()
    {
        await DoneAsync("up", "--yes");
        await DoneAsync("bucket", "create", "lab");
    }

    public async ValueTask DisposeAsync()
    {
        await _cli.DisposeAsync();
        _cache.Dispose();
    }

    [Fact(Timeout = 240_000)]
    public async Task Files_and_folders_go_there_and_come_back_as_they_were()
    {
        Write("in/empty", 0);
        Write("in/sub/one", 1);
        Write("in/sub/å 결과.txt", 5000);
        Write("in/large", (40 << 20) + 1);
        Write(".keep", 3);
        File.CreateSymbolicLink(Path.Combine(_cli.Folder, "in", "loop"), ".");
        var report = await JsonAsync("cp", "-r", "in", "s3://lab/all", "--part-size", "8MiB");
        Assert.Equal((4, 0, 0), ((int)report["done"]!, (int)report["skipped"]!, (int)report["failed"]!));
        Assert.All(report["items"]!.AsArray(), item => Assert.StartsWith("crc64nvme:", (string?)item!["checksum"], StringComparison.Ordinal));
        Assert.Equal(["all/empty", "all/large", "all/sub/one", "all/sub/å 결과.txt"], (await JsonAsync("ls", "s3://lab", "-r")).AsArray().Select(one => (string?)one!["key"]));
        Assert.Equal(["all/sub/"], (await JsonAsync("ls", "s3://lab/all/")).AsArray().Select(one => (string?)one!["prefix"]).Where(prefix => prefix is not null));
        await DoneAsync("cp", "-r", "s3://lab/all/", "back", "--part-size", "5MiB", "--parallel", "3");
        foreach (var file in new[] { "empty", "large", "sub/one", "sub/å 결과.txt" })
        {
            Assert.Equal(Read("in/" + file), Read("back/" + file));
        }

        Assert.Empty(Directory.EnumerateFiles(_cli.Folder, "*.dure-part", SearchOption.AllDirectories));
        Assert.Empty(Directory.EnumerateFiles(_cache.Path, "*", SearchOption.AllDirectories));
        var (_, _, said) = await _cli.RunAsync("cp", "in/sub/one", "s3://lab/all/sub/", "--no-clobber");
        Assert.Contains("1 file left as before", said, StringComparison.Ordinal);
    }

    [Fact(Timeout = 240_000)]
    public async Task Objects_are_copied_piped_presigned_and_removed()
    {
        var text = new string('x', 300_000);
        Assert.Equal(0, (await _cli.RunAsync(text, ["cp", "-", "s3://lab/a/piped"])).Code);
        Assert.Equal(text, await DoneAsync("cp", "s3://lab/a/piped", "-"));
        await DoneAsync("bucket", "create", "archive");
        var copied = await JsonAsync("cp", "-r", "s3://lab/a", "s3://archive/b");
        Assert.StartsWith("crc64nvme:", (string?)copied["items"]![0]!["checksum"], StringComparison.Ordinal);
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var cancel = TestContext.Current.CancellationToken;
        Assert.Equal(text, await http.GetStringAsync(new Uri((await DoneAsync("presign", "s3://archive/b/piped")).Trim()), cancel));
        var put = new Uri((await DoneAsync("presign", "s3://lab/put", "--method", "PUT", "--expires", "5m")).Trim());
        using var content = new StringContent("by hand");
        using (var answer = await http.PutAsync(put, content, cancel))
        {
            answer.EnsureSuccessStatusCode();
        }

        Assert.Equal("by hand", await DoneAsync("cp", "s3://lab/put", "-"));
        Assert.Equal(2, (await _cli.RunAsync("presign", "s3://lab/put", "--expires", "6d")).Code);
        Assert.Equal("s3://archive/b/piped", (await DoneAsync("rm", "-r", "s3://archive/b", "--dry-run")).Trim());
        Assert.Equal(2, (await _cli.RunAsync("rm", "-r", "s3://archive/b")).Code);
        await DoneAsync("rm", "-r", "s3://archive/b", "--yes");
        Assert.Equal(3, (await _cli.RunAsync("rm", "s3://archive/b/piped")).Code);
        Assert.Equal(3, (await _cli.RunAsync("cp", "s3://archive/b/piped", "x")).Code);
        Assert.Equal(3, (await _cli.RunAsync("ls", "s3://nonesuch")).Code);
    }

    [Fact(Timeout = 240_000)]
    public async Task Buckets_have_settings_rules_and_an_end()
    {
        await DoneAsync("bucket", "create", "runs", "--versioning", "on", "--quota", "1MiB");
        var made = (await JsonAsync("bucket", "list")).AsArray().Single(bucket => (string?)bucket!["name"] == "runs")!;
        Assert.Equal(("enabled", 1048576L), ((string?)made["versioning"], (long)made["quota_bytes"]!));
        Assert.Equal(5, (await _cli.RunAsync("bucket", "create", "runs")).Code);
        Write("a", 10);
        await DoneAsync("cp", "a", "s3://runs/");
        Write("a", 11);
        await DoneAsync("cp", "a", "s3://runs/");
        await DoneAsync("rm", "s3://runs/a");
        var versions = (await JsonAsync("ls", "s3://runs", "--versions")).AsArray();
        Assert.Equal(["deleted", "old", "old"], versions.Select(version => (string?)version!["state"]));
        await DoneAsync("cp", "s3://runs/a", "old", "--version-id", (string)versions[2]!["version_id"]!);
        Assert.Equal(10, Read("old").Length);
        Write("big", 2 << 20);
        Assert.Equal(8, (await _cli.RunAsync("cp", "big", "s3://runs/")).Code);

        await DoneAsync("bucket", "cors", "lab", "--allow-origin", "https://lab.example.org");
        Assert.Contains("<AllowedOrigin>https://lab.example.org</AllowedOrigin>", await DoneAsync("bucket", "cors", "lab"), StringComparison.Ordinal);
        await DoneAsync("bucket", "policy", "lab", "public-read");
        Assert.Contains("public-read", await DoneAsync("bucket", "list"), StringComparison.Ordinal);
        Assert.Equal(5, (await _cli.RunAsync("bucket", "delete", "runs")).Code);
        Assert.Equal(2, (await _cli.RunAsync("bucket", "delete", "runs", "--force")).Code);
        await DoneAsync("bucket", "delete", "runs", "--force", "--yes");
        Assert.Equal(3, (await _cli.RunAsync("bucket", "policy", "runs")).Code);
        Assert.Contains("s3://lab/", await DoneAsync("complete", "--", "dure cp s3://"), StringComparison.Ordinal);
        Assert.Contains("lab", await DoneAsync("complete", "--", "dure bucket delete l"), StringComparison.Ordinal);
    }

    [Fact(Timeout = 240_000)]
    public async Task What_was_interrupted_goes_on_where_it_stopped()
    {
        const int size = 160 << 20;
        Write("large", size);
        await EndedAsync(() => Stored() > 16 << 20, "cp", "large", "s3://lab/", "--parallel", "1", "--part-size", "5MiB");
        var sent = (await JsonAsync("cp", "large", "s3://lab/", "--part-size", "5MiB"))["items"]![0]!;
        Assert.InRange((long)sent["kept"]!, 1, size - 1);
        await EndedAsync(() => Remembered() > 0, "cp", "s3://lab/large", "back", "--parallel", "1", "--part-size", "5MiB");
        Assert.False(File.Exists(Path.Combine(_cli.Folder, "back")));
        var fetched = (await JsonAsync("cp", "s3://lab/large", "back", "--part-size", "5MiB"))["items"]![0]!;
        Assert.InRange((long)fetched["kept"]!, 1, size - 1);
        Assert.Equal(Read("large"), Read("back"));
        Assert.Equal(0, Remembered());
    }

    private int Remembered() => Directory.EnumerateFiles(_cache.Path, "*.json", SearchOption.AllDirectories).Count();

    /// <summary>Bytes of what the server has stored as files.</summary>
    private long Stored() => new DirectoryInfo(Path.Combine(_cli.Data, "store", "data")).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Exists ? file.Length : 0);

    /// <summary>Kills the command once it has come so far.</summary>
    private async Task EndedAsync(Func<bool> isFar, params string[] words)
    {
        var start = new ProcessStartInfo(ProgramUnderTest.Path, words) { WorkingDirectory = _cli.Folder, RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["DURE_DATA"] = _cli.Data;
        start.Environment["XDG_CACHE_HOME"] = _cache.Path;
        using var process = Process.Start(start)!;
        var cancel = TestContext.Current.CancellationToken;
        while (!process.HasExited && !isFar())
        {
            await Task.Delay(2, cancel);
        }

        Assert.False(process.HasExited, "The transfer was over before it could be interrupted.");
        process.Kill();
        await process.WaitForExitAsync(cancel);
    }

    private async Task<string> DoneAsync(params string[] words)
    {
        var (code, output, error) = await _cli.RunAsync(words);
        Assert.True(code == 0, $"dure {string.Join(' ', words)} ended with {code}: {error}{output}");
        return output;
    }

    private async Task<JsonNode> JsonAsync(params string[] words) => JsonNode.Parse(await DoneAsync([.. words, "--format", "json"]))!;

    private byte[] Read(string file) => File.ReadAllBytes(Path.Combine(_cli.Folder, file));

    private void Write(string file, int length)
    {
        var path = Path.Combine(_cli.Folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, RandomNumberGenerator.GetBytes(length));
    }
}
