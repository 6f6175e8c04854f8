using Dure.Storage.Store;
using Xunit;

namespace Dure.Test.Storage.Store;

public sealed class VersioningTest : StoreTest
{
    [Fact]
    public async Task Without_versioning_there_is_one_null_version()
    {
        await PutAsync("k", "1");
        Assert.Equal("null", (await PutAsync("k", "2")).VersionId);
        var page = await VersionsAsync();
        Assert.Equal(("null", true), (Assert.Single(page.Versions).VersionId, page.Versions[0].IsLatest));
        Assert.Equal(new Deleted(null, false), await DeleteAsync("k"));
        Assert.Empty((await VersionsAsync()).Versions);
        Assert.Equal(StoreFault.NoSuchKey, (await Store.FindAsync(B, "k", null, Cancel)).Fault);
        Assert.Equal(StoreFault.NoSuchVersion, (await Store.FindAsync(B, "k", "null", Cancel)).Fault);
        Assert.Equal(new Deleted(null, false), await DeleteAsync("never there"));
    }

    [Fact]
    public async Task With_versioning_every_version_stays_and_a_deleted_marker_brings_the_last_one_back()
    {
        await PutAsync("k", "null");
        await VersionAsync(Versioning.Enabled);
        var one = await PutAsync("k", "one");
        var two = await PutAsync("k", "two");
        Assert.Equal(3, (await BucketAsync()).Objects);
        var marker = await DeleteAsync("k");
        Assert.True(marker.IsDeleteMarker);
        Assert.True((await FindAsync("k"))!.IsDeleteMarker);
        Assert.Equal(StoreFault.IsDeleteMarker, await Store.SetTagsAsync(B, "k", null, new Dictionary<string, string>(), Cancel));
        Assert.Empty((await Store.ListAsync(B, new ListKeys("", "", "", 10), Cancel)).Value!.Objects);
        Assert.Equal([marker.VersionId, two.VersionId, one.VersionId, "null"], (await VersionsAsync()).Versions.Select(version => version.VersionId), StringComparer.Ordinal);
        Assert.Equal("one"u8.ToArray(), await ReadAsync("k", one.VersionId));
        Assert.Equal("null"u8.ToArray(), await ReadAsync("k", "null"));
        Assert.Equal(new Deleted(marker.VersionId, true), await DeleteAsync("k", marker.VersionId));
        Assert.Equal("two"u8.ToArray(), await ReadAsync("k"));
        Assert.Equal(new Deleted(two.VersionId, false), await DeleteAsync("k", two.VersionId));
        Assert.Equal("one"u8.ToArray(), await ReadAsync("k"));
        Assert.True((await FindAsync("k"))!.IsLatest);
        Assert.Equal(new Deleted(two.VersionId, false), await DeleteAsync("k", two.VersionId));
        Assert.Equal(StoreFault.NoSuchVersion, (await Store.FindAsync(B, "k", two.VersionId, Cancel)).Fault);
        Assert.Equal(StoreFault.NoSuchVersion, (await Store.FindAsync(B, "other", one.VersionId, Cancel)).Fault);
    }

    [Fact]
    public async Task While_suspended_only_the_null_version_is_replaced()
    {
        await PutAsync("k", "0");
        await VersionAsync(Versioning.Enabled);
        var one = await PutAsync("k", "1");
        await VersionAsync(Versioning.Suspended);
        Assert.Equal("null", (await PutAsync("k", "2")).VersionId);
        Assert.Equal(["null", one.VersionId], (await VersionsAsync()).Versions.Select(version => version.VersionId), StringComparer.Ordinal);
        Assert.Equal(new Deleted("null", true), await DeleteAsync("k"));
        Assert.Equal(2, (await VersionsAsync()).Versions.Count);
        Assert.Equal((1, 1), ((await BucketAsync()).Objects, (await BucketAsync()).UsedBytes));
        Assert.Equal(new Deleted("null", true), await DeleteAsync("k", "null"));
        Assert.Equal("1"u8.ToArray(), await ReadAsync("k"));
    }

    [Fact]
    public async Task Tags_and_permissions_change_on_one_version_only()
    {
        await VersionAsync(Versioning.Enabled);
        var one = await PutAsync("k", "1");
        var two = await PutAsync("k", "2");
        Assert.Null(await Store.SetTagsAsync(B, "k", one.VersionId, new Dictionary<string, string> { ["a"] = "ü" }, Cancel));
        Assert.Null(await Store.SetAclAsync(B, "k", null, CannedAcl.PublicRead, Cancel));
        Assert.Equal(("ü", CannedAcl.Private), ((await FindAsync("k", one.VersionId))!.Tags["a"], (await FindAsync("k", one.VersionId))!.Acl));
        Assert.Equal(CannedAcl.PublicRead, (await FindAsync("k", two.VersionId))!.Acl);
        Assert.Equal(StoreFault.NoSuchVersion, await Store.SetAclAsync(B, "k", "null", CannedAcl.PublicRead, Cancel));
    }

    [Fact]
    public async Task Headers_and_metadata_come_back()
    {
        var headers = new ObjectHeaders { ContentType = "text/plain", CacheControl = "no-store", Metadata = new Dictionary<string, string> { ["a-b"] = "c" } };
        await Store.PutAsync(B, New("k") with { Headers = headers, Tags = new Dictionary<string, string> { ["t"] = "1" }, Acl = CannedAcl.PublicRead }, Body([1]), Cancel);
        var found = (await FindAsync("k"))!;
        Assert.Equal(("text/plain", "no-store", "c", "1", CannedAcl.PublicRead), (found.Headers.ContentType, found.Headers.CacheControl, found.Headers.Metadata["a-b"], found.Tags["t"], found.Acl));
    }

    private async Task<VersionPage> VersionsAsync() => (await Store.ListVersionsAsync(B, new ListVersions("", "", "", "", 1000), Cancel)).Value!;
}
