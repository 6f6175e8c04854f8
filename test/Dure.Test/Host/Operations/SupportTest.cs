using System.IO.Compression;
using System.Text;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Host.Operations;

public sealed class SupportTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task The_archive_tells_what_helps_and_no_secret()
    {
        using var scratch = new Scratch();
        await using var dure = await RunningDure.StartAsync(scratch["data"], Cancel);
        const string Value = "s3cr3t-value-of-a-secret";
        await dure.SendAsync(HttpMethod.Put, "/api/secrets/API_KEY", Cancel, $$"""{"value":"{{Value}}"}""");
        var token = (await File.ReadAllTextAsync(Path.Combine(dure.Data, "keys", "owner.token"), Cancel)).Trim();
        // Even a log that leaked one is told without it.
        await File.AppendAllTextAsync(Path.Combine(dure.Data, "logs", "worker.log"), $"leaked {token} and postgres://me:hunter22@db/x\n", Cancel);
        var path = scratch["support.tar.gz"];
        var (code, said) = await Child.RunAsync(Cancel, RunningDure.Program, "--data", dure.Data, "support", "--out", path);
        Assert.True(code == 0, said);
        await using var zip = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        using var reader = new StreamReader(zip, Encoding.Latin1);
        var all = await reader.ReadToEndAsync(Cancel);
        foreach (var part in new[] { "machine.txt", "configuration.txt", "status.json", "health.json", "metrics.txt", "logs/worker.log", "dure_disk_free_bytes", "leaked [removed]" })
            Assert.Contains(part, all, StringComparison.Ordinal);
        foreach (var key in Directory.EnumerateFiles(Path.Combine(dure.Data, "keys")))
            Assert.DoesNotContain((await File.ReadAllTextAsync(key, Cancel)).Trim().Split(' ')[^1], all, StringComparison.Ordinal);
        Assert.DoesNotContain(Value, all, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter22", all, StringComparison.Ordinal);
        Assert.Contains("No secrets", said, StringComparison.Ordinal);
    }
}
