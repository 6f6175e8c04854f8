using System.Security.Cryptography;
using Dure.Host.Configuration;
using Dure.Storage.Providers;
using Dure.Test.Contracts;
using Dure.Test.Storage.S3;
using Xunit;

namespace Dure.Test.Storage.Providers;

/// <summary>The promises, kept by the S3 protocol against Dure's own store.</summary>
public sealed class S3ObjectsTest(RunningStore store) : ObjectsContract, IClassFixture<RunningStore>, IAsyncLifetime
{
    private string _bucket = "";

    public async ValueTask InitializeAsync() => _bucket = await store.BucketAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal override IObjects Open(Func<ProviderOptions, ProviderOptions>? change = null) => new S3Objects(Changed(change), new ProviderCredentials("ADA", "ada-secret"), TimeProvider.System);

    internal override IObjects? OpenAsStranger() => new S3Objects(Changed(null), new ProviderCredentials("ADA", "another secret"), TimeProvider.System);

    [Fact]
    public async Task A_store_without_conditions_and_without_deleting_many_serves_as_well()
    {
        await using var objects = Open(options => options with { ConditionalPut = false, DeleteMany = false });
        var what = new PutObject("k", new MemoryStream([1]), 1, OnlyIfAbsent: true);
        Assert.True((await objects.PutAsync(what, Cancel)).Ok);
        Assert.Equal(ProviderErrors.Exists, (await objects.PutAsync(what with { Content = new MemoryStream([2]) }, Cancel)).Problem?.Kind);
        await PutAsync(objects, "l", [1]);
        Assert.True(Good(await objects.DeleteAsync(["k", "l", "m"], Cancel)));
        Assert.Empty(await ListAsync(objects, "", 10));
    }

    [Fact]
    public async Task What_is_too_large_for_one_request_is_copied_in_parts()
    {
        await using var objects = new S3Objects(Changed(null), new ProviderCredentials("ADA", "ada-secret"), TimeProvider.System) { CopyBytesMax = PartBytes };
        var content = RandomNumberGenerator.GetBytes((2 * PartBytes) + 1);
        Good(await objects.PutAsync(new PutObject("large", new MemoryStream(content), content.Length, ContentType: "image/png"), Cancel));
        var copied = Good(await objects.CopyAsync("large", "copy of large", Cancel));
        Assert.Equal(("image/png", Convert.ToHexStringLower(SHA256.HashData(content))), (copied.ContentType, copied.Metadata["sha256"]));
        Same(content, await ReadAsync(objects, "copy of large"));
    }

    [Fact]
    public async Task An_upload_that_failed_leaves_no_parts()
    {
        await using var objects = Open();
        var content = new BrokenStream((2 * PartBytes) + 100, () => new InvalidDataException("cut off"));
        await Assert.ThrowsAsync<InvalidDataException>(() => objects.PutAsync(new PutObject("gone", content, null), Cancel));
        Assert.Empty((await store.Ada.ListMultipartUploadsAsync(_bucket, Cancel)).MultipartUploads ?? []);
    }

    [Fact]
    public async Task Rules_about_pages_of_the_web_come_back()
    {
        await using var objects = Open();
        Assert.Empty(Good(await objects.GetCorsAsync(Cancel)));
        Assert.True(Good(await objects.SetCorsAsync([CorsNeeds.Rule], Cancel)));
        Assert.Empty(CorsNeeds.Missing(Good(await objects.GetCorsAsync(Cancel))));
    }

    [Fact]
    public async Task A_bucket_that_is_missing_is_refused()
    {
        await using var objects = Open(options => options with { Bucket = "no-such-bucket" });
        Assert.Equal(ProviderErrors.Refused, (await objects.PutAsync(new PutObject("a", new MemoryStream([1]), 1), Cancel)).Problem?.Kind);
        Assert.Equal(ProviderErrors.Refused, (await objects.GetAsync("a", 0, null, Cancel)).Problem?.Kind);
    }

    [Fact]
    public async Task The_store_passes_every_step_of_the_test()
    {
        await using var objects = Open();
        Good(await objects.SetCorsAsync([CorsNeeds.Rule], Cancel));
        await foreach (var step in new ProviderTest(objects, TimeProvider.System, throughputBytes: 12 << 20).RunAsync(Cancel))
        {
            Assert.True(step.State is "ok", step.ToString());
        }
    }

    private ProviderOptions Changed(Func<ProviderOptions, ProviderOptions>? change)
    {
        var options = new ProviderOptions("store", "s3") { Endpoint = store.Address, Bucket = _bucket, Prefix = "lab/", PartSize = PartBytes, Timeout = TimeSpan.FromSeconds(20) };
        return change?.Invoke(options) ?? options;
    }
}
