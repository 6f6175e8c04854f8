using System.Security.Cryptography;
using Dure.Storage.Checksums;
using Dure.Storage.Signing;
using Dure.Storage.Store;
using Xunit;

namespace Dure.Test.Storage.Store;

public sealed class ObjectStoreTest : StoreTest
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(32 * 1024)]
    [InlineData(32 * 1024 + 1)]
    [InlineData(128 * 1024)]
    [InlineData(1_000_003)]
    [InlineData(5 * 1024 * 1024 + 1)]
    public async Task An_object_comes_back_as_it_was_put(int length)
    {
        var bytes = Bytes(length);
        foreach (var known in new[] { true, false })
        {
            var put = await Store.PutAsync(B, New("a/b"), new IncomingBody(new Drip(bytes), known ? length : null, MD5.HashData(bytes), [ChecksumKind.Crc32, ChecksumKind.Sha256], static _ => null), Cancel);
            Assert.Null(put.Fault);
            var found = (await FindAsync("a/b"))!;
            Assert.Equal(bytes, await ReadAsync(Store, found));
            Assert.Equal(Convert.ToHexStringLower(MD5.HashData(bytes)), found.ETag);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), found.Sha256);
            Assert.Equal(Convert.ToBase64String(SHA256.HashData(bytes)), found.Checksums.Single(sum => sum.Kind == ChecksumKind.Sha256).Value);
        }
        Assert.Equal(length, (await BucketAsync()).UsedBytes);
    }

    [Theory]
    [InlineData(20_000)]
    [InlineData(700_000)]
    public async Task Any_range_of_an_object_can_be_read(int length)
    {
        var bytes = Bytes(length);
        var put = await PutAsync("k", bytes);
        foreach (var (offset, count) in new[] { (0, 1), (1, 2), (length - 1, 1), (length / 2, length / 3), (131_071 % length, 2), (0, length), (length, 0) })
        {
            Assert.Equal(bytes[offset..(offset + count)], await ReadAsync(Store, put, offset, count));
        }
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(100_000)]
    [InlineData(3_000_000)]
    public async Task What_is_not_what_the_client_claims_is_refused_and_leaves_nothing(int length)
    {
        var bytes = Bytes(length);
        await PutAsync("k", "old");
        IncomingBody[] bodies =
        [
            new(new MemoryStream(bytes), length + 1, null, [], static _ => null),
            new(new MemoryStream(bytes), length - 1, null, [], static _ => null),
            new(new MemoryStream(bytes), length, new byte[16], [], static _ => null),
            new(new MemoryStream(bytes), length, null, [], static _ => StoreFault.Sha256Mismatch),
            new(new Broken(bytes, new BrokenBodyException(StoreFault.BadSignature, "x")), length + 9, null, [], static _ => null),
            new(new Broken(bytes, new IOException("gone")), length + 9, null, [], static _ => null),
        ];
        StoreFault?[] faults = [StoreFault.IncompleteBody, StoreFault.IncompleteBody, StoreFault.BadDigest, StoreFault.Sha256Mismatch, StoreFault.BadSignature, StoreFault.IncompleteBody];
        foreach (var (body, fault) in bodies.Zip(faults))
        {
            Assert.Equal(fault, (await Store.PutAsync(B, New("k"), body, Cancel)).Fault);
        }
        Assert.Empty(Files());
        Assert.Equal("old"u8.ToArray(), await ReadAsync("k"));
    }

    [Fact]
    public async Task A_reader_goes_on_with_the_bytes_of_an_object_that_is_replaced()
    {
        var bytes = Bytes(2_000_000);
        var old = await PutAsync("k", bytes);
        await using var reader = (await Store.OpenAsync(old, 0, old.Size, Cancel)).Value!;
        Assert.True(await reader.CheckFirstAsync(Cancel));
        await PutAsync("k", "new");
        await Store.CollectAsync(TimeSpan.Zero, Cancel);
        Assert.Equal(bytes, await ReadAsync(reader));
        Assert.Equal("new"u8.ToArray(), await ReadAsync("k"));
        await reader.DisposeAsync();
        await Store.CollectAsync(TimeSpan.Zero, Cancel);
        Assert.Empty(Files());
    }

    [Fact]
    public async Task Keys_may_be_anything_that_is_text()
    {
        string[] keys = ["..", "../../etc/passwd", "a//b", "/", " ", "ü/ß/漢字", "😀", "￿", new string('k', 1024), "a\nb", "%2F", "'; DROP TABLE objects; --"];
        foreach (var key in keys)
        {
            await PutAsync(key, key);
        }
        foreach (var key in keys)
        {
            Assert.Equal(System.Text.Encoding.UTF8.GetBytes(key), await ReadAsync(key));
        }
    }

    [Fact]
    public async Task Conditions_decide_at_the_commit()
    {
        Assert.Equal(StoreFault.NoSuchKey, (await TryPutAsync("k", [1], new WriteConditions(IfMatch: "*"))).Fault);
        var first = (await TryPutAsync("k", [1], new WriteConditions(IfNoneMatch: "*"))).Value!;
        Assert.Equal(StoreFault.PreconditionFailed, (await TryPutAsync("k", [2], new WriteConditions(IfNoneMatch: "*"))).Fault);
        Assert.Equal(StoreFault.PreconditionFailed, (await TryPutAsync("k", [2], new WriteConditions(IfMatch: "no"))).Fault);
        Assert.Null((await TryPutAsync("k", [2], new WriteConditions(IfMatch: first.ETag))).Fault);
        Assert.Equal(StoreFault.PreconditionFailed, (await Store.DeleteAsync(B, "k", null, new WriteConditions(IfMatch: first.ETag), Cancel)).Fault);
        Assert.Equal(StoreFault.PreconditionFailed, (await Store.DeleteAsync(B, "k", null, new WriteConditions(IfMatchSize: 7), Cancel)).Fault);
        Assert.Null((await Store.DeleteAsync(B, "k", null, new WriteConditions(IfMatchSize: 1), Cancel)).Fault);
        Assert.Null((await Store.DeleteAsync(B, "k", null, new WriteConditions(IfMatch: "no"), Cancel)).Fault);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(50_000)]
    public async Task Of_many_that_must_be_the_first_one_is(int length)
    {
        var puts = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => TryPutAsync("k", Bytes(length), new WriteConditions(IfNoneMatch: "*")).AsTask())));
        Assert.Single(puts, put => put.Fault is null);
        Assert.Equal(15, puts.Count(put => put.Fault == StoreFault.PreconditionFailed));
        Assert.Equal(puts.Single(put => put.Fault is null).Value!.ETag, (await FindAsync("k"))!.ETag);
        Assert.Equal((length, 1), ((await BucketAsync()).UsedBytes, (await BucketAsync()).Objects));
    }

    [Fact]
    public async Task A_quota_counts_what_is_replaced()
    {
        await ChangeAsync(new BucketChange { QuotaBytes = 100_000 });
        await PutAsync("k", Bytes(60_000));
        Assert.Equal(StoreFault.QuotaExceeded, (await TryPutAsync("other", Bytes(60_000))).Fault);
        Assert.Equal(StoreFault.QuotaExceeded, (await TryPutAsync("other", Bytes(40_001))).Fault);
        await PutAsync("k", Bytes(100_000));
        Assert.Equal(100_000, (await BucketAsync()).UsedBytes);
        await DeleteAsync("k");
        Assert.Equal((0, 0), ((await BucketAsync()).UsedBytes, (await BucketAsync()).Objects));
        await ChangeAsync(new BucketChange { QuotaBytes = 0 });
        Assert.Null((await BucketAsync()).QuotaBytes);
    }

    [Fact]
    public async Task A_bucket_goes_only_when_it_is_empty_and_takes_its_uploads_along()
    {
        Assert.Equal(StoreFault.BucketExists, (await Store.CreateBucketAsync(B, "bob", CannedAcl.Private, Cancel)).Fault);
        await PutAsync("k");
        Assert.Equal(StoreFault.BucketNotEmpty, await Store.DeleteBucketAsync(B, Cancel));
        await DeleteAsync("k");
        var upload = (await Store.BeginUploadAsync(B, New("k"), null, null, Cancel)).Value!;
        Assert.Null((await Store.PutPartAsync(B, "k", upload.Id, 1, Body(Bytes(100_000)), Cancel)).Fault);
        using var held = new HeldStream();
        var late = Store.PutAsync(B, New("late"), new IncomingBody(held, null, null, [], static _ => null), Cancel).AsTask();
        await held.Reached;
        Assert.Null(await Store.DeleteBucketAsync(B, Cancel));
        held.LetGo();
        Assert.Equal(StoreFault.NoSuchBucket, (await late).Fault);
        Assert.Equal(StoreFault.NoSuchBucket, (await Store.FindAsync(B, "late", null, Cancel)).Fault);
        await Store.CollectAsync(TimeSpan.Zero, Cancel);
        Assert.Empty(Files());
    }

    [Fact]
    public async Task Configuration_of_a_bucket_is_kept_and_removed_again()
    {
        await ChangeAsync(new BucketChange { Cors = "<c/>", Policy = "{}", Acl = CannedAcl.PublicRead, Tags = new Dictionary<string, string> { ["a"] = "b" } });
        await ChangeAsync(new BucketChange { Policy = "" });
        var bucket = Assert.Single(await Store.ListBucketsAsync(Cancel));
        Assert.Equal(("<c/>", null, CannedAcl.PublicRead, "b"), (bucket.Cors, bucket.Policy, bucket.Acl, bucket.Tags["a"]));
    }

    [Fact]
    public async Task Nothing_new_comes_onto_a_disk_that_is_nearly_full()
    {
        await PutAsync("k");
        Refuses = true;
        Assert.Equal(StoreFault.NoRoom, (await TryPutAsync("other", [1])).Fault);
        Assert.NotNull(await ReadAsync("k"));
        await DeleteAsync("k");
    }

    [Fact]
    public async Task A_copy_has_checksums_of_its_own()
    {
        var source = await PutAsync("k", Bytes(300_000));
        var copy = (await Store.CopyAsync((await FindAsync("k"))!, B, New("copy"), [ChecksumKind.Crc64Nvme], Cancel)).Value!;
        Assert.Equal((source.ETag, source.Sha256), (copy.ETag, copy.Sha256));
        Assert.Equal(ChecksumKind.Crc64Nvme, Assert.Single(copy.Checksums).Kind);
        Assert.Equal(await ReadAsync("k"), await ReadAsync("copy"));
    }

    [Fact]
    public async Task Many_small_objects_share_a_flush()
    {
        var begun = System.Diagnostics.Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(worker => Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                await PutAsync($"{worker}/{i}", Bytes(4096));
            }
        })));
        TestContext.Current.SendDiagnosticMessage($"{800 / System.Diagnostics.Stopwatch.GetElapsedTime(begun).TotalSeconds:F0} objects/s");
        Assert.Equal(800, (await BucketAsync()).Objects);
        Assert.Empty(Files());
    }

    /// <summary>Gives a few bytes at a time, as networks do.</summary>
    private sealed class Drip(byte[] bytes) : MemoryStream(bytes)
    {
        private readonly Random _random = new(5);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, 1 + _random.Next(100_000))], cancellationToken);
    }

    /// <summary>Breaks off at its end.</summary>
    private sealed class Broken(byte[] bytes, Exception end) : MemoryStream(bytes)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            await base.ReadAsync(buffer, cancellationToken) is var count && (count > 0 || buffer.IsEmpty) ? count : throw end;
    }
}
