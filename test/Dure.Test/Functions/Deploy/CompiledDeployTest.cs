using Dure.Functions.Deploy;
using Dure.Functions.Worker;
using Dure.Host;
using Xunit;

namespace Dure.Test.Functions.Deploy;

[Trait("speed", "slow")]
public sealed class CompiledDeployTest : DeployTest
{
    private const string Cpp = """
        #include <iostream>
        #include <iterator>
        int main() { std::string s{std::istreambuf_iterator<char>(std::cin), {}}; std::cout << "cpp " << s; }
        """;

    private const string Go = """
        package main

        import (
            "fmt"
            "io"
            "os"
        )

        func main() { b, _ := io.ReadAll(os.Stdin); fmt.Printf("go %s", b) }
        """;

    [Fact]
    public async Task Cpp_is_compiled_once_also_when_only_settings_change()
    {
        Need("g++", "/usr/bin/g++");
        Put("main.cpp", Cpp);
        var first = await DeployedAsync();
        Assert.Equal(SandboxMode.Plain, first.Spec.Mode);
        Assert.Equal("plain", first.Prewarm);
        Assert.Equal("cpp", await RunAsync(first));
        Put("function.yaml", "memory: 64MiB\ntimeout: 5s\n");
        var second = await DeployedAsync();
        Assert.False(first.Digest == second.Digest);
        Assert.Single(Steps, s => s == "compiled already");
        Assert.Equal("cpp", await RunAsync(second));
    }

    [Fact]
    public async Task Compile_errors_are_the_compilers_own_lines_and_leave_nothing_behind()
    {
        Need("g++", "/usr/bin/g++");
        Put("main.cpp", "int main() {\n  undeclared();\n  return \"x\";\n}\n");
        var problem = await RefusedAsync(DeployErrors.CompileFailed);
        Same(["main.cpp:2:3", "main.cpp:3:10"], problem.Faults.Select(f => f.Where));
        Assert.Contains("undeclared", problem.Faults[0].What, StringComparison.Ordinal);
        Assert.Contains(Log, l => l.Contains("undeclared();", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_CMake_project_is_built_whatever_its_program_is_called()
    {
        Need("g++", "/usr/bin/g++");
        Need("CMake", "/usr/bin/cmake");
        Put("CMakeLists.txt", "cmake_minimum_required(VERSION 3.13)\nproject(p CXX)\nadd_executable(server src/app.cpp)\n");
        Put("src/app.cpp", Cpp);
        Assert.Equal("cpp", await RunAsync(await DeployedAsync()));
        Put("function.yaml", "handler: server\n");
        var named = await DeployedAsync();
        Assert.Equal(".dure/server", named.Spec.Handler);
        Assert.Equal("cpp", await RunAsync(named));
        Put("src/app.cpp", "int main() { return oops; }\n");
        var problem = (await DeployAsync()).Problem!;
        Assert.Equal("src/app.cpp:1:21", problem.Faults[0].Where);
    }

    [Fact]
    public async Task Go_is_compiled_without_a_module_file_and_its_errors_are_named()
    {
        Need("Go", "/usr/bin/go");
        Put("main.go", Go);
        var version = await DeployedAsync();
        Assert.Equal(SandboxMode.Plain, version.Spec.Mode);
        Assert.Equal("go", await RunAsync(version));
        Put("main.go", "package main\n\nfunc main() { undeclared() }\n");
        var problem = (await DeployAsync()).Problem!;
        Assert.Equal(DeployErrors.CompileFailed, problem.Kind);
        Assert.Equal("main.go:3:15", problem.Faults[0].Where);
        Assert.Equal("undefined: undeclared", problem.Faults[0].What);
    }

    [Fact]
    public async Task Go_uses_vendored_modules()
    {
        Need("Go", "/usr/bin/go");
        Put("go.mod", "module example.com/fn\n\ngo 1.18\n\nrequire example.com/x v1.0.0\n");
        Put("vendor/modules.txt", "# example.com/x v1.0.0\n## explicit; go 1.18\nexample.com/x\n");
        Put("vendor/example.com/x/x.go", "package x\n\nfunc Word() string { return \"vendored\" }\n");
        Put("main.go", "package main\n\nimport \"example.com/x\"\n\nfunc main() { print(x.Word()) }\n");
        Assert.Equal("vendored", await RunAsync(await DeployedAsync()));
    }

    [Fact]
    public async Task Our_Go_package_and_Cpp_header_are_found_and_make_it_a_shim()
    {
        Need("g++", "/usr/bin/g++");
        Need("Go", "/usr/bin/go");
        if (DirectBwrap.Runtimes is null)
            Assert.Skip("the runtimes folder is not here");
        Put("main.cpp", "#include \"dure.hpp\"\nint main() { return dure::serve([](std::string_view e, dure::Context&) { return std::string(e); }); }\n");
        var cpp = await DeployedAsync();
        Assert.Equal(SandboxMode.Shim, cpp.Spec.Mode);
        Assert.Equal(["/code/.dure/program"], cpp.Command);
        File.Delete(Path.Combine(Folder, "main.cpp"));
        Put("main.go", "package main\n\nimport (\n\t\"encoding/json\"\n\n\t\"dure\"\n)\n\nfunc main() {\n\tdure.Serve(func(c *dure.Context, e json.RawMessage) (any, error) { return e, nil })\n}\n");
        Assert.Equal(SandboxMode.Shim, (await DeployedAsync()).Spec.Mode);
        Put("go.mod", "module example.com/fn\n\ngo 1.19\n");
        Assert.Equal(SandboxMode.Shim, (await DeployedAsync()).Spec.Mode);
        Put("function.yaml", "mode: plain\n");
        Assert.Equal(SandboxMode.Plain, (await DeployedAsync()).Spec.Mode);
    }

    [Fact]
    public async Task A_single_cs_file_is_compiled_and_its_errors_are_named()
    {
        Need("the .NET SDK", "/usr/bin/dotnet");
        Put("hello.cs", "Console.Write(\"cs \" + Console.In.ReadToEnd());\n");
        var version = await DeployedAsync(path: Path.Combine(Folder, "hello.cs"));
        Assert.Equal(["/usr/bin/dotnet", "/code/.dure/program.dll"], version.Command);
        Assert.Equal("cs", await RunAsync(version));
        Put("hello.cs", "Console.Write(undeclared);\n");
        var problem = (await DeployAsync(path: Path.Combine(Folder, "hello.cs"))).Problem!;
        Assert.Equal(DeployErrors.CompileFailed, problem.Kind);
        Assert.Equal("hello.cs:1:15", problem.Faults[0].Where);
    }

    [Fact]
    public async Task A_csharp_project_keeps_its_name()
    {
        Need("the .NET SDK", "/usr/bin/dotnet");
        Put("My.Function.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net{Environment.Version.Major}.0</TargetFramework>
                <InvariantGlobalization>true</InvariantGlobalization>
              </PropertyGroup>
            </Project>
            """);
        Put("Program.cs", "System.Console.Write(typeof(Program).Assembly.GetName().Name);\n");
        var version = await DeployedAsync();
        Assert.Equal(".dure/My.Function.dll", version.Spec.Handler);
        Assert.Equal("My.Function", await RunAsync(version));
    }

    [Fact]
    public async Task A_bootstrap_is_taken_as_it_is_and_made_executable()
    {
        Put("bootstrap", "#!/bin/sh\nprintf 'bootstrap '; cat\n");
        var version = await DeployedAsync();
        Assert.Equal(SandboxMode.RuntimeApi, version.Spec.Mode);
        Assert.Equal(["/code/bootstrap"], version.Command);
        Assert.Equal("bootstrap", await RunAsync(version));
        var spec = SandboxSpecs.For(version, new Dictionary<string, string>(StringComparer.Ordinal), []);
        Assert.Equal("/code", spec.Environment["LAMBDA_TASK_ROOT"]);
    }

    [Theory]
    [InlineData("#!/bin/sh\r\necho\r\n", "CR LF")]
    [InlineData("#!/usr/bin/no-such-thing\n", "/usr/bin/no-such-thing, is not on this machine")]
    [InlineData("echo hello\n", "first line begins with #!")]
    [InlineData("", "it is empty")]
    public async Task A_bootstrap_that_cannot_start_says_why_at_deploy(string text, string why)
    {
        Put("bootstrap", text, executable: true);
        var problem = await RefusedAsync(DeployErrors.HandlerMissing);
        Assert.Contains(why, problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_build_command_of_function_yaml_replaces_the_runtimes_own()
    {
        Put("function.yaml", "runtime: bootstrap\nhandler: out/tool\nmode: plain\nbuild: mkdir -p out && printf '#!/bin/sh\\necho built' > out/tool && echo done\n");
        Put("notes.txt", "x");
        var version = await DeployedAsync();
        Assert.Equal(SandboxMode.Plain, version.Spec.Mode);
        Assert.Equal("built", await RunAsync(version));
        Assert.Single(Log, l => l == "done");
        Put("function.yaml", "runtime: bootstrap\nhandler: out/tool\nbuild: exit 3\n");
        Assert.Equal(DeployErrors.CompileFailed, (await DeployAsync()).Problem!.Kind);
        Put("function.yaml", "runtime: bootstrap\nhandler: out/tool\nbuild: mkfifo out\n");
        Assert.Equal(DeployErrors.HandlerMissing, (await DeployAsync()).Problem!.Kind);
    }

    [Fact]
    public async Task A_build_that_hangs_is_ended_by_the_time_limit_and_nothing_of_it_stays()
    {
        Put("function.yaml", "runtime: bootstrap\nbuild: sleep 1000\n");
        Put("bootstrap", "#!/bin/sh\n");
        var problem = await RefusedAsync(DeployErrors.BuildLimit, Pipeline(o => o with { Timeout = TimeSpan.FromMilliseconds(300) }));
        Assert.Contains("300ms", problem.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("memory", "4 GiB of memory")]
    [InlineData("processes", "number of processes")]
    public async Task A_build_that_breaks_a_limit_is_told_which(string reason, string expected)
    {
        Put("function.yaml", "runtime: bootstrap\nbuild: make\n");
        Put("bootstrap", "#!/bin/sh\n");
        var pipeline = Pipeline(run: (_, _, _) => Task.FromResult<Outcome<BuildExit>>(new BuildExit(137, reason, null)));
        Assert.Contains(expected, (await RefusedAsync(DeployErrors.BuildLimit, pipeline)).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task As_root_builds_run_as_another_user_and_what_they_make_belongs_to_root()
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Skip("only root can run builds as another user");
        const int uid = 61870;
        foreach (var folder in new[] { Root, Data })
            File.SetUnixFileMode(Directory.CreateDirectory(folder).FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherExecute);
        Put("function.yaml", "runtime: bootstrap\nbuild: id -u > user; mkdir made; echo x >> kept.txt\n");
        Put("bootstrap", "#!/bin/sh\n");
        Put("kept.txt", "");
        var version = await DeployedAsync(Pipeline(o => o with { SandboxUid = uid }, (step, onLine, cancel) => DirectBwrap.RunAsync(step, onLine, uid, cancel)));
        Assert.Equal($"{uid}\n", await File.ReadAllTextAsync(Path.Combine(version.CodeDirectory, "user"), Cancel));
        Assert.Equal("x\n", await File.ReadAllTextAsync(Path.Combine(version.CodeDirectory, "kept.txt"), Cancel));
        using var find = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("find", [version.CodeDirectory, "-not", "-uid", "0"]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        Assert.Equal("", await find.StandardOutput.ReadToEndAsync(Cancel));
    }

    [Fact]
    public async Task A_link_that_a_build_makes_never_changes_what_it_points_to()
    {
        var outside = Path.Combine(Root, "outside");
        await File.WriteAllTextAsync(outside, "x", Cancel);
        File.SetUnixFileMode(outside, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Put("function.yaml", $"runtime: bootstrap\nbuild: ln -s {outside} link; ln -s {Root} tree; chmod 4755 bootstrap; chmod 777 .\n");
        Put("bootstrap", "#!/bin/sh\n");
        var version = await DeployedAsync();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(outside));
        Assert.Equal(Convert.ToInt32("555", 8), (int)File.GetUnixFileMode(Path.Combine(version.CodeDirectory, "bootstrap")));
        Assert.Equal(Convert.ToInt32("755", 8), (int)File.GetUnixFileMode(version.CodeDirectory));
    }

    /// <summary>Runs a version's command in a sandbox, with nothing on its standard input.</summary>
    private static async Task<string> RunAsync(BuiltVersion version)
    {
        var spec = new SandboxSpec(
            SandboxMode.Run, null, version.Command, null, null, new Dictionary<string, string>(StringComparer.Ordinal) { ["PATH"] = "/usr/bin:/bin" },
            [new(version.CodeDirectory, "/code", false)], SandboxNetwork.None, new SandboxLimits(0, 0, 0, 1 << 20, 0), []);
        var lines = new List<string>();
        var ended = await DirectBwrap.RunAsync(new(spec, false), line => { lines.Add(line); return ValueTask.CompletedTask; }, Cancel);
        Assert.True(ended.Value.Code == 0, string.Join('\n', lines));
        return string.Join('\n', lines).Trim();
    }
}
