using Dure.Test.Host.Commands;
using Dure.Test.Processes;
using Xunit;

[assembly: AssemblyFixture(typeof(ReleaseFixture))]

namespace Dure.Test.Host.Commands;

/// <summary>What <c>./dure release</c> makes, once for all tests that want the build that users run.</summary>
public sealed class ReleaseFixture : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly Lazy<Task<(string Package, string Folder)>> _made;

    public ReleaseFixture() => _made = new(MakeAsync);

    /// <summary>The Debian package, and the folder that the archive unpacks to.</summary>
    public Task<(string Package, string Folder)> Made => _made.Value;

    /// <summary>The program itself.</summary>
    public async Task<string> ProgramAsync() => Path.Combine((await Made).Folder, "bin", "dure");

    public void Dispose() => _scratch.Dispose();

    private async Task<(string Package, string Folder)> MakeAsync()
    {
        if (ProgramUnderTest.Release is { } given)
            return In(given);
        File.SetUnixFileMode(_scratch.Path, (UnixFileMode)0b111_001_001);
        var (made, text) = await Child.RunAsync(CancellationToken.None, Path.Combine(Repository.Root, "dure"), "release", "--out", _scratch["dist"]);
        Assert.True(made == 0, text);
        var archive = Assert.Single(Directory.GetFiles(_scratch["dist"], "*.tar.gz"));
        Assert.Equal(0, (await Child.RunAsync(CancellationToken.None, "tar", "-xzf", archive, "-C", _scratch["dist"])).Code);
        return In(_scratch["dist"]);
    }

    private static (string Package, string Folder) In(string release) => (Assert.Single(Directory.GetFiles(release, "*.deb")), ProgramUnderTest.Unpacked(release));
}
