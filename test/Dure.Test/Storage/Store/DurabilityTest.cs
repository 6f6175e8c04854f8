using Dure.Storage.Store;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Storage.Store;

public sealed class DurabilityTest : IDisposable
{
    private readonly Scratch _scratch = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_writer_loses_nothing_that_was_acknowledged_and_leaves_nothing_else()
    {
        var allowed = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal);
        for (var round = 0; round < 3; round++)
        {
            await using var writer = Child.Start("write-objects", [_scratch["store"], $"{round}"]);
            await writer.LinesAsync(60 + round * 70, Cancel);
            await writer.KillAsync();
            foreach (var line in writer.Lines.Select(line => line.Split(' ')).Where(line => line.Length == 3))
            {
                // Acknowledged: only this. Begun after that: this as well.
                if (line[0] == "did")
                    allowed[line[1]] = [line[2]];
                else if (allowed.TryGetValue(line[1], out var set))
                    set.Add(line[2]);
                else
                    allowed[line[1]] = ["-", line[2]];
            }
        }
        await using var store = await StoreTest.OpenStoreAsync(_scratch["store"], static () => false);
        await store.StraysRemoved;
        foreach (var (key, digests) in allowed)
        {
            var found = (await store.FindAsync(StoreTest.B, key, null, Cancel)).Value;
            var digest = found is null ? "-" : ObjectWriterProcess.Digest((await StoreTest.ReadAsync(store, found))!);
            Assert.Contains(digest, digests);
        }
        await store.CollectAsync(TimeSpan.Zero, Cancel);
        var rows = await store.Database.ReadAsync(static s => s.ScalarAsync<long>("SELECT COUNT(*) FROM contents WHERE is_file = 1"), Cancel);
        Assert.Equal(rows, Directory.GetFiles(_scratch["store", "data"], "*", SearchOption.AllDirectories).Length);
        var used = await store.Database.ReadAsync(static s => s.ScalarAsync<long>("SELECT SUM(size) FROM contents"), Cancel);
        Assert.Equal(used, (await store.UsageAsync(Cancel)).Bytes);
        Assert.Equal(0, (await store.ScrubAsync(static (_, _) => new((Stream?)null), null, Cancel)).Corrupt);
    }

    [Theory]
    [InlineData("300000")]
    [InlineData("3000000")]
    [InlineData("20000")]
    public async Task A_full_disk_is_answered_and_what_was_stored_before_is_unharmed(string length)
    {
        string[] inside = ["unshare", "--user", "--map-root-user", "--mount", "--", "sh", "-c", "mount -t tmpfs -o size=48m tmpfs \"$0\" && exec \"$@\"", _scratch.Path];
        var (code, why) = await Child.RunAsync(Cancel, [.. inside, "true"]);
        Assert.SkipUnless(code == 0, $"This kernel lets nobody mount a small file system: {why}");
        await using var filler = Child.Start("fill-store", [_scratch["store"], length], inside);
        Assert.Equal(0, await filler.EndAsync(Cancel));
        var said = filler.Lines.ToDictionary(line => line.Split(' ')[0], line => line.Split(' ')[1], StringComparer.Ordinal);
        Assert.Equal("NoRoom", said["fault"]);
        Assert.NotEqual("0", said["put"]);
        Assert.Equal(said["put"], said["good"]);
        Assert.Equal(length == "20000" ? "0" : said["put"], said["files"]);
        // To delete rows the database needs room itself; that is what the refusal of new work before the end is for.
        if (length != "20000")
        {
            Assert.Equal("True", said["after"]);
        }
    }

    [Fact]
    public async Task Bytes_are_on_the_disk_before_their_name_and_the_name_before_the_answer()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/strace"), "strace is not installed.");
        string[] trace = ["/usr/bin/strace", "-f", "-y", "-s", "40", "-e", "trace=fsync,fdatasync,write", "-o", _scratch["trace"]];
        await using var writer = Child.Start("write-objects", [_scratch["store"], "t"], trace);
        await writer.LinesAsync(30, Cancel);
        await writer.KillInnerAsync(Cancel);
        var calls = await File.ReadAllLinesAsync(_scratch["trace"], Cancel);
        var files = Directory.GetFiles(_scratch["store", "data"], "*", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        await using var store = await StoreTest.OpenStoreAsync(_scratch["store"], static () => false);
        await store.StraysRemoved;
        foreach (var file in files.Where(File.Exists))
        {
            var flushed = Array.FindIndex(calls, call => call.Contains("fsync(", StringComparison.Ordinal) && call.Contains($"<{file}>", StringComparison.Ordinal));
            Assert.InRange(flushed, 0, calls.Length);
            var named = Array.FindIndex(calls, flushed, call => call.Contains("fsync(", StringComparison.Ordinal) && call.Contains($"<{Path.GetDirectoryName(file)}>", StringComparison.Ordinal));
            Assert.InRange(named, flushed, calls.Length);
            Assert.Contains(calls[named..], call => call.Contains("sync(", StringComparison.Ordinal) && call.Contains("store.db-wal>", StringComparison.Ordinal));
        }
    }

    public void Dispose() => _scratch.Dispose();
}
