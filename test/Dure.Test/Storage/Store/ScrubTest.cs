using System.Security.Cryptography;
using Dure.Storage.Store;
using Xunit;

namespace Dure.Test.Storage.Store;

public sealed class ScrubTest : StoreTest
{
    [Fact]
    public async Task A_flipped_byte_in_a_file_is_never_given_out_and_is_repaired()
    {
        var bytes = Bytes(1_000_000);
        var put = await PutAsync("k", bytes);
        await FlipAsync(500_000);
        var found = 0;
        Store.CorruptionFound = () => Interlocked.Increment(ref found);
        Assert.Null(await ReadAsync("k"));
        Assert.Null(await ReadAsync("k"));
        Assert.Equal(1, found);
        Assert.Equal(bytes[..1000], await ReadAsync(Store, put, 0, 1000));
        await using (var reader = (await Store.OpenAsync(put, 500_000, 10, Cancel)).Value!)
        {
            Assert.False(await reader.CheckFirstAsync(Cancel));
        }
        Assert.Equal(1, (await Store.UsageAsync(Cancel)).Corrupt);
        Assert.Equal([put.Sha256], (await Store.RepairAsync(static (_, _) => new((Stream?)null), Cancel)).Unrepairable, StringComparer.Ordinal);
        Assert.Equal(0, (await Store.RepairAsync(static (_, _) => new(new MemoryStream(new byte[1_000_000])), Cancel)).Repaired);
        Assert.Equal(1, (await Store.RepairAsync((digest, _) => new(digest == put.Sha256 ? new MemoryStream(bytes) : null), Cancel)).Repaired);
        Assert.Equal(bytes, await ReadAsync("k"));
        Assert.Equal(0, (await Store.UsageAsync(Cancel)).Corrupt);
        await FlipAsync(3);
        Assert.Null(await ReadAsync("k"));
        Assert.Equal(2, found);
    }

    [Fact]
    public async Task A_scrub_finds_what_nobody_reads()
    {
        Dictionary<string, byte[]> good = [];
        foreach (var (key, length) in new[] { ("small", 1000), ("large", 600_000), ("other", 200_000), ("empty", 0) })
        {
            var bytes = Bytes(length);
            good[(await PutAsync(key, bytes)).Sha256] = bytes;
        }
        var report = await Store.ScrubAsync(static (_, _) => new((Stream?)null), null, Cancel);
        Assert.Equal((4, 801_000, 0), (report.Checked, report.Bytes, report.Corrupt));
        await FlipAsync(300_000);
        await Store.Database.WriteAsync(static s => s.ExecuteAsync("UPDATE contents SET bytes = $1 WHERE is_file = 0 AND size > 0", new byte[1000]), cancel: Cancel);
        Assert.Null(await ReadAsync("small"));
        File.Delete(Files().Single(file => new FileInfo(file).Length == 200_000));
        report = await Store.ScrubAsync((digest, _) => new(new MemoryStream(good[digest])), null, Cancel);
        Assert.Equal((3, 3), (report.Corrupt, report.Repaired));
        foreach (var (digest, bytes) in good)
        {
            Assert.Contains(await Task.WhenAll(new[] { "small", "large", "other", "empty" }.Select(key => ReadAsync(key))), read => read!.AsSpan().SequenceEqual(bytes) && digest.Length == 64);
        }
        Assert.Empty(Directory.GetFiles(Folder["store", "incoming"]));
    }

    [Fact]
    public async Task A_copy_of_damaged_bytes_is_refused()
    {
        var put = await PutAsync("k", Bytes(600_000));
        await FlipAsync(400_000);
        Assert.Equal(StoreFault.Corrupt, (await Store.CopyAsync(put, B, New("copy"), [], Cancel)).Fault);
        Assert.Null(await FindAsync("copy"));
    }

    private async Task FlipAsync(int at)
    {
        await using var file = File.Open(Files().First(file => new FileInfo(file).Length > at + 1), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.Position = at;
        var old = file.ReadByte();
        file.Position = at;
        file.WriteByte((byte)(old ^ 1));
    }
}
