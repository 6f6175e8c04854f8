using Dure.Storage.Store;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Storage.Store;

/// <summary>Any sequence of puts, deletes and changes of versioning gives what a simple list of versions gives.</summary>
public sealed class ModelTest : StoreTest
{
    private static readonly string[] Keys = ["a", "a/b", "a/c", "b", "é/x"];

    [Fact]
    public void Versions_and_listings_are_those_of_a_simple_model() => Prop.ForAll(
        Gen.Choose(0, 1_000_000).ListOf().Resize(25).ToArbitrary(),
#pragma warning disable VSTHRD002 // The property is checked on this thread.
        steps => RunAsync([.. steps]).GetAwaiter().GetResult()).Check(Config.QuickThrowOnFailure.WithMaxTest(40));
#pragma warning restore VSTHRD002

    private sealed record Version(string Key, string Id, bool IsMarker, byte Value);

    private async Task RunAsync(IReadOnlyList<int> steps)
    {
        var bucket = Guid.CreateVersion7().ToString("n");
        Assert.Null((await Store.CreateBucketAsync(bucket, "ada", CannedAcl.Private, Cancel)).Fault);
        // Oldest first.
        var model = new List<Version>();
        var versioning = Versioning.Off;
        foreach (var step in steps)
        {
            var key = Keys[step / 16 % Keys.Length];
            switch (step % 16)
            {
                case 0:
                    versioning = step / 1000 % 2 == 0 ? Versioning.Enabled : Versioning.Suspended;
                    Assert.Null(await Store.ChangeBucketAsync(bucket, new BucketChange { Versioning = versioning }, Cancel));
                    break;
                case < 8:
                    var put = (await Store.PutAsync(bucket, New(key), Body([(byte)step]), Cancel)).Value!;
                    Replace(model, versioning, new Version(key, put.VersionId, false, (byte)step));
                    break;
                case < 12:
                    var deleted = (await Store.DeleteAsync(bucket, key, null, WriteConditions.None, Cancel)).Value!;
                    if (versioning == Versioning.Off)
                        model.RemoveAll(version => version.Key == key);
                    else
                        Replace(model, versioning, new Version(key, deleted.VersionId!, true, 0));
                    break;
                default:
                    if (model.Count == 0)
                        break;
                    var gone = model[step / 16 % model.Count];
                    Assert.Equal(new Deleted(gone.Id, gone.IsMarker), (await Store.DeleteAsync(bucket, gone.Key, gone.Id, WriteConditions.None, Cancel)).Value);
                    model.Remove(gone);
                    break;
            }
        }
        await CompareAsync(bucket, model);
    }

    private static void Replace(List<Version> model, Versioning versioning, Version made)
    {
        if (versioning != Versioning.Enabled)
        {
            Assert.Equal("null", made.Id);
            model.RemoveAll(version => version.Key == made.Key && version.Id == "null");
        }
        model.Add(made);
    }

    private async Task CompareAsync(string bucket, List<Version> model)
    {
        var byKey = Enumerable.Reverse(model).GroupBy(version => version.Key, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal).ToList();
        var versions = (await Store.ListVersionsAsync(bucket, new ListVersions("", "", "", "", 1000), Cancel)).Value!.Versions;
        Assert.Equal(byKey.SelectMany(group => group.Select((version, i) => (version.Key, version.Id, version.IsMarker, i == 0))),
            versions.Select(version => (version.Key, version.VersionId, version.IsDeleteMarker, version.IsLatest)));
        var live = byKey.Select(group => group.First()).Where(version => !version.IsMarker).ToList();
        Assert.Equal(live.Select(version => version.Key), (await Store.ListAsync(bucket, new ListKeys("", "", "", 1000), Cancel)).Value!.Objects.Select(found => found.Key), StringComparer.Ordinal);
        var page = (await Store.ListAsync(bucket, new ListKeys("", "/", "", 1000), Cancel)).Value!;
        Assert.Equal(live.Where(version => version.Key.Contains('/')).Select(version => version.Key.Split('/')[0] + "/").Distinct(StringComparer.Ordinal), page.CommonPrefixes, StringComparer.Ordinal);
        foreach (var version in model)
        {
            var found = (await Store.FindAsync(bucket, version.Key, version.Id, Cancel)).Value!;
            Assert.Equal(version.IsMarker, found.IsDeleteMarker);
            if (!version.IsMarker)
                Assert.Equal([version.Value], (await ReadAsync(Store, found))!);
        }
        var state = (await Store.FindBucketAsync(bucket, Cancel))!;
        Assert.Equal((model.Count(version => !version.IsMarker), model.Count(version => !version.IsMarker)), (state.Objects, state.UsedBytes));
    }
}
