using Amazon.S3;
using Amazon.S3.Model;
using Dure.Storage.Store;
using Xunit;

namespace Dure.Test.Storage.S3;

/// <summary>Buckets and their configuration, over the wire.</summary>
public sealed class BucketTest(RunningStore store) : IClassFixture<RunningStore>
{
    [Fact]
    public async Task A_bucket_is_made_found_and_deleted()
    {
        await store.Ada.PutBucketAsync("made-here");
        Assert.Contains((await store.Ada.ListBucketsAsync()).Buckets, bucket => bucket.BucketName == "made-here");
        Assert.Equal("us-east-1", (await store.SendAsync("HEAD", "/made-here")).Header("x-amz-bucket-region"));
        await store.Ada.DeleteBucketAsync("made-here");
        Assert.Equal("404 NoSuchBucket", (await store.SendAsync("GET", "/made-here")).Error);
    }

    [Fact]
    public async Task A_name_is_taken_once_for_all_users()
    {
        var bucket = await store.BucketAsync();
        Assert.Equal("409 BucketAlreadyOwnedByYou", (await store.SendAsync("PUT", "/" + bucket)).Error);
        Assert.Equal("409 BucketAlreadyExists", (await store.SendAsync("PUT", "/" + bucket, key: "BOB")).Error);
        Assert.Equal("400 InvalidBucketName", (await store.SendAsync("PUT", "/No")).Error);
        Assert.Equal("400 InvalidLocationConstraint", (await store.SendAsync("PUT", "/elsewhere", "<CreateBucketConfiguration><LocationConstraint>mars-1</LocationConstraint></CreateBucketConfiguration>")).Error);
    }

    [Fact]
    public async Task Buckets_are_listed_in_pages_to_their_owner_only()
    {
        foreach (var name in new[] { "paged-a", "paged-b", "paged-c" })
            await store.Ada.PutBucketAsync(name);
        var first = await store.SendAsync("GET", "/?max-buckets=2&prefix=paged-");
        Assert.Equal(["paged-a", "paged-b"], first.Elements("Name"));
        var second = await store.SendAsync("GET", $"/?continuation-token={first.Element("ContinuationToken")}&prefix=paged-");
        Assert.Equal(["paged-c"], second.Elements("Name"));
        Assert.Empty((await store.SendAsync("GET", "/?prefix=paged-", key: "BOB")).Elements("Name"));
        Assert.Equal(3, (await store.SendAsync("GET", "/?prefix=paged-", key: "ADMIN")).Elements("Name").Count);
        Assert.Equal("403 AccessDenied", (await store.SendAsync("GET", "/", key: null)).Error);
    }

    [Fact]
    public async Task A_bucket_with_objects_is_not_deleted()
    {
        var bucket = await store.BucketAsync();
        await store.SendAsync("PUT", $"/{bucket}/a", "x");
        Assert.Equal("409 BucketNotEmpty", (await store.SendAsync("DELETE", "/" + bucket)).Error);
    }

    [Theory]
    [InlineData("encryption", "404 ServerSideEncryptionConfigurationNotFoundError")]
    [InlineData("lifecycle", "404 NoSuchLifecycleConfiguration")]
    [InlineData("website", "404 NoSuchWebsiteConfiguration")]
    [InlineData("replication", "404 ReplicationConfigurationNotFoundError")]
    [InlineData("object-lock", "404 ObjectLockConfigurationNotFoundError")]
    [InlineData("ownershipControls", "404 OwnershipControlsNotFoundError")]
    [InlineData("publicAccessBlock", "404 NoSuchPublicAccessBlockConfiguration")]
    [InlineData("tagging", "404 NoSuchTagSet")]
    [InlineData("cors", "404 NoSuchCORSConfiguration")]
    [InlineData("policy", "404 NoSuchBucketPolicy")]
    [InlineData("policyStatus", "404 NoSuchBucketPolicy")]
    [InlineData("inventory", "501 NotImplemented")]
    public async Task What_is_not_configured_is_told_as_S3_tells_it(string sub, string error) => Assert.Equal(error, (await store.SendAsync("GET", $"/{await store.BucketAsync()}?{sub}")).Error);

    [Theory]
    [InlineData("logging", "BucketLoggingStatus")]
    [InlineData("notification", "NotificationConfiguration")]
    [InlineData("requestPayment", "RequestPaymentConfiguration")]
    [InlineData("accelerate", "AccelerateConfiguration")]
    [InlineData("location", "LocationConstraint")]
    [InlineData("versioning", "VersioningConfiguration")]
    public async Task What_has_an_empty_answer_gives_it(string sub, string root) => Assert.Equal(root, (await store.SendAsync("GET", $"/{await store.BucketAsync()}?{sub}")).Xml.Name.LocalName);

    [Fact]
    public async Task Versioning_is_set_and_told()
    {
        var bucket = await store.BucketAsync();
        await store.Ada.PutBucketVersioningAsync(new PutBucketVersioningRequest { BucketName = bucket, VersioningConfig = new S3BucketVersioningConfig { Status = VersionStatus.Enabled } });
        Assert.Equal(VersionStatus.Enabled, (await store.Ada.GetBucketVersioningAsync(bucket)).VersioningConfig.Status);
        Assert.Equal("400 IllegalVersioningConfigurationException", (await store.SendAsync("PUT", $"/{bucket}?versioning", "<VersioningConfiguration><Status>Off</Status></VersioningConfiguration>")).Error);
    }

    [Fact]
    public async Task Tags_of_a_bucket_are_kept()
    {
        var bucket = await store.BucketAsync();
        await store.Ada.PutBucketTaggingAsync(bucket, [new Tag { Key = "project", Value = "climate" }]);
        Assert.Equal("climate", Assert.Single((await store.Ada.GetBucketTaggingAsync(new GetBucketTaggingRequest { BucketName = bucket })).TagSet).Value);
        Assert.Equal(204, (await store.SendAsync("DELETE", $"/{bucket}?tagging")).Status);
        Assert.Equal("404 NoSuchTagSet", (await store.SendAsync("GET", $"/{bucket}?tagging")).Error);
    }

    [Fact]
    public async Task Bad_configuration_is_refused_and_nothing_changes()
    {
        var bucket = await store.BucketAsync();
        Assert.Equal("400 MalformedXML", (await store.SendAsync("PUT", $"/{bucket}?tagging", "<Tagging>")).Error);
        Assert.Equal("400 MalformedXML", (await store.SendAsync("PUT", $"/{bucket}?tagging", "<!DOCTYPE a [<!ENTITY b \"c\">]><Tagging><TagSet/></Tagging>")).Error);
        Assert.Equal("400 MalformedXML", (await store.SendAsync("PUT", $"/{bucket}?cors", "<CORSConfiguration/>")).Error);
        Assert.Equal("400 MalformedPolicy", (await store.SendAsync("PUT", $"/{bucket}?policy", "{}")).Error);
        Assert.Equal("501 NotImplemented", (await store.SendAsync("PUT", $"/{bucket}?lifecycle", "<LifecycleConfiguration/>")).Error);
        Assert.Equal("400 MalformedXML", (await store.SendAsync("PUT", $"/{bucket}?tagging", new string(' ', 3 << 20))).Error);
    }

    [Fact]
    public async Task A_canned_list_is_told_as_grants_and_taken_back_as_them()
    {
        var bucket = await store.BucketAsync(CannedAcl.PublicRead);
        var grants = await store.SendAsync("GET", $"/{bucket}?acl");
        Assert.Equal(["FULL_CONTROL", "READ"], grants.Elements("Permission"));
        Assert.Equal(200, (await store.SendAsync("PUT", $"/{bucket}?acl", headers: RunningStore.Headers(("x-amz-acl", "private")))).Status);
        Assert.Equal(["FULL_CONTROL"], (await store.SendAsync("GET", $"/{bucket}?acl")).Elements("Permission"));
        Assert.Equal(200, (await store.SendAsync("PUT", $"/{bucket}?acl", grants.Text)).Status);
        Assert.Equal(["FULL_CONTROL", "READ"], (await store.SendAsync("GET", $"/{bucket}?acl")).Elements("Permission"));
        Assert.Equal("400 InvalidArgument", (await store.SendAsync("PUT", $"/{bucket}?acl", headers: RunningStore.Headers(("x-amz-acl", "nobody")))).Error);
    }
}
