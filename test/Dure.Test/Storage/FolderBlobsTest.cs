using Dure.Storage;
using Dure.Test.Contracts;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Storage;

public sealed class FolderBlobsTest : BlobsContract, IDisposable
{
    private readonly Scratch _scratch = new();

    internal override Task<IBlobs> OpenStoreAsync(TimeProvider time) =>
        Task.FromResult<IBlobs>(FolderBlobs.Open(_scratch["blobs"], time));

    [Fact]
    public async Task A_blob_is_a_read_only_file_named_by_its_digest()
    {
        var blob = await PutAsync(await OpenStoreAsync(TimeProvider.System), "x"u8.ToArray());
        var path = _scratch["blobs", blob.Digest[..2], blob.Digest[2..]];
        Assert.Equal("x", await File.ReadAllTextAsync(path, Cancel));
        Assert.Equal("r--r--r--", ModeOf(path));
        Assert.Equal("rwx------", ModeOf(_scratch["blobs", blob.Digest[..2]]));
    }

    [Fact]
    public async Task A_damaged_blob_is_healed_by_putting_it_again()
    {
        var blobs = await OpenStoreAsync(TimeProvider.System);
        var blob = await PutAsync(blobs, "whole"u8.ToArray());
        var path = _scratch["blobs", blob.Digest[..2], blob.Digest[2..]];
        File.Delete(path);
        await File.WriteAllTextAsync(path, "who", Cancel);
        await PutAsync(blobs, "whole"u8.ToArray());
        Assert.Equal("whole", await File.ReadAllTextAsync(path, Cancel));
    }

    [Fact]
    public async Task Leftovers_of_a_dead_writer_are_removed_and_those_of_a_living_one_stay()
    {
        var blobs = await OpenStoreAsync(TimeProvider.System);
        await File.WriteAllTextAsync(_scratch["blobs", "tmp", "leftover"], "half", Cancel);
        using var half = new HeldStream();
        var put = blobs.PutAsync(half, long.MaxValue, Cancel);
        await half.Reached;
        await OpenStoreAsync(TimeProvider.System);
        Assert.Single(Directory.GetFiles(_scratch["blobs", "tmp"]));
        half.LetGo();
        var blob = (await put).Value;
        Assert.Equal("held back"u8.ToArray(), await ReadAsync(blobs, blob.Digest));
        Assert.Empty(Directory.GetFiles(_scratch["blobs", "tmp"]));
    }

    [Fact]
    public async Task A_file_on_another_disk_is_taken_and_a_link_to_another_disk_is_a_copy()
    {
        Assert.SkipUnless(Directory.Exists("/dev/shm"), "There is no second file system at /dev/shm.");
        using var other = new Scratch(under: "/dev/shm");
        Assert.SkipWhen(await SameDiskAsync(other.Path, _scratch.Path), "/dev/shm is not a file system of its own.");
        var blobs = await OpenStoreAsync(TimeProvider.System);
        await File.WriteAllTextAsync(other["file"], "from afar", Cancel);
        var taken = await blobs.TakeFileAsync(other["file"], long.MaxValue, Cancel);
        Assert.False(File.Exists(other["file"]));
        Assert.True(await blobs.LinkToAsync(taken.Value.Digest, other["link"], Cancel));
        Assert.Equal("from afar", await File.ReadAllTextAsync(other["link"], Cancel));
        Assert.Equal("r--r--r--", ModeOf(other["link"]));
        Assert.Single(Directory.GetFiles(other.Path));
    }

    [Fact]
    public async Task A_killed_writer_leaves_nothing_partial_and_all_that_was_acknowledged()
    {
        var acknowledged = new HashSet<string>(StringComparer.Ordinal);
        for (var round = 0; round < 5; round++)
        {
            await using var writer = Child.Start("write-blobs", [_scratch["blobs"], _scratch["incoming"]]);
            await writer.LinesAsync(10 + round * 7, Cancel);
            await writer.KillAsync();
            acknowledged.UnionWith(writer.Lines);
        }
        var blobs = await OpenStoreAsync(TimeProvider.System);
        Assert.Empty(Directory.GetFiles(_scratch["blobs", "tmp"]));
        var listed = await ListAsync(blobs);
        foreach (var blob in listed)
        {
            Assert.Equal(blob.Digest, DigestOf(await ReadAsync(blobs, blob.Digest)));
        }
        Assert.Subset(listed.Select(blob => blob.Digest).ToHashSet(StringComparer.Ordinal), acknowledged);
    }

    [Fact]
    public async Task A_full_disk_is_a_problem_and_what_was_stored_before_is_unharmed()
    {
        string[] inside = ["unshare", "--user", "--map-root-user", "--mount", "--", "sh", "-c", "mount -t tmpfs -o size=4m tmpfs \"$0\" && exec \"$@\"", _scratch.Path];
        var (code, why) = await Child.RunAsync(Cancel, [.. inside, "true"]);
        Assert.SkipUnless(code == 0, $"This kernel lets nobody mount a small file system: {why}");
        await using var filler = Child.Start("fill-disk", [_scratch["blobs"]], inside);
        Assert.Equal(0, await filler.EndAsync(Cancel));
        var said = filler.Lines.ToLookup(line => line.Split(' ')[0], line => line.Split(' ')[1], StringComparer.Ordinal);
        Assert.Equal([BlobErrors.NoRoom.Id], said["problem"], StringComparer.Ordinal);
        Assert.NotEmpty(said["put"]);
        Assert.Equal(said["put"].Order(StringComparer.Ordinal), said["listed"], StringComparer.Ordinal);
        Assert.Equal(["0"], said["leftovers"], StringComparer.Ordinal);
        Assert.Equal(["True"], said["after"], StringComparer.Ordinal);
    }

    [Fact]
    public async Task Content_is_on_disk_before_it_is_named_and_the_name_before_the_answer()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/strace"), "strace is not installed.");
        string[] trace = ["/usr/bin/strace", "-f", "-y", "-s", "80", "-e", "trace=fsync,rename,write", "-o", _scratch["trace"]];
        await using var writer = Child.Start("write-blobs", [_scratch["blobs"], _scratch["incoming"]], trace);
        await writer.LinesAsync(8, Cancel);
        await writer.KillInnerAsync(Cancel);
        var calls = await File.ReadAllLinesAsync(_scratch["trace"], Cancel);
        foreach (var digest in writer.Lines)
        {
            var folder = _scratch["blobs", digest[..2]];
            var renamed = Array.FindIndex(calls, call => call.Contains($"{folder}/{digest[2..]}\"", StringComparison.Ordinal));
            var source = calls[renamed].Split('"')[1];
            Assert.Contains(calls[..renamed], call => call.Contains("fsync(", StringComparison.Ordinal) && call.Contains($"<{source}>", StringComparison.Ordinal));
            var answered = Array.FindIndex(calls, call => call.Contains("write(", StringComparison.Ordinal) && call.Contains(digest, StringComparison.Ordinal));
            Assert.InRange(answered, renamed, calls.Length);
            Assert.Contains(calls[renamed..answered], call => call.Contains("fsync(", StringComparison.Ordinal) && call.Contains($"<{folder}>", StringComparison.Ordinal));
        }
    }

    void IDisposable.Dispose()
    {
        _scratch.Dispose();
        Dispose();
    }

    private static async Task<bool> SameDiskAsync(string one, string other)
    {
        var (_, text) = await Child.RunAsync(Cancel, "stat", "-c", "%d", one, other);
        return text.Split('\n') is [var first, var second, ..] && first == second;
    }
}
