using Amazon.S3.Model;
using Dure.Storage.Store;
using Xunit;

namespace Dure.Test.Storage.S3;

/// <summary>Listings over the wire.</summary>
public sealed class ListingTest(RunningStore store) : IClassFixture<RunningStore>
{
    private static readonly string[] Keys = ["a/1", "a/2", "b", "c d+ü", "e"];

    [Fact]
    public async Task Pages_of_both_versions_have_every_key_once()
    {
        var bucket = await FilledAsync();
        var found = new List<string>();
        var request = new ListObjectsV2Request { BucketName = bucket, MaxKeys = 2 };
        ListObjectsV2Response page;
        do
        {
            page = await store.Ada.ListObjectsV2Async(request);
            found.AddRange(page.S3Objects.Select(one => one.Key));
            Assert.Equal(page.S3Objects.Count, page.KeyCount);
            request.ContinuationToken = page.NextContinuationToken;
        }
        while (page.IsTruncated == true);
        Assert.Equal(Keys, found);
        var first = await store.SendAsync("GET", $"/{bucket}?max-keys=3");
        Assert.Equal(("true", null), (first.Element("IsTruncated"), first.Element("NextMarker")));
        Assert.Equal(["c d+ü", "e"], (await store.SendAsync("GET", $"/{bucket}?marker=b")).Elements("Key"));
    }

    [Fact]
    public async Task A_delimiter_gathers_what_is_below_it()
    {
        var bucket = await FilledAsync();
        var listed = await store.SendAsync("GET", $"/{bucket}?list-type=2&delimiter=%2F&max-keys=2");
        Assert.Equal(["b"], listed.Elements("Key"));
        Assert.Equal(["", "a/"], listed.Elements("Prefix"));
        Assert.Equal(("2", "true"), (listed.Element("KeyCount"), listed.Element("IsTruncated")));
        var next = await store.SendAsync("GET", $"/{bucket}?list-type=2&delimiter=%2F&continuation-token={listed.Element("NextContinuationToken")}");
        Assert.Equal(["c d+ü", "e"], next.Elements("Key"));
        Assert.Equal(["a/1", "a/2"], (await store.SendAsync("GET", $"/{bucket}?prefix=a%2F&delimiter=%2F")).Elements("Key"));
    }

    [Fact]
    public async Task Names_are_encoded_where_that_is_asked_for()
    {
        var bucket = await FilledAsync();
        var listed = await store.SendAsync("GET", $"/{bucket}?list-type=2&encoding-type=url&start-after=b&fetch-owner=true");
        Assert.Equal(["c%20d%2B%C3%BC", "e"], listed.Elements("Key"));
        Assert.Equal("ada", listed.Element("DisplayName"));
        Assert.Equal("400 InvalidArgument", (await store.SendAsync("GET", $"/{bucket}?encoding-type=base64")).Error);
    }

    [Theory]
    [InlineData("list-type=2&max-keys=0", "")]
    [InlineData("max-keys=-1", "400 InvalidArgument")]
    [InlineData("max-keys=many", "400 InvalidArgument")]
    [InlineData("list-type=2&continuation-token=%21", "400 InvalidArgument")]
    [InlineData("versions&version-id-marker=a", "400 InvalidArgument")]
    public async Task What_a_listing_is_asked_must_make_sense(string query, string error)
    {
        var answer = await store.SendAsync("GET", $"/{await FilledAsync()}?{query}");
        Assert.Equal(error, answer.Status == 200 ? string.Concat(answer.Elements("Key")) : answer.Error);
    }

    [Fact]
    public async Task Versions_are_listed_in_pages()
    {
        var bucket = await store.BucketAsync();
        await store.Store.ChangeBucketAsync(bucket, new BucketChange { Versioning = Versioning.Enabled }, CancellationToken.None);
        foreach (var text in new[] { "1", "2", "3" })
            await store.SendAsync("PUT", $"/{bucket}/a", text);
        var first = await store.SendAsync("GET", $"/{bucket}?versions&max-keys=2");
        Assert.Equal(2, first.Elements("VersionId").Count);
        var second = await store.SendAsync("GET", $"/{bucket}?versions&key-marker={first.Element("NextKeyMarker")}&version-id-marker={first.Element("NextVersionIdMarker")}");
        Assert.Single(second.Elements("VersionId"));
        Assert.Equal("false", second.Element("IsLatest"));
    }

    private async Task<string> FilledAsync()
    {
        var bucket = await store.BucketAsync();
        foreach (var key in Keys)
            Assert.Equal(200, (await store.SendAsync("PUT", $"/{bucket}/{Uri.EscapeDataString(key)}", "x")).Status);
        return bucket;
    }
}
