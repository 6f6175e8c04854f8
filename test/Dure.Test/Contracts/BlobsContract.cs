using System.Security.Cryptography;
using Dure.Storage;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Contracts;

/// <summary>Every promise of the Blobs seam, run against each implementation.</summary>
public abstract class BlobsContract : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly SetClock _clock = new();

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Opens the store of this test; a second call opens the same store again, as a new process would.</summary>
    internal abstract Task<IBlobs> OpenStoreAsync(TimeProvider time);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(128 * 1024 - 1)]
    [InlineData(128 * 1024)]
    [InlineData(128 * 1024 + 1)]
    [InlineData(3_000_000)]
    public async Task Content_comes_back_as_it_was_put(int length)
    {
        var blobs = await OpenStoreAsync(_clock);
        var content = RandomNumberGenerator.GetBytes(length);
        var blob = await PutAsync(blobs, content);
        Assert.Equal(new BlobInfo(DigestOf(content), length), blob);
        Assert.Equal(blob, await blobs.HeadAsync(blob.Digest, Cancel));
        Assert.Equal(content, await ReadAsync(blobs, blob.Digest));
    }

    [Fact]
    public async Task A_stored_blob_is_there_when_the_store_is_opened_again()
    {
        var blob = await PutAsync(await OpenStoreAsync(_clock), "kept"u8.ToArray());
        Assert.Equal("kept"u8.ToArray(), await ReadAsync(await OpenStoreAsync(_clock), blob.Digest));
    }

    [Fact]
    public async Task The_same_content_twice_is_one_blob()
    {
        var blobs = await OpenStoreAsync(_clock);
        var first = await PutAsync(blobs, "same"u8.ToArray());
        Assert.Equal(first, await PutAsync(blobs, "same"u8.ToArray()));
        Assert.Equal([first], await ListAsync(blobs));
    }

    [Fact]
    public async Task The_same_content_put_by_many_at_once_is_one_blob()
    {
        var blobs = await OpenStoreAsync(_clock);
        var content = RandomNumberGenerator.GetBytes(200_000);
        var put = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Run(() => PutAsync(blobs, content))));
        Assert.Single(put.Distinct());
        Assert.Equal([put[0]], await ListAsync(blobs));
        Assert.Equal(content, await ReadAsync(blobs, put[0].Digest));
    }

    [Fact]
    public async Task Content_of_exactly_the_limit_is_taken_and_one_byte_more_is_refused()
    {
        var blobs = await OpenStoreAsync(_clock);
        Assert.True((await blobs.PutAsync(new MemoryStream(new byte[1000]), 1000, Cancel)).Ok);
        var refused = await blobs.PutAsync(new MemoryStream(new byte[1001]), 1000, Cancel);
        Assert.Equal(BlobErrors.TooLarge, refused.Problem?.Kind);
        Assert.Single(await ListAsync(blobs));
    }

    [Fact]
    public async Task Content_that_cannot_be_read_to_its_end_leaves_nothing()
    {
        var blobs = await OpenStoreAsync(_clock);
        var broken = new BrokenStream(bytesBefore: 300_000, () => new InvalidDataException("cut off"));
        await Assert.ThrowsAsync<InvalidDataException>(() => blobs.PutAsync(broken, long.MaxValue, Cancel));
        Assert.Empty(await ListAsync(blobs));
    }

    [Fact]
    public async Task A_cancelled_put_leaves_nothing()
    {
        var blobs = await OpenStoreAsync(_clock);
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var content = new BrokenStream(bytesBefore: 300_000, () =>
        {
            source.Cancel();
            return new OperationCanceledException(source.Token);
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => blobs.PutAsync(content, long.MaxValue, source.Token));
        Assert.Empty(await ListAsync(blobs));
    }

    [Fact]
    public async Task A_blob_being_read_stays_readable_while_it_is_removed()
    {
        var blobs = await OpenStoreAsync(_clock);
        var content = RandomNumberGenerator.GetBytes(500_000);
        var blob = await PutAsync(blobs, content);
        await using var stream = await blobs.OpenAsync(blob.Digest, Cancel);
        await blobs.DeleteAsync(blob.Digest, Cancel);
        var read = new byte[500_000];
        await stream!.ReadExactlyAsync(read, Cancel);
        Assert.Equal(content, read);
        Assert.Null(await blobs.OpenAsync(blob.Digest, Cancel));
    }

    [Fact]
    public async Task Reading_can_start_anywhere()
    {
        var blobs = await OpenStoreAsync(_clock);
        var blob = await PutAsync(blobs, "0123456789"u8.ToArray());
        await using var stream = await blobs.OpenAsync(blob.Digest, Cancel);
        stream!.Seek(7, SeekOrigin.Begin);
        var rest = new byte[3];
        await stream.ReadExactlyAsync(rest, Cancel);
        Assert.Equal("789"u8.ToArray(), rest);
        Assert.Equal(10, stream.Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("abc")]
    [InlineData("../../../../../../../../../../../../../../../../../../etc/passwd")]
    [InlineData("ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    public async Task What_is_not_there_or_is_no_digest_is_not_found(string digest)
    {
        var blobs = await OpenStoreAsync(_clock);
        Assert.Null(await blobs.HeadAsync(digest, Cancel));
        Assert.Null(await blobs.OpenAsync(digest, Cancel));
        Assert.False(await blobs.LinkToAsync(digest, _scratch["link"], Cancel));
        Assert.False(await blobs.SweepAsync(digest, DateTimeOffset.MaxValue, Cancel));
        await blobs.DeleteAsync(digest, Cancel);
        Assert.False(File.Exists(_scratch["link"]));
    }

    [Fact]
    public async Task Every_blob_is_listed_in_digest_order()
    {
        var blobs = await OpenStoreAsync(_clock);
        var put = new List<BlobInfo>();
        for (var i = 0; i < 40; i++)
        {
            put.Add(await PutAsync(blobs, BitConverter.GetBytes(i)));
        }
        Assert.Equal(put.OrderBy(blob => blob.Digest, StringComparer.Ordinal), await ListAsync(blobs));
    }

    [Fact]
    public async Task A_taken_file_becomes_a_blob_and_is_gone()
    {
        var blobs = await OpenStoreAsync(_clock);
        foreach (var path in new[] { _scratch["one"], _scratch["the same again"] })
        {
            await File.WriteAllTextAsync(path, "taken", Cancel);
            var taken = await blobs.TakeFileAsync(path, long.MaxValue, Cancel);
            Assert.Equal(new BlobInfo(DigestOf("taken"u8), 5), taken.Value);
            Assert.False(File.Exists(path));
            Assert.Equal("taken"u8.ToArray(), await ReadAsync(blobs, taken.Value.Digest));
        }
        Assert.Single(await ListAsync(blobs));
    }

    [Fact]
    public async Task A_taken_file_that_has_another_name_cannot_change_the_blob()
    {
        var blobs = await OpenStoreAsync(_clock);
        await File.WriteAllTextAsync(_scratch["one"], "taken", Cancel);
        await Child.RunAsync(Cancel, "ln", _scratch["one"], _scratch["other"]);
        var taken = (await blobs.TakeFileAsync(_scratch["one"], long.MaxValue, Cancel)).Value;
        Assert.False(File.Exists(_scratch["one"]));
        await File.WriteAllTextAsync(_scratch["other"], "swapped", Cancel);
        Assert.Equal("taken"u8.ToArray(), await ReadAsync(blobs, taken.Digest));
    }

    [Fact]
    public async Task A_file_that_is_too_large_is_not_taken_and_stays()
    {
        var blobs = await OpenStoreAsync(_clock);
        await File.WriteAllTextAsync(_scratch["large"], "too large", Cancel);
        var refused = await blobs.TakeFileAsync(_scratch["large"], 8, Cancel);
        Assert.Equal(BlobErrors.TooLarge, refused.Problem?.Kind);
        Assert.Equal("too large", await File.ReadAllTextAsync(_scratch["large"], Cancel));
        Assert.Empty(await ListAsync(blobs));
    }

    [Fact]
    public async Task What_is_no_regular_file_is_not_taken()
    {
        var blobs = await OpenStoreAsync(_clock);
        await File.WriteAllTextAsync(_scratch["secret"], "of somebody else", Cancel);
        File.CreateSymbolicLink(_scratch["link"], _scratch["secret"]);
        await Assert.ThrowsAsync<IOException>(() => blobs.TakeFileAsync(_scratch["link"], long.MaxValue, Cancel));
        await Assert.ThrowsAnyAsync<IOException>(() => blobs.TakeFileAsync(_scratch["missing"], long.MaxValue, Cancel));
        await Assert.ThrowsAnyAsync<IOException>(() => blobs.TakeFileAsync(_scratch.Path, long.MaxValue, Cancel));
        await Child.RunAsync(Cancel, "mkfifo", _scratch["pipe"]);
        await Assert.ThrowsAnyAsync<IOException>(() => blobs.TakeFileAsync(_scratch["pipe"], long.MaxValue, Cancel).WaitAsync(TimeSpan.FromSeconds(5), Cancel));
        Assert.True(File.Exists(_scratch["secret"]));
        Assert.Empty(await ListAsync(blobs));
    }

    [Fact]
    public async Task A_blob_is_linked_as_a_read_only_file_in_place_of_what_was_there()
    {
        var blobs = await OpenStoreAsync(_clock);
        var blob = await PutAsync(blobs, "linked"u8.ToArray());
        await File.WriteAllTextAsync(_scratch["link"], "old", Cancel);
        for (var again = 0; again < 2; again++)
        {
            Assert.True(await blobs.LinkToAsync(blob.Digest, _scratch["link"], Cancel));
            Assert.Equal("linked", await File.ReadAllTextAsync(_scratch["link"], Cancel));
            Assert.Equal("r--r--r--", ModeOf(_scratch["link"]));
            Assert.Single(Directory.GetFiles(_scratch.Path));
        }
        await blobs.DeleteAsync(blob.Digest, Cancel);
        Assert.Equal("linked", await File.ReadAllTextAsync(_scratch["link"], Cancel));
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            await PutAsync(blobs, "linked"u8.ToArray());
            await blobs.LinkToAsync(blob.Digest, _scratch["no such folder", "link"], Cancel);
        });
    }

    [Fact]
    public async Task Removing_a_blob_leaves_the_others()
    {
        var blobs = await OpenStoreAsync(_clock);
        var first = await PutAsync(blobs, "first"u8.ToArray());
        var second = await PutAsync(blobs, "second"u8.ToArray());
        await blobs.DeleteAsync(first.Digest, Cancel);
        await blobs.DeleteAsync(first.Digest, Cancel);
        Assert.Equal([second], await ListAsync(blobs));
    }

    [Fact]
    public async Task A_blob_that_was_put_again_since_is_not_swept()
    {
        var blobs = await OpenStoreAsync(_clock);
        var blob = await PutAsync(blobs, "wanted again"u8.ToArray());
        _clock.Now += TimeSpan.FromHours(1);
        var decided = _clock.Now;
        _clock.Now += TimeSpan.FromSeconds(1);
        await PutAsync(blobs, "wanted again"u8.ToArray());
        Assert.False(await blobs.SweepAsync(blob.Digest, decided, Cancel));
        Assert.NotNull(await blobs.HeadAsync(blob.Digest, Cancel));
        _clock.Now += TimeSpan.FromSeconds(1);
        Assert.True(await blobs.SweepAsync(blob.Digest, _clock.Now, Cancel));
        Assert.Null(await blobs.HeadAsync(blob.Digest, Cancel));
    }

    public void Dispose()
    {
        _scratch.Dispose();
        GC.SuppressFinalize(this);
    }

    protected static string DigestOf(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content));

    protected static async Task<BlobInfo> PutAsync(IBlobs blobs, byte[] content) =>
        (await blobs.PutAsync(new MemoryStream(content), long.MaxValue, Cancel)).Value;

    protected static async Task<byte[]> ReadAsync(IBlobs blobs, string digest)
    {
        await using var stream = await blobs.OpenAsync(digest, Cancel);
        var copy = new MemoryStream();
        await stream!.CopyToAsync(copy, Cancel);
        return copy.ToArray();
    }

    protected static async Task<List<BlobInfo>> ListAsync(IBlobs blobs) => await blobs.ListAsync(Cancel).ToListAsync(Cancel);

    protected static string ModeOf(string path)
    {
        var mode = File.GetUnixFileMode(path);
        return string.Concat("rwxrwxrwx".Select((letter, at) => ((int)mode >> (8 - at) & 1) == 1 ? letter : '-'));
    }
}
