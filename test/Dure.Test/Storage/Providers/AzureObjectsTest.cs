using Dure.Host.Configuration;
using Dure.Storage.Providers;
using Dure.Test.Contracts;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Storage.Providers;

/// <summary>The promises, kept by Azure's protocol against a real peer.</summary>
public sealed class AzureObjectsTest(Azurite azurite) : ObjectsContract, IClassFixture<Azurite>
{
    private readonly string _prefix = Guid.CreateVersion7().ToString("N") + "/";

    internal override IObjects Open(Func<ProviderOptions, ProviderOptions>? change = null)
    {
        var options = azurite.Options with { Prefix = _prefix };
        return new AzureObjects(change?.Invoke(options) ?? options, Azurite.Credentials, TimeProvider.System);
    }

    internal override IObjects? OpenAsStranger() =>
        new AzureObjects(azurite.Options, new ProviderCredentials("", Convert.ToBase64String(new byte[32])), TimeProvider.System);

    [Fact]
    public async Task A_container_that_is_missing_is_not_made()
    {
        await using var objects = Open(options => options with { Bucket = "other" });
        Assert.Equal(ProviderErrors.Refused, (await objects.PutAsync(new PutObject("a", new MemoryStream([1]), 1), Cancel)).Problem?.Kind);
        Assert.Equal(ProviderErrors.Refused, (await objects.GetAsync("a", 0, null, Cancel)).Problem?.Kind);
    }

    [Fact]
    public void Every_name_of_metadata_can_be_written_as_an_identifier() =>
        Prop.ForAll(Gen.Elements([.. "abcxyz019-_.!#$%&'*+^`|~"]).NonEmptyListOf().Select(letters => new string([.. letters])).ToArbitrary(), name =>
        {
            var written = MetadataText.WriteIdentifier(name);
            Assert.Matches("^[A-Za-z_][A-Za-z0-9_]*$", written);
            Assert.Equal(name, MetadataText.ReadIdentifier(written));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_value_of_metadata_comes_back() =>
        Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>().Filter(text => !text.Get.Any(char.IsSurrogate)), text =>
        {
            var written = MetadataText.Write(text.Get);
            Assert.All(written, letter => Assert.InRange(letter, ' ', '~'));
            Assert.Equal(text.Get, MetadataText.Read(written));
        }).QuickCheckThrowOnFailure();
}
