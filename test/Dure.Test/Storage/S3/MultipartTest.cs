using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.S3.Transfer;
using Xunit;

namespace Dure.Test.Storage.S3;

/// <summary>Uploads in parts, and copies, over the wire.</summary>
public sealed class MultipartTest(RunningStore store) : IClassFixture<RunningStore>
{
    private const int Least = 5 << 20;

    [Fact]
    public async Task Parts_become_one_object_with_their_checksums()
    {
        var bucket = await store.BucketAsync();
        var bytes = RandomNumberGenerator.GetBytes(Least + 100);
        using var transfer = new TransferUtility(store.Ada, new TransferUtilityConfig { MinSizeBeforePartUpload = Least });
        await transfer.UploadAsync(new TransferUtilityUploadRequest { BucketName = bucket, Key = "big", InputStream = new MemoryStream(bytes), PartSize = Least });
        var head = await store.SendAsync("HEAD", $"/{bucket}/big?partNumber=2", headers: RunningStore.Headers(("x-amz-checksum-mode", "ENABLED")));
        Assert.Equal((206, "2", "100"), (head.Status, head.Header("x-amz-mp-parts-count"), head.Header("Content-Length")));
        Assert.EndsWith("-2\"", head.Header("ETag"), StringComparison.Ordinal);
        var part = await store.SendAsync("GET", $"/{bucket}/big?partNumber=2");
        Assert.Equal(bytes[Least..], part.Body);
        Assert.Equal(bytes, (await store.SendAsync("GET", $"/{bucket}/big")).Body);
        Assert.Equal("416 InvalidPartNumber", (await store.SendAsync("GET", $"/{bucket}/big?partNumber=3")).Error);
        Assert.Equal("2", (await store.SendAsync("GET", $"/{bucket}/big?attributes", headers: RunningStore.Headers(("x-amz-object-attributes", "ObjectParts")))).Element("PartsCount"));
    }

    [Fact]
    public async Task An_upload_is_listed_until_it_is_given_up()
    {
        var bucket = await store.BucketAsync();
        var id = await BeginAsync(bucket, "a");
        await store.SendAsync("PUT", $"/{bucket}/a?partNumber=1&uploadId={id}", "one");
        await store.SendAsync("PUT", $"/{bucket}/a?partNumber=3&uploadId={id}", "three");
        Assert.Equal([id], (await store.SendAsync("GET", $"/{bucket}?uploads")).Elements("UploadId"));
        var parts = await store.SendAsync("GET", $"/{bucket}/a?uploadId={id}&max-parts=1");
        Assert.Equal(["1"], parts.Elements("PartNumber"));
        Assert.Equal("true", parts.Element("IsTruncated"));
        Assert.Equal(["3"], (await store.SendAsync("GET", $"/{bucket}/a?uploadId={id}&part-number-marker=1")).Elements("PartNumber"));
        Assert.Equal(204, (await store.SendAsync("DELETE", $"/{bucket}/a?uploadId={id}")).Status);
        Assert.Equal("404 NoSuchUpload", (await store.SendAsync("GET", $"/{bucket}/a?uploadId={id}")).Error);
        Assert.Empty((await store.SendAsync("GET", $"/{bucket}?uploads")).Elements("UploadId"));
    }

    [Fact]
    public async Task An_upload_is_completed_with_the_right_parts_only()
    {
        var bucket = await store.BucketAsync();
        var id = await BeginAsync(bucket, "a");
        var first = (await store.SendAsync("PUT", $"/{bucket}/a?partNumber=1&uploadId={id}", "one")).Header("ETag")!;
        var second = (await store.SendAsync("PUT", $"/{bucket}/a?partNumber=2&uploadId={id}", "two")).Header("ETag")!;
        async Task<string> Complete(string parts) => (await store.SendAsync("POST", $"/{bucket}/a?uploadId={id}", $"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")).Error;
        string Part(int number, string tag) => $"<Part><PartNumber>{number}</PartNumber><ETag>{tag.Replace("\"", "&quot;", StringComparison.Ordinal)}</ETag></Part>";
        Assert.Equal("400 MalformedXML", await Complete(""));
        Assert.Equal("400 MalformedXML", await Complete("<Part/>"));
        Assert.Equal("400 InvalidPartOrder", await Complete(Part(2, second) + Part(1, first)));
        Assert.Equal("400 InvalidPart", await Complete(Part(1, "\"0123\"")));
        Assert.Equal("400 EntityTooSmall", await Complete(Part(1, first) + Part(2, second)));
        Assert.Equal("404 NoSuchUpload", (await store.SendAsync("POST", $"/{bucket}/a?uploadId=none", $"<CompleteMultipartUpload>{Part(1, first)}</CompleteMultipartUpload>")).Error);
        var done = await store.SendAsync("POST", $"/{bucket}/a?uploadId={id}", $"<CompleteMultipartUpload>{Part(1, first)}</CompleteMultipartUpload>");
        // Who did not hear the answer asks again.
        Assert.Equal(done.Status, (await store.SendAsync("POST", $"/{bucket}/a?uploadId={id}", $"<CompleteMultipartUpload>{Part(1, first)}</CompleteMultipartUpload>")).Status);
        Assert.Equal(200, done.Status);
        Assert.Equal("one", (await store.SendAsync("GET", $"/{bucket}/a")).Text);
    }

    [Fact]
    public async Task A_part_has_a_number_from_1_to_10000()
    {
        var bucket = await store.BucketAsync();
        var id = await BeginAsync(bucket, "a");
        foreach (var number in new[] { "0", "10001", "x" })
            Assert.Equal("400 InvalidArgument", (await store.SendAsync("PUT", $"/{bucket}/a?partNumber={number}&uploadId={id}", "x")).Error);
        Assert.Equal("404 NoSuchUpload", (await store.SendAsync("PUT", $"/{bucket}/a?partNumber=1&uploadId=none", "x")).Error);
    }

    [Fact]
    public async Task Checksums_are_announced_at_the_start_and_hold_at_the_end()
    {
        var bucket = await store.BucketAsync();
        var begun = await store.Ada.InitiateMultipartUploadAsync(new InitiateMultipartUploadRequest { BucketName = bucket, Key = "a", ChecksumAlgorithm = ChecksumAlgorithm.CRC32, ChecksumType = ChecksumType.FULL_OBJECT });
        Assert.Equal(ChecksumAlgorithm.CRC32, begun.ChecksumAlgorithm);
        var part = await store.Ada.UploadPartAsync(new UploadPartRequest { BucketName = bucket, Key = "a", UploadId = begun.UploadId, PartNumber = 1, InputStream = new MemoryStream("part"u8.ToArray()), ChecksumAlgorithm = ChecksumAlgorithm.CRC32 });
        Assert.NotNull(part.ChecksumCRC32);
        var done = await store.Ada.CompleteMultipartUploadAsync(new CompleteMultipartUploadRequest { BucketName = bucket, Key = "a", UploadId = begun.UploadId, PartETags = [new PartETag(part)] });
        Assert.Equal(part.ChecksumCRC32, done.ChecksumCRC32);
        Assert.Equal("400 InvalidRequest", (await store.SendAsync("POST", $"/{bucket}/b?uploads", headers: RunningStore.Headers(("x-amz-checksum-algorithm", "CRC9")))).Error);
        Assert.Equal("400 InvalidRequest", (await store.SendAsync("POST", $"/{bucket}/b?uploads", headers: RunningStore.Headers(("x-amz-checksum-algorithm", "SHA1"), ("x-amz-checksum-type", "FULL_OBJECT")))).Error);
    }

    [Fact]
    public async Task A_copy_takes_or_replaces_what_is_said_of_the_source()
    {
        var bucket = await store.BucketAsync();
        await store.SendAsync("PUT", $"/{bucket}/a%20b", "text", RunningStore.Headers(("x-amz-meta-x", "1"), ("Content-Type", "text/plain"), ("x-amz-tagging", "t=1")));
        Assert.Equal(200, (await CopyAsync(bucket, "copied")).Status);
        var taken = await store.SendAsync("GET", $"/{bucket}/copied");
        Assert.Equal(("text", "1", "text/plain", "1"), (taken.Text, taken.Header("x-amz-meta-x"), taken.Header("Content-Type"), taken.Header("x-amz-tagging-count")));
        await CopyAsync(bucket, "replaced", ("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-y", "2"), ("x-amz-tagging-directive", "REPLACE"));
        var replaced = await store.SendAsync("GET", $"/{bucket}/replaced");
        Assert.Equal((null, "2", null), (replaced.Header("x-amz-meta-x"), replaced.Header("x-amz-meta-y"), replaced.Header("x-amz-tagging-count")));
        Assert.Equal("400 InvalidRequest", (await CopyAsync(bucket, "a%20b")).Error);
        Assert.Equal(200, (await CopyAsync(bucket, "a%20b", ("x-amz-metadata-directive", "REPLACE"))).Status);
        Assert.Equal("400 InvalidArgument", (await CopyAsync(bucket, "c", ("x-amz-metadata-directive", "MIX"))).Error);
        Assert.Equal("412 PreconditionFailed", (await CopyAsync(bucket, "c", ("x-amz-copy-source-if-match", "\"other\""))).Error);
        Assert.Equal("404 NoSuchKey", (await store.SendAsync("PUT", $"/{bucket}/c", headers: RunningStore.Headers(("x-amz-copy-source", $"{bucket}/none")))).Error);
        Assert.Equal("400 InvalidArgument", (await store.SendAsync("PUT", $"/{bucket}/c", headers: RunningStore.Headers(("x-amz-copy-source", "nonsense")))).Error);
    }

    [Fact]
    public async Task A_part_may_be_a_range_of_another_object()
    {
        var bucket = await store.BucketAsync();
        await store.SendAsync("PUT", $"/{bucket}/source", "0123456789");
        var id = await BeginAsync(bucket, "a");
        async Task<RunningStore.Answer> Part(string range) => await store.SendAsync("PUT", $"/{bucket}/a?partNumber=1&uploadId={id}", headers: RunningStore.Headers(("x-amz-copy-source", $"/{bucket}/source"), ("x-amz-copy-source-range", range)));
        Assert.Equal("400 InvalidArgument", (await Part("bytes=5-20")).Error);
        Assert.Equal("400 InvalidArgument", (await Part("bytes=5-")).Error);
        var part = await Part("bytes=2-5");
        await store.SendAsync("POST", $"/{bucket}/a?uploadId={id}", $"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part.Element("ETag")}</ETag></Part></CompleteMultipartUpload>");
        Assert.Equal("2345", (await store.SendAsync("GET", $"/{bucket}/a")).Text);
    }

    private Task<RunningStore.Answer> CopyAsync(string bucket, string target, params (string, string)[] headers) =>
        store.SendAsync("PUT", $"/{bucket}/{target}", headers: RunningStore.Headers([("x-amz-copy-source", $"{bucket}/a%20b"), .. headers]));

    private async Task<string> BeginAsync(string bucket, string key) => (await store.SendAsync("POST", $"/{bucket}/{key}?uploads")).Element("UploadId")!;
}
