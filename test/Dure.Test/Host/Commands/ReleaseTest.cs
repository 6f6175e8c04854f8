using Dure.Fleet.Lab;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Host.Commands;

/// <summary>What <c>./dure release</c> makes runs on a machine without the .NET SDK and without a C compiler.</summary>
[Trait("speed", "slow")]
public sealed class ReleaseTest(ReleaseFixture made)
{
    private static readonly string[] Absent = ["dotnet", "gcc", "cc", "c99", "c89", "g++", "c++"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_starts_without_sdk_and_compiler_and_runs_a_function()
    {
        using var scratch = new Scratch();
        File.SetUnixFileMode(scratch.Path, (UnixFileMode)0b111_001_001);
        var (package, release) = await made.Made;
        var (up, banner) = await RunAsync(scratch, release, "up", "--port", "0");
        Assert.True(up == 0, banner);
        Assert.Equal(0, (await RunAsync(scratch, release, "fn", "deploy", Path.Combine(release, "examples", "hello-python"))).Code);
        var (invoked, result) = await RunAsync(scratch, release, "fn", "invoke", "hello-python", "--data", """{"name":"Ada"}""");
        Assert.True(invoked == 0, result);
        Assert.Contains("Ada", result, StringComparison.Ordinal);
        var (down, said) = await RunAsync(scratch, release, "uninstall", "--yes");
        Assert.True(down == 0, said);
        Assert.Contains($"rm -rf {release}", said, StringComparison.Ordinal);

        await CheckPackageAsync(scratch, package);
    }

    [Fact]
    public async Task An_idle_server_and_its_worker_hold_less_than_120_megabytes()
    {
        using var scratch = new Scratch();
        File.SetUnixFileMode(scratch.Path, (UnixFileMode)0b111_001_001);
        var (_, release) = await made.Made;
        // Named on the command line, where this test finds it.
        var (up, banner) = await RunAsync(scratch, release, "up", "--port", "0", "--data", scratch["data"]);
        Assert.True(up == 0, banner);
        // What the start left on the heap is given back within seconds; and less than that before all has started counts for nothing.
        var (programs, bytes) = (0, 0L);
        for (var (look, below) = (0, 0); look < 60 && below < 10; look++)
        {
            await Task.Delay(500, Cancel);
            var held = Directory.GetDirectories("/proc").Select(process => Held(process, scratch["data"])).ToList();
            (programs, bytes) = (held.Count(one => one > 5_000_000), held.Sum());
            below = programs == 2 && bytes < 120_000_000 ? below + 1 : 0;
        }

        Assert.Equal(0, (await RunAsync(scratch, release, "down")).Code);
        Assert.Equal(2, programs);
        Assert.InRange(bytes, 1, 120_000_000);
    }

    // Bytes of its share of what is in memory (PSS), when it runs on this data.
    private static long Held(string process, string data) =>
        ProcessMark.Text(process + "/cmdline").Contains(data, StringComparison.Ordinal)
        && Array.Find(ProcessMark.Text(process + "/smaps_rollup").Split('\n'), line => line.StartsWith("Pss:", StringComparison.Ordinal)) is { } line
            ? long.Parse(line[4..^2].Trim(), System.Globalization.CultureInfo.InvariantCulture) << 10 : 0;

    private static async Task CheckPackageAsync(Scratch scratch, string package)
    {
        var (_, fields) = await Child.RunAsync(Cancel, "dpkg-deb", "-f", package);
        Assert.Contains("Depends: bubblewrap", fields, StringComparison.Ordinal);
        Assert.DoesNotContain("@", fields.Replace("dure@localhost", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(0, (await Child.RunAsync(Cancel, "dpkg-deb", "-x", package, scratch["root"])).Code);
        var (code, version) = await Child.RunAsync(Cancel, scratch["root", "usr", "bin", "dure"], "--version");
        Assert.True(code == 0, version);
        Assert.Contains("KillMode=process", await File.ReadAllTextAsync(scratch["root", "usr", "lib", "systemd", "system", "dure.service"], Cancel), StringComparison.Ordinal);
        Assert.NotEqual(0, new FileInfo(scratch["root", "usr", "share", "bash-completion", "completions", "dure"]).Length);
    }

    // Every program of this machine but those that a machine of a user lacks.
    private static Task<(int Code, string Text)> RunAsync(Scratch scratch, string release, params string[] words)
    {
        var programs = Directory.CreateDirectory(scratch["programs"]).FullName;
        foreach (var program in Directory.GetFiles("/usr/bin").Where(p => !Absent.Any(a => Path.GetFileName(p).Equals(a, StringComparison.Ordinal))))
        {
            var link = Path.Combine(programs, Path.GetFileName(program));
            if (!File.Exists(link))
                File.CreateSymbolicLink(link, program);
        }
        // A result has no line end of its own, and half a line counts for nothing in Child.
        return Child.RunAsync(Cancel, (IReadOnlyList<string>)
        [
            "/usr/bin/env", "-i", "PATH=" + programs, "HOME=" + scratch.Path, "DURE_DATA=" + scratch["data"],
            "/bin/sh", "-c", """ "$@"; code=$?; echo; exit $code""", "sh", Path.Combine(release, "dure"), .. words,
        ]);
    }
}
