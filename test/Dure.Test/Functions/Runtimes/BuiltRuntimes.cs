using System.Diagnostics;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Runtimes;

/// <summary>The <c>runtimes/</c> folder built once per test run, and the contract functions that need a compiler.</summary>
internal static class BuiltRuntimes
{
    private static readonly Lazy<Task<string>> s_folder = new(BuildAsync);
    private static readonly Lazy<Task<string>> s_cpp = new(() => CompileCppAsync("contract-cpp", Code("cpp", "main.cpp")));
    private static readonly Lazy<Task<string>> s_go = new(CompileGoAsync);

    /// <summary>The repository.</summary>
    private static string Root => Repository.Root;

    /// <summary>The folder shown at /dure/rt; anyone may read it.</summary>
    public static Task<string> FolderAsync => s_folder.Value;

    public static Task<string> CppProgramAsync => s_cpp.Value;

    public static Task<string> GoProgramAsync => s_go.Value;

    /// <summary>A file beside these tests.</summary>
    public static string Code(params string[] path) => Path.Combine([Root, "test", "Dure.Test", "Functions", "Runtimes", "code", .. path]);

    /// <summary>Where a program is on this machine; skips the test when it is not.</summary>
    public static string Need(string program)
    {
        var found = (Environment.GetEnvironmentVariable("PATH") + ":/usr/bin:/usr/sbin").Split(':').Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
        if (found is null)
            Assert.Skip($"{program} is not installed");
        return found;
    }

    /// <summary>Compiles one C file statically.</summary>
    public static async Task<string> CompileCAsync(string name, string source)
    {
        var program = Path.Combine(await FolderAsync, "..", name);
        await RunAsync("gcc", ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-static", "-pthread", "-o", program, source]);
        return program;
    }

    /// <summary>Runs a program to its end, which must be a good one; gives its stdout.</summary>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, Dictionary<string, string>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        foreach (var (name, value) in environment ?? [])
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}: {await error}\n{output}");
        return output;
    }

    private static async Task<string> BuildAsync()
    {
        Need("gcc");
        var folder = Directory.CreateTempSubdirectory("dure-runtimes-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        await RunAsync(Path.Combine(Root, "runtimes", "build.sh"), [Path.Combine(folder, "rt")]);
        return Path.Combine(folder, "rt");
    }

    private static async Task<string> CompileCppAsync(string name, string source)
    {
        Need("g++");
        var runtimes = await FolderAsync;
        var program = Path.Combine(runtimes, "..", name);
        await RunAsync("g++", ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-I" + runtimes + "/cpp", "-o", program, source]);
        return program;
    }

    private static async Task<string> CompileGoAsync()
    {
        Need("go");
        var folder = Path.Combine(await FolderAsync, "..", "go");
        var source = Directory.CreateDirectory(Path.Combine(folder, "source")).FullName;
        File.Copy(Code("go", "main.go"), Path.Combine(source, "main.go"), overwrite: true);
        await File.WriteAllTextAsync(Path.Combine(source, "go.mod"), "module contract\n\ngo 1.19\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "go.work"), $"go 1.19\n\nuse (\n\t{source}\n\t{await FolderAsync}/go/dure\n)\n", TestContext.Current.CancellationToken);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["GOWORK"] = Path.Combine(folder, "go.work"), ["CGO_ENABLED"] = "0", ["GOFLAGS"] = "" };
        await RunAsync("go", ["build", "-o", Path.Combine(folder, "program"), "."], environment, source);
        return Path.Combine(folder, "program");
    }
}
