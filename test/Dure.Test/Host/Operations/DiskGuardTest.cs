using System.Net;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Host.Operations;

/// <summary>A real server whose data folder is on a small disk of its own.</summary>
[Trait("speed", "slow")]
public sealed class DiskGuardTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 180_000)]
    public async Task A_full_disk_refuses_new_work_and_what_was_accepted_ends()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root may mount a disk for the test.");
        using var scratch = new Scratch();
        var (mounted, why) = await Child.RunAsync(Cancel, "mount", "-t", "tmpfs", "-o", "size=640m,mode=755", "tmpfs", scratch.Path);
        Assert.SkipUnless(mounted == 0, $"No disk can be mounted here: {why}");
        try
        {
            await FillAndFreeAsync(scratch);
        }
        finally
        {
            await Child.RunAsync(CancellationToken.None, "umount", "-l", scratch.Path);
        }
    }

    private static async Task FillAndFreeAsync(Scratch scratch)
    {
        await using var dure = await RunningDure.StartAsync(scratch.Path, Cancel, "disk.refuse=16MiB", "disk.warn=24MiB");
        await dure.DeployAsync("sleep", Cancel, ("handler.py", "import time\ndef handler(event, context):\n    time.sleep(1)\n    print('x' * 100)\n    return 'y' * 20000\n"));
        var ids = new List<string>();
        for (var n = 0; n < 12; n++)
            ids.Add(await dure.SubmitAsync("sleep", "{}", Cancel));
        var filler = scratch["filler"];
        await FillAsync(filler);
        var (status, body) = await RunningDure.UntilAsync(() => dure.SendAsync(HttpMethod.Post, "/api/functions/sleep/invocations", Cancel, "{}", ("Prefer", "respond-async")),
            answer => answer.Status != HttpStatusCode.Accepted, Cancel);
        Assert.Equal((HttpStatusCode.InsufficientStorage, "DURE0215"), (status, (string?)body!["id"]));
        await RunningDure.UntilAsync(() => dure.GetAsync("/api/status", Cancel), s => (string?)s["disk"]!["state"] == "refusing", Cancel);
        // To the last byte: commits fail now and are tried again until there is room.
        await Task.Delay(3000, Cancel);
        File.Delete(filler);
        foreach (var id in ids)
            Assert.Equal("SUCCESS", (string?)(await dure.EndAsync(id, Cancel))["state"]);
        await RunningDure.UntilAsync(() => dure.GetAsync("/api/status", Cancel), s => (string?)s["disk"]!["state"] == "ok", Cancel);
        Assert.Equal("SUCCESS", (string?)(await dure.EndAsync(await dure.SubmitAsync("sleep", "{}", Cancel), Cancel))["state"]);
        var known = (await dure.GetAsync("/api/invocations?limit=1000", Cancel))["items"]!.AsArray();
        Assert.All(known, item => Assert.NotEqual("PENDING", (string?)item!["state"]));
    }

    private static async Task FillAsync(string path)
    {
        var piece = new byte[64 << 10];
        await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
                await file.WriteAsync(piece, Cancel);
        }
        catch (IOException)
        {
            // Full.
        }
    }
}
