using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;
using Dure.Storage.Store;
using Xunit;

namespace Dure.Test.Storage.S3;

/// <summary>Objects over the wire: put, get, head, delete, ranges, conditions, tags, versions.</summary>
public sealed class ObjectTest(RunningStore store) : IClassFixture<RunningStore>
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    [InlineData((5 << 20) + 1)]
    public async Task What_was_put_is_got_byte_for_byte(int size)
    {
        var bucket = await store.BucketAsync();
        var bytes = RandomNumberGenerator.GetBytes(size);
        var put = await store.Ada.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = "data", InputStream = new MemoryStream(bytes) });
        Assert.Equal($"\"{Convert.ToHexStringLower(MD5.HashData(bytes))}\"", put.ETag);
        using var got = await store.Ada.GetObjectAsync(bucket, "data");
        using var copy = new MemoryStream();
        await got.ResponseStream.CopyToAsync(copy);
        Assert.Equal(bytes, copy.ToArray());
        Assert.Equal(size, (await store.Ada.GetObjectMetadataAsync(bucket, "data")).ContentLength);
    }

    [Theory]
    [InlineData("a/../b", "a/../b")]
    [InlineData("//two//slashes", "//two//slashes")]
    [InlineData("a%2Fb", "a/b")]
    [InlineData("plus+and%20space", "plus+and space")]
    [InlineData("%C3%BCml%C3%A4ut-%F0%9F%98%80", "ümläut-😀")]
    [InlineData("per%25cent%3F", "per%cent?")]
    public async Task A_key_may_be_any_text(string encoded, string key)
    {
        var bucket = await store.BucketAsync();
        Assert.Equal(200, (await store.SendAsync("PUT", $"/{bucket}/{encoded}", key)).Status);
        Assert.Equal(key, (await store.SendAsync("GET", $"/{bucket}/{encoded}")).Text);
        Assert.Equal([key], (await store.SendAsync("GET", "/" + bucket)).Elements("Key"));
    }

    [Fact]
    public async Task A_key_has_1024_bytes_at_most()
    {
        var bucket = await store.BucketAsync();
        Assert.Equal(200, (await store.SendAsync("PUT", $"/{bucket}/{new string('k', 1024)}", "x")).Status);
        Assert.Equal("400 KeyTooLongError", (await store.SendAsync("PUT", $"/{bucket}/{new string('k', 1025)}", "x")).Error);
    }

    [Fact]
    public async Task Headers_and_metadata_come_back()
    {
        var bucket = await store.BucketAsync();
        await store.SendAsync("PUT", $"/{bucket}/a", "text", RunningStore.Headers(("Content-Type", "text/x-log"), ("Cache-Control", "no-cache"), ("Content-Encoding", "aws-chunked,gzip"),
            ("Content-Disposition", "inline"), ("Content-Language", "de"), ("x-amz-meta-Lab", "Zürich"), ("x-amz-tagging", "a=1&b=2"), ("x-amz-storage-class", "STANDARD")));
        var head = await store.SendAsync("HEAD", $"/{bucket}/a");
        Assert.Equal(200, head.Status);
        Assert.Equal(("text/x-log", "no-cache", "gzip", "inline", "de"), (head.Header("Content-Type"), head.Header("Cache-Control"), head.Header("Content-Encoding"), head.Header("Content-Disposition"), head.Header("Content-Language")));
        Assert.Equal(("2", "bytes", null), (head.Header("x-amz-tagging-count"), head.Header("Accept-Ranges"), head.Header("Server")));
        Assert.NotNull(head.Header("x-amz-request-id"));
        Assert.NotNull(head.Header("x-amz-id-2"));
        Assert.NotNull(head.Header("Date"));
        Assert.Equal("binary/octet-stream", (await PutAndHeadAsync(bucket)).Header("Content-Type"));
        var over = await store.SendAsync("GET", $"/{bucket}/a?response-content-type=text%2Fplain&response-content-disposition=attachment");
        Assert.Equal(("text/plain", "attachment"), (over.Header("Content-Type"), over.Header("Content-Disposition")));
    }

    [Fact]
    public async Task Metadata_has_2_KiB_at_most()
    {
        var bucket = await store.BucketAsync();
        Assert.Equal("400 MetadataTooLarge", (await store.SendAsync("PUT", $"/{bucket}/a", "x", RunningStore.Headers(("x-amz-meta-a", new string('m', 2048))))).Error);
        Assert.Equal("400 RequestHeaderSectionTooLarge", (await store.SendAsync("PUT", $"/{bucket}/a", "x", RunningStore.Headers(("x-amz-meta-a", new string('m', 9000))))).Error);
    }

    [Fact]
    public async Task A_range_is_answered_as_one()
    {
        var bucket = await store.BucketAsync();
        await store.SendAsync("PUT", $"/{bucket}/a", "0123456789");
        var part = await store.SendAsync("GET", $"/{bucket}/a", headers: RunningStore.Headers(("Range", "bytes=2-4")));
        Assert.Equal((206, "234", "bytes 2-4/10"), (part.Status, part.Text, part.Header("Content-Range")));
        Assert.Equal("789", (await store.SendAsync("GET", $"/{bucket}/a", headers: RunningStore.Headers(("Range", "bytes=-3")))).Text);
        Assert.Equal("416 InvalidRange", (await store.SendAsync("GET", $"/{bucket}/a", headers: RunningStore.Headers(("Range", "bytes=10-")))).Error);
        Assert.Equal(200, (await store.SendAsync("GET", $"/{bucket}/a", headers: RunningStore.Headers(("Range", "bytes=1-2,4-5")))).Status);
    }

    [Fact]
    public async Task Conditions_of_reads_have_their_order()
    {
        var bucket = await store.BucketAsync();
        var tag = (await store.SendAsync("PUT", $"/{bucket}/a", "x")).Header("ETag")!;
        var (past, future) = ("Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2038 00:00:00 GMT");
        async Task<int> Status(params (string, string)[] headers) => (await store.SendAsync("GET", $"/{bucket}/a", headers: RunningStore.Headers(headers))).Status;
        Assert.Equal(200, await Status(("If-Match", tag)));
        Assert.Equal(412, await Status(("If-Match", "\"other\"")));
        Assert.Equal(304, await Status(("If-None-Match", tag)));
        Assert.Equal(200, await Status(("If-None-Match", "\"other\"")));
        Assert.Equal(412, await Status(("If-Unmodified-Since", past)));
        Assert.Equal(304, await Status(("If-Modified-Since", future)));
        Assert.Equal(200, await Status(("If-Match", tag), ("If-Unmodified-Since", past)));
        Assert.Equal(304, await Status(("If-None-Match", tag), ("If-Modified-Since", past)));
    }

    [Fact]
    public async Task Conditions_of_writes_hold()
    {
        var bucket = await store.BucketAsync();
        var first = await store.SendAsync("PUT", $"/{bucket}/a", "1", RunningStore.Headers(("If-None-Match", "*")));
        Assert.Equal(200, first.Status);
        Assert.Equal("412 PreconditionFailed", (await store.SendAsync("PUT", $"/{bucket}/a", "2", RunningStore.Headers(("If-None-Match", "*")))).Error);
        Assert.Equal("412 PreconditionFailed", (await store.SendAsync("PUT", $"/{bucket}/a", "2", RunningStore.Headers(("If-Match", "\"other\"")))).Error);
        Assert.Equal(200, (await store.SendAsync("PUT", $"/{bucket}/a", "2", RunningStore.Headers(("If-Match", first.Header("ETag")!)))).Status);
        Assert.Equal("412 PreconditionFailed", (await store.SendAsync("DELETE", $"/{bucket}/a", headers: RunningStore.Headers(("If-Match", first.Header("ETag")!)))).Error);
        Assert.Equal("2", (await store.SendAsync("GET", $"/{bucket}/a")).Text);
        Assert.Equal("501 NotImplemented", (await store.SendAsync("PUT", $"/{bucket}/a", "2", RunningStore.Headers(("If-None-Match", "\"x\"")))).Error);
    }

    [Fact]
    public async Task Deleting_what_is_not_there_is_done()
    {
        var bucket = await store.BucketAsync();
        Assert.Equal(204, (await store.SendAsync("DELETE", $"/{bucket}/nothing")).Status);
        Assert.Equal("404 NoSuchKey", (await store.SendAsync("GET", $"/{bucket}/nothing")).Error);
        var head = await store.SendAsync("HEAD", $"/{bucket}/nothing");
        Assert.Equal((404, 0), (head.Status, head.Body.Length));
    }

    [Fact]
    public async Task Versions_are_kept_told_and_deleted_one_by_one()
    {
        var bucket = await store.BucketAsync();
        await store.Store.ChangeBucketAsync(bucket, new BucketChange { Versioning = Versioning.Enabled }, CancellationToken.None);
        var old = (await store.SendAsync("PUT", $"/{bucket}/a", "old")).Header("x-amz-version-id")!;
        await store.SendAsync("PUT", $"/{bucket}/a", "new");
        Assert.Equal("old", (await store.SendAsync("GET", $"/{bucket}/a?versionId={old}")).Text);
        var deleted = await store.SendAsync("DELETE", $"/{bucket}/a");
        Assert.Equal((204, "true"), (deleted.Status, deleted.Header("x-amz-delete-marker")));
        var marker = deleted.Header("x-amz-version-id")!;
        var gone = await store.SendAsync("GET", $"/{bucket}/a");
        Assert.Equal(("404 NoSuchKey", "true"), (gone.Error, gone.Header("x-amz-delete-marker")));
        Assert.Equal("405 MethodNotAllowed", (await store.SendAsync("GET", $"/{bucket}/a?versionId={marker}")).Error);
        var listed = await store.Ada.ListVersionsAsync(bucket);
        Assert.Equal([true, false, false], listed.Versions.Select(version => version.IsDeleteMarker == true));
        Assert.Equal(204, (await store.SendAsync("DELETE", $"/{bucket}/a?versionId={marker}")).Status);
        Assert.Equal("new", (await store.SendAsync("GET", $"/{bucket}/a")).Text);
        Assert.Equal("404 NoSuchVersion", (await store.SendAsync("GET", $"/{bucket}/a?versionId=nothing")).Error);
    }

    [Fact]
    public async Task Tags_are_set_told_and_removed()
    {
        var bucket = await store.BucketAsync();
        await store.SendAsync("PUT", $"/{bucket}/a", "x");
        await store.Ada.PutObjectTaggingAsync(new PutObjectTaggingRequest { BucketName = bucket, Key = "a", Tagging = new Tagging { TagSet = [new Tag { Key = "k", Value = "v" }] } });
        Assert.Equal("v", Assert.Single((await store.Ada.GetObjectTaggingAsync(new GetObjectTaggingRequest { BucketName = bucket, Key = "a" })).Tagging).Value);
        var eleven = string.Concat(Enumerable.Range(0, 11).Select(i => $"<Tag><Key>{i}</Key><Value/></Tag>"));
        Assert.Equal("400 BadRequest", (await store.SendAsync("PUT", $"/{bucket}/a?tagging", $"<Tagging><TagSet>{eleven}</TagSet></Tagging>")).Error);
        Assert.Equal("400 InvalidTag", (await store.SendAsync("PUT", $"/{bucket}/a?tagging", $"<Tagging><TagSet><Tag><Key>{new string('k', 129)}</Key><Value/></Tag></TagSet></Tagging>")).Error);
        Assert.Equal(204, (await store.SendAsync("DELETE", $"/{bucket}/a?tagging")).Status);
        Assert.Empty((await store.SendAsync("GET", $"/{bucket}/a?tagging")).Elements("Key"));
    }

    [Fact]
    public async Task Many_are_deleted_at_once_and_each_is_told()
    {
        var bucket = await store.BucketAsync();
        foreach (var key in new[] { "a", "b" })
            await store.SendAsync("PUT", $"/{bucket}/{key}", "x");
        var deleted = await store.Ada.DeleteObjectsAsync(new DeleteObjectsRequest { BucketName = bucket, Objects = [new KeyVersion { Key = "a" }, new KeyVersion { Key = "b" }, new KeyVersion { Key = "none" }] });
        Assert.Equal(["a", "b", "none"], deleted.DeletedObjects.Select(one => one.Key));
        Assert.Empty((await store.SendAsync("GET", "/" + bucket)).Elements("Key"));
        Assert.Equal("400 InvalidRequest", (await store.SendAsync("POST", $"/{bucket}?delete", "<Delete><Object><Key>a</Key></Object></Delete>")).Error);
        var many = "<Delete>" + string.Concat(Enumerable.Range(0, 1001).Select(i => $"<Object><Key>{i}</Key></Object>")) + "</Delete>";
        Assert.Equal("400 MalformedXML", (await store.SendAsync("POST", $"/{bucket}?delete", many, RunningStore.Headers(("Content-MD5", Convert.ToBase64String(MD5.HashData(System.Text.Encoding.UTF8.GetBytes(many))))))).Error);
    }

    [Fact]
    public async Task A_checksum_is_kept_told_when_asked_and_in_the_attributes()
    {
        var bucket = await store.BucketAsync();
        await store.Ada.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = "a", ContentBody = "hello", ChecksumAlgorithm = ChecksumAlgorithm.SHA256 });
        var sum = Convert.ToBase64String(SHA256.HashData("hello"u8));
        var asked = await store.SendAsync("GET", $"/{bucket}/a", headers: RunningStore.Headers(("x-amz-checksum-mode", "ENABLED")));
        Assert.Equal((sum, "FULL_OBJECT"), (asked.Header("x-amz-checksum-sha256"), asked.Header("x-amz-checksum-type")));
        Assert.Null((await store.SendAsync("GET", $"/{bucket}/a")).Header("x-amz-checksum-sha256"));
        var attributes = await store.SendAsync("GET", $"/{bucket}/a?attributes", headers: RunningStore.Headers(("x-amz-object-attributes", "ETag,Checksum,ObjectSize,StorageClass")));
        Assert.Equal((sum, "5", "STANDARD"), (attributes.Element("ChecksumSHA256"), attributes.Element("ObjectSize"), attributes.Element("StorageClass")));
        Assert.Equal("400 InvalidArgument", (await store.SendAsync("GET", $"/{bucket}/a?attributes")).Error);
    }

    [Fact]
    public async Task A_body_that_is_not_what_was_claimed_is_not_kept()
    {
        var bucket = await store.BucketAsync();
        Assert.Equal("400 BadDigest", (await store.SendAsync("PUT", $"/{bucket}/a", "x", RunningStore.Headers(("Content-MD5", Convert.ToBase64String(new byte[16]))))).Error);
        Assert.Equal("400 InvalidDigest", (await store.SendAsync("PUT", $"/{bucket}/a", "x", RunningStore.Headers(("Content-MD5", "nonsense")))).Error);
        Assert.Equal("400 BadDigest", (await store.SendAsync("PUT", $"/{bucket}/a", "x", RunningStore.Headers(("x-amz-checksum-crc32", "AAAAAA==")))).Error);
        Assert.Equal("400 XAmzContentSHA256Mismatch", (await store.SendAsync("PUT", $"/{bucket}/a", "x", payload: new string('0', 64))).Error);
        Assert.Equal("404 NoSuchKey", (await store.SendAsync("GET", $"/{bucket}/a")).Error);
    }

    private async Task<RunningStore.Answer> PutAndHeadAsync(string bucket)
    {
        await store.SendAsync("PUT", $"/{bucket}/plain", "x");
        return await store.SendAsync("HEAD", $"/{bucket}/plain");
    }
}
