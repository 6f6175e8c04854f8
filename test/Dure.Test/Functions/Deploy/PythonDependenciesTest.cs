using System.IO.Compression;
using System.Text;
using Dure.Functions.Deploy;
using Dure.Functions.Worker;
using Xunit;

namespace Dure.Test.Functions.Deploy;

public sealed class PythonDependenciesTest : DeployTest
{
    public PythonDependenciesTest()
    {
        Need("Python", "/usr/bin/python3");
        Put("handler.py", "import greet\ndef handler(event, context): return greet.word\nprint(greet.word)\n");
    }

    [Fact]
    public async Task Requirements_are_installed_once_and_shared_by_versions_that_need_the_same()
    {
        NeedPip();
        Wheel(Path.Combine(Folder, "wheels"), "1.0", "installed");
        Put("requirements.txt", "--no-index\ngreet==1.0\n");
        var first = await DeployedAsync();
        Assert.Equal("installed", await RunAsync(first));
        Assert.Equal("python:" + Path.GetFileName(first.DepsDirectory), first.Prewarm);
        Assert.NotEmpty(Directory.EnumerateFiles(Path.Combine(first.DepsDirectory!, "greet/__pycache__"), "*.pyc"));
        Put("other.py", "x = 1\n");
        var second = await DeployedAsync();
        Assert.False(first.CodeDirectory == second.CodeDirectory);
        Assert.Equal(first.DepsDirectory, second.DepsDirectory);
        var found = await Pipeline().FindAsync(second.Digest, second.SourceBlob, second.Spec, Cancel);
        Assert.Equal(second.DepsDirectory, found!.DepsDirectory);
        Directory.Delete(second.DepsDirectory!, recursive: true);
        Assert.Null(await Pipeline().FindAsync(second.Digest, second.SourceBlob, second.Spec, Cancel));
        Assert.Equal("installed", await RunAsync(await DeployedAsync()));
    }

    [Fact]
    public async Task The_servers_own_pip_settings_reach_the_build_with_the_folders_they_name()
    {
        NeedPip();
        var wheels = Path.Combine(Root, "wheel house");
        Wheel(wheels, "2.0", "from the server's folder");
        var link = Path.Combine(Root, "house");
        Directory.CreateSymbolicLink(link, wheels);
        Put("requirements.txt", "greet\n");
        var server = new Dictionary<string, string>(StringComparer.Ordinal) { ["PIP_FIND_LINKS"] = link, ["PIP_NO_INDEX"] = "1", ["SECRET_KEY"] = "never" };
        var version = await DeployedAsync(Pipeline(o => o with { ServerEnvironment = server }));
        Assert.Equal("from the server's folder", await RunAsync(version));
    }

    [Fact]
    public async Task A_requirement_that_does_not_exist_is_named_and_nothing_is_kept()
    {
        NeedPip();
        Put("requirements.txt", "--no-index\nno-such-package-anywhere==9.9\n");
        var problem = await RefusedAsync(DeployErrors.InstallFailed);
        Assert.Contains("no-such-package-anywhere==9.9", problem.Detail, StringComparison.Ordinal);
        Assert.NotEmpty(Log);
    }

    [Fact]
    public async Task Requirements_that_refer_to_other_files_are_installed_again_when_those_change()
    {
        NeedPip();
        Wheel(Path.Combine(Folder, "wheels"), "1.0", "one");
        Wheel(Path.Combine(Folder, "wheels"), "2.0", "two");
        Put("requirements.txt", "--no-index\n-r more/base.txt\n");
        Put("more/base.txt", "greet==1.0\n");
        Assert.Equal("one", await RunAsync(await DeployedAsync()));
        Put("more/base.txt", "greet==2.0\n");
        Assert.Equal("two", await RunAsync(await DeployedAsync()));
    }

    [Fact]
    public async Task Vendored_folders_are_dependencies_and_win_over_what_is_installed()
    {
        NeedPip();
        Put("vendor/greet/__init__.py", "word = 'vendored'\n");
        var only = await DeployedAsync();
        Assert.Equal("vendored", await RunAsync(only));
        Wheel(Path.Combine(Folder, "wheels"), "1.0", "installed");
        Put("requirements.txt", "--no-index\ngreet==1.0\n");
        var both = await DeployedAsync();
        Assert.False(only.DepsDirectory == both.DepsDirectory);
        Assert.Equal("vendored", await RunAsync(both));
    }

    [Fact]
    public async Task Two_functions_that_need_the_same_at_once_install_it_once()
    {
        NeedPip();
        Wheel(Path.Combine(Folder, "wheels"), "1.0", "installed");
        Put("requirements.txt", "--no-index\ngreet==1.0\n");
        var installs = 0;
        var pipeline = Pipeline(run: (step, onLine, cancel) =>
        {
            if (step.Spec.Command.Contains("install", StringComparer.Ordinal))
                Interlocked.Increment(ref installs);
            return DirectBwrap.RunAsync(step, onLine, cancel);
        });
        await using var one = await PackAsync();
        Put("function.yaml", "memory: 1GiB\n");
        await using var two = await PackAsync();
        var built = await Task.WhenAll(
            pipeline.RunAsync("one", one, "", SeeAsync, Cancel),
            pipeline.RunAsync("two", two, "", SeeAsync, Cancel));
        Assert.All(built, b => Assert.True(b.Ok, Describe(b.Problem)));
        Assert.Equal(1, installs);
    }

    [Fact]
    public async Task What_a_crash_left_behind_is_cleaned_up_and_does_not_matter()
    {
        var first = await DeployedAsync();
        Directory.CreateDirectory(Path.Combine(Data, "tmp/deploy-crashed/source"));
        await File.WriteAllTextAsync(Path.Combine(Data, "tmp/deploy-crashed/source/handler.py"), "half", Cancel);
        Pipeline().CleanUp();
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(Data, "tmp")));
        Assert.Equal(first.Digest, (await DeployedAsync()).Digest);
    }

    private static void NeedPip()
    {
        if (!Directory.Exists("/usr/lib/python3/dist-packages/pip"))
            Assert.Skip("python3-pip is not installed");
    }

    /// <summary>A wheel is a .zip with four files.</summary>
    private static void Wheel(string folder, string version, string word)
    {
        Directory.CreateDirectory(folder);
        using var zip = ZipFile.Open(Path.Combine(folder, $"greet-{version}-py3-none-any.whl"), ZipArchiveMode.Create);
        var info = $"greet-{version}.dist-info";
        foreach (var (path, text) in new[]
        {
            ("greet/__init__.py", $"word = \"{word}\"\n"),
            (info + "/METADATA", $"Metadata-Version: 2.1\nName: greet\nVersion: {version}\n"),
            (info + "/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
            (info + "/RECORD", $"greet/__init__.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"),
        })
        {
            using var entry = zip.CreateEntry(path).Open();
            entry.Write(Encoding.UTF8.GetBytes(text));
        }
    }

    private static async Task<string> RunAsync(BuiltVersion version)
    {
        var spec = new SandboxSpec(
            SandboxMode.Run, null, ["/usr/bin/python3", "-S", "/code/handler.py"], null, null,
            new Dictionary<string, string>(StringComparer.Ordinal) { ["PYTHONPATH"] = "/code:/deps" },
            [new(version.CodeDirectory, "/code", false), new(version.DepsDirectory!, "/deps", false)],
            SandboxNetwork.None, new SandboxLimits(0, 0, 0, 1 << 20, 0), []);
        var lines = new List<string>();
        await DirectBwrap.RunAsync(new(spec, false), line => { lines.Add(line); return ValueTask.CompletedTask; }, Cancel);
        return string.Join('\n', lines);
    }
}
