using System.Diagnostics;
using Dure.Host;
using Dure.Test.Processes;
using Dure.Test.Tidy;
using Xunit;

namespace Dure.Test.Host.Commands;

/// <summary>The launcher, run in a copy of the repository's outside so that it builds nothing here.</summary>
public sealed class LauncherTest
{
    [Fact]
    public async Task Without_an_sdk_it_says_how_to_get_one_and_ends_with_9()
    {
        using var scratch = Checkout();
        // Programs that the launcher itself uses, and no dotnet anywhere.
        foreach (var program in new[] { "sh", "grep", "readlink", "find", "uname", "mkdir", "flock" })
        {
            File.CreateSymbolicLink(scratch["bin", program], $"/usr/bin/{program}");
        }

        var start = Start(scratch, "up");
        start.Environment["PATH"] = scratch["bin"];
        start.Environment["HOME"] = scratch.Path;
        start.Environment.Remove("DOTNET_ROOT");
        if (File.Exists("/usr/lib/dotnet/dotnet") || File.Exists("/usr/share/dotnet/dotnet"))
        {
            var launcher = await File.ReadAllTextAsync(scratch["dure"], TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(scratch["dure"], launcher.Replace("/usr/lib/dotnet/dotnet /usr/share/dotnet/dotnet", "", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        }

        var (code, error) = await RunAsync(start);
        Assert.Equal(ExitCodes.Missing, code);
        Assert.Contains(".NET 10 SDK", error, StringComparison.Ordinal);
        Assert.Contains("learn.microsoft.com/dotnet/core/", error, StringComparison.Ordinal);
        Assert.Contains("dotnet-install.sh --channel 10.0", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_self_contained_build_beside_it_is_run_with_the_words_as_they_are()
    {
        using var scratch = Checkout();
        await WriteProgramAsync(scratch["bin", "dure"], "printf '[%s]' \"$DURE_LAUNCHER\" \"$@\" >&2; exit 7");
        var (code, error) = await RunAsync(Start(scratch, "fn", "invoke", "a b", "--data", "{\"x\": \"$(id) *\"}", ""));
        Assert.Equal(7, code);
        Assert.Equal($"[{scratch["dure"]}][fn][invoke][a b][--data][{{\"x\": \"$(id) *\"}}][]", error);
    }

    [Fact]
    public async Task A_build_that_is_newer_than_the_sources_is_run_and_an_older_one_is_built_again()
    {
        using var scratch = Checkout();
        Directory.CreateDirectory(scratch["src"]);
        await File.WriteAllTextAsync(scratch["src", "a.cs"], "", TestContext.Current.CancellationToken);
        Directory.CreateDirectory(scratch["artifacts", "dure"]);
        await WriteProgramAsync(scratch["artifacts", "dure", "dure"], "echo old >&2");
        await File.WriteAllTextAsync(scratch["artifacts", "dure", "dotnet-root"], "/usr/share/dotnet\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(scratch["artifacts", "dure", "stamp"], "", TestContext.Current.CancellationToken);
        File.SetLastWriteTimeUtc(scratch["src", "a.cs"], DateTime.UnixEpoch);
        Directory.SetLastWriteTimeUtc(scratch["src"], DateTime.UnixEpoch);
        Assert.Equal("old\n", (await RunAsync(Start(scratch, "status"))).Error);

        // The SDK of this test makes a program that says `new`; the launcher cannot tell.
        Directory.Delete(scratch["artifacts", "dure"], recursive: true);
        await WriteProgramAsync(scratch["bin", "dotnet"], """
            [ "$1" != --list-sdks ] || { echo '10.0.100 [/x]'; exit; }
            while [ "$1" != -o ]; do shift; done
            mkdir -p "$2"; printf '#!/bin/sh\necho new >&2\n' >"$2/dure"; chmod +x "$2/dure"
            """);
        var start = Start(scratch, "status");
        start.Environment["PATH"] = $"{scratch["bin"]}:{start.Environment["PATH"]}";
        Assert.EndsWith("new\n", (await RunAsync(start)).Error, StringComparison.Ordinal);
        Assert.Equal("new\n", (await RunAsync(start)).Error);
        await File.WriteAllTextAsync(scratch["src", "b.cs"], "", TestContext.Current.CancellationToken);
        Assert.Contains("Building", (await RunAsync(start)).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("  total: 5\n  failed: 0\n  succeeded: 4\n  skipped: 1\n", 0, 0, "4 passed, 0 failed")]
    [InlineData("  total: 5\n  failed: 2\n  succeeded: 3\n  skipped: 0\n", 2, 1, "3 passed, 2 failed")]
    [InlineData("Segmentation fault\n", 139, 1, "0 passed, 1 failed")]
    public async Task Testing_ends_with_a_line_that_adds_up_and_fails_when_a_test_did(string summary, int exit, int expected, string lastLine)
    {
        using var scratch = Checkout();
        Directory.CreateDirectory(scratch["artifacts", "bin", "X.Test", "debug"]);
        Directory.CreateDirectory(scratch["artifacts", "bin", "Dure", "debug"]);
        await File.WriteAllTextAsync(scratch["summary"], summary, TestContext.Current.CancellationToken);
        await WriteProgramAsync(scratch["artifacts", "bin", "X.Test", "debug", "X.Test"], $"cat '{scratch["summary"]}'; exit {exit}");
        await WriteProgramAsync(scratch["artifacts", "bin", "Dure", "debug", "dure"], "exit 0");
        await WriteProgramAsync(scratch["bin", "dotnet"], "[ \"$1\" != --list-sdks ] || echo '10.0.100 [/x]'");
        Directory.CreateDirectory(scratch["packaging"]);
        await WriteProgramAsync(scratch["packaging", "release"], "mkdir -p \"$2/dure-1\" && tar -C \"$2\" -czf \"$2/dure-1.tar.gz\" dure-1");
        var start = Start(scratch, "test", "--yes");
        start.Environment["PATH"] = $"{scratch["bin"]}:{start.Environment["PATH"]}";
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(expected, process.ExitCode);
        Assert.Equal(lastLine, output.TrimEnd('\n').Split('\n')[^1]);
    }

    private static Scratch Checkout()
    {
        var scratch = new Scratch();
        File.Copy(Path.Combine(SourceTree.Root, "dure"), scratch["dure"]);
        Directory.CreateDirectory(scratch["bin"]);
        return scratch;
    }

    private static async Task WriteProgramAsync(string path, string body)
    {
        await File.WriteAllTextAsync(path, "#!/bin/sh\n" + body + "\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static ProcessStartInfo Start(Scratch scratch, params string[] words) => new(scratch["dure"], words)
    {
        UseShellExecute = false,
        WorkingDirectory = scratch.Path,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };

    private static async Task<(int Code, string Error)> RunAsync(ProcessStartInfo start)
    {
        using var process = Process.Start(start)!;
        var error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, error);
    }
}
