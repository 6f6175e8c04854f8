using Dure.Host.Configuration;
using Dure.Storage.Providers;
using Dure.Test.Contracts;
using Dure.Test.Processes;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Storage.Providers;

/// <summary>The promises, kept by a folder.</summary>
public sealed class FolderObjectsTest : ObjectsContract, IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    internal override IObjects Open(Func<ProviderOptions, ProviderOptions>? change = null)
    {
        var options = new ProviderOptions("disk", "folder") { Path = _scratch.Path, Prefix = "p/" };
        return new FolderObjects(change?.Invoke(options) ?? options, TimeProvider.System);
    }

    internal override bool Damage(string key)
    {
        using var file = File.Open(_scratch[FolderPath.Of("p/" + key)], FileMode.Open, FileAccess.ReadWrite);
        file.Position = 5000;
        var was = file.ReadByte();
        file.Position = 5000;
        file.WriteByte((byte)(was ^ 1));
        return true;
    }

    [Fact]
    public async Task Nothing_is_left_of_what_was_deleted_but_the_folder_itself()
    {
        await using var objects = Open();
        await PutAsync(objects, "a/b/c", [1]);
        Good(await objects.DeleteAsync(["a/b/c"], Cancel));
        Assert.Equal(["%t"], Directory.GetFileSystemEntries(_scratch.Path).Select(Path.GetFileName));
        Assert.Empty(Directory.GetFiles(_scratch["%t"]));
    }

    [Fact]
    public async Task A_file_that_was_cut_short_is_told_and_not_listed()
    {
        await using var objects = Open();
        await PutAsync(objects, "torn", new byte[5000]);
        using (var file = File.OpenWrite(_scratch[FolderPath.Of("p/torn")]))
        {
            file.SetLength(4000);
        }

        Assert.Equal(ProviderErrors.Refused, (await objects.HeadAsync("torn", Cancel)).Problem?.Kind);
        Assert.Empty(await ListAsync(objects, "", 10));
    }

    [Fact]
    public void Every_key_has_a_path_of_its_own_inside_the_folder() =>
        Prop.ForAll(ArbMap.Default.ArbFor<NonEmptyString>(), ArbMap.Default.ArbFor<NonEmptyString>(), (a, b) =>
        {
            var (one, other) = (Path.GetFullPath(FolderPath.Of(a.Get), "/root/x"), Path.GetFullPath(FolderPath.Of(b.Get), "/root/x"));
            Assert.StartsWith("/root/x/", one, StringComparison.Ordinal);
            Assert.All(one.Split('/'), name => Assert.InRange(name.Length, 0, 255));
            var areSame = System.Text.Encoding.UTF8.GetBytes(a.Get).AsSpan().SequenceEqual(System.Text.Encoding.UTF8.GetBytes(b.Get));
            Assert.Equal(areSame, one == other);
        }).QuickCheckThrowOnFailure();
}
