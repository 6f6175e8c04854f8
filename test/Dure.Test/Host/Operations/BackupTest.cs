using Dure.Host.Operations;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Host.Operations;

/// <summary>Backups of a real server under load.</summary>
[Trait("speed", "slow")]
public sealed class BackupTest : IDisposable
{
    private const string Handler = "def handler(event, context):\n    return {'n': event['n'], 'filler': 'x' * event.get('size', 10)}\n";

    private readonly Scratch _scratch = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _scratch.Dispose();

    [Fact(Timeout = 240_000)]
    public async Task A_backup_made_under_load_holds_every_invocation_that_was_acknowledged_before_it()
    {
        string path;
        var acknowledged = new List<(string Id, int N)>();
        await using (var dure = await RunningDure.StartAsync(_scratch["first"], Cancel, "backup.keep=2"))
        {
            await dure.DeployAsync("count", Cancel, ("handler.py", Handler));
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            var known = new List<(string, int)>();
            var load = LoadAsync(dure, known, stop.Token);
            await Task.Delay(1500, Cancel);
            lock (known)
                acknowledged.AddRange(known);
            path = (string)(await dure.SendAsync(HttpMethod.Post, "/api/backups", Cancel)).Body!["path"]!;
            for (var n = 0; n < 2; n++)
                await dure.SendAsync(HttpMethod.Post, "/api/backups", Cancel);
            Assert.Equal(2, (await dure.GetAsync("/api/backups", Cancel))["items"]!.AsArray().Count);
            Assert.False(File.Exists(path));
            path = (string)(await dure.GetAsync("/api/backups", Cancel))["items"]![1]!["path"]!;
            File.Copy(path, _scratch["kept.tar"]);
            await stop.CancelAsync();
            await load.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await dure.KillAsync();
        }
        Assert.NotEmpty(acknowledged);
        Assert.True((await BackupFile.VerifyAsync(_scratch["kept.tar"], _scratch.Path, Cancel)).Ok);
        var restored = await BackupFile.RestoreAsync(_scratch["kept.tar"], _scratch["second"], Cancel);
        Assert.True(restored.Ok, restored.Problem?.Detail);
        Assert.Equal("DURE0500", (await BackupFile.RestoreAsync(_scratch["kept.tar"], _scratch["second"], Cancel)).Problem!.Kind.Id);
        await using var again = await RunningDure.StartAsync(_scratch["second"], Cancel);
        foreach (var (id, n) in acknowledged)
        {
            Assert.Equal("SUCCESS", (string?)(await again.EndAsync(id, Cancel))["state"]);
            Assert.Equal(n, (int)(await again.GetAsync($"/api/invocations/{id}/result", Cancel))["n"]!);
        }
        Assert.Equal("SUCCESS", (string?)(await again.EndAsync(await again.SubmitAsync("count", """{"n":1}""", Cancel), Cancel))["state"]);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_damaged_backup_is_refused_and_nothing_is_left_of_it()
    {
        await using var dure = await RunningDure.StartAsync(_scratch["data"], Cancel);
        var path = (string)(await dure.SendAsync(HttpMethod.Post, "/api/backups", Cancel)).Body!["path"]!;
        var whole = await File.ReadAllBytesAsync(path, Cancel);
        var damaged = _scratch["damaged.tar"];
        var token = (await File.ReadAllTextAsync(Path.Combine(dure.Data, "keys", "owner.token"), Cancel)).Trim();
        // In the database, in a key, in the manifest.
        foreach (var at in new[] { 5000, IndexOf(whole, token), IndexOf(whole, "\"sha256\":\"") + 20 })
        {
            var bytes = whole.ToArray();
            bytes[at] ^= 0x40;
            await File.WriteAllBytesAsync(damaged, bytes, Cancel);
            await RefusedAsync(damaged);
        }
        await File.WriteAllBytesAsync(damaged, whole[..(whole.Length / 2)], Cancel);
        await RefusedAsync(damaged);
        await File.WriteAllTextAsync(damaged, "no backup at all", Cancel);
        await RefusedAsync(damaged);
        Assert.True((await BackupFile.VerifyAsync(path, _scratch.Path, Cancel)).Ok);
    }

    private static int IndexOf(byte[] whole, string text) => whole.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(text));

    private async Task RefusedAsync(string damaged)
    {
        Assert.Equal("DURE0501", (await BackupFile.VerifyAsync(damaged, _scratch.Path, Cancel)).Problem?.Kind.Id);
        Assert.Equal("DURE0501", (await BackupFile.RestoreAsync(damaged, _scratch["never"], Cancel)).Problem?.Kind.Id);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_scratch["never"]));
    }

    private static async Task LoadAsync(RunningDure dure, List<(string, int)> known, CancellationToken cancel)
    {
        for (var n = 0; ; n++)
        {
            var size = n % 10 == 0 ? 400_000 : 10;
            var id = await dure.SubmitAsync("count", $$"""{"n":{{n}},"size":{{size}}}""", cancel);
            lock (known)
                known.Add((id, n));
        }
    }
}
