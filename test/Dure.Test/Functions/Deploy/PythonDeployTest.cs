using Dure.Functions.Deploy;
using Dure.Functions.Worker;
using Xunit;

namespace Dure.Test.Functions.Deploy;

public sealed class PythonDeployTest : DeployTest
{
    [Fact]
    public async Task A_single_file_is_a_function_and_its_handler_is_named_after_it()
    {
        var path = Put("hello.py", "def handler(event, context):\n    return event\n");
        var version = await DeployedAsync(path: path);
        Assert.Equal("hello.handler", version.Spec.Handler);
        Assert.Equal(SandboxMode.Shim, version.Spec.Mode);
        Assert.Equal("python:", version.Prewarm);
        Assert.Null(version.DepsDirectory);
        Assert.True(File.Exists(Path.Combine(version.CodeDirectory, "hello.py")));
        Assert.Equal(64, version.Digest.Length);
        var spec = SandboxSpecs.For(version, new Dictionary<string, string>(StringComparer.Ordinal), [], "hello");
        Assert.Equal("hello.handler", spec.Environment["DURE_HANDLER"]);
        Assert.Equal("hello", spec.Environment["DURE_FUNCTION"]);
    }

    [Fact]
    public async Task The_same_folder_twice_is_one_version_and_one_build()
    {
        Put("handler.py", "def handler(event, context): return event\n");
        var pipeline = Pipeline();
        var first = await DeployedAsync(pipeline);
        var second = await DeployedAsync(pipeline);
        Assert.Equal(first.Digest, second.Digest);
        Assert.Single(Steps, s => s == "already built");
        Put("function.yaml", "memory: 1GiB\n");
        Assert.False(first.Digest == (await DeployedAsync(pipeline)).Digest);
    }

    [Fact]
    public async Task Two_deploys_at_once_are_one_build()
    {
        Put("handler.py", "def handler(event, context): return event\n");
        var builds = 0;
        var pipeline = Pipeline(run: async (step, onLine, cancel) =>
        {
            Interlocked.Increment(ref builds);
            await Task.Delay(200, cancel);
            return await DirectBwrap.RunAsync(step, onLine, cancel);
        });
        var versions = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => DeployedAsync(pipeline)));
        Assert.Single(versions.Select(v => v.CodeDirectory).Distinct(StringComparer.Ordinal));
        Assert.Equal(1, builds);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(Data, "tmp")));
    }

    [Fact]
    public async Task A_syntax_error_is_named_with_file_and_line_and_nothing_is_kept()
    {
        Put("handler.py", "def handler(event, context):\n    return (1 +\n\ndef x(: pass\n");
        var problem = await RefusedAsync(DeployErrors.SyntaxError);
        Assert.StartsWith("handler.py:", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_handler_is_named_with_what_is_there_instead()
    {
        Put("handler.py", "def handle(event, context): return 1\nx = 3\n");
        var problem = await RefusedAsync(DeployErrors.HandlerMissing);
        Assert.Contains("does not define `handler`", problem.Detail, StringComparison.Ordinal);
        Assert.Contains("Did you mean `handle`?", problem.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("from other import *\n")]
    [InlineData("from other import run as handler\n")]
    [InlineData("handler = lambda event, context: 1\n")]
    [InlineData("try:\n    from fast import handler\nexcept ImportError:\n    from slow import handler\n")]
    [InlineData("if True:\n    async def handler(event, context): return 1\n")]
    [InlineData("def __getattr__(name): return print\n")]
    [InlineData("a, (handler, b) = 1, (print, 2)\n")]
    public async Task A_handler_may_be_defined_in_any_way(string code)
    {
        Put("handler.py", code);
        await DeployedAsync();
    }

    [Fact]
    public async Task A_NUL_byte_in_the_code_is_a_syntax_error()
    {
        Put("handler.py", "def handler(event, context):\n    return '\0'\n");
        await RefusedAsync(DeployErrors.SyntaxError);
    }

    [Fact]
    public async Task A_version_is_found_again_after_a_restart()
    {
        Put("handler.py", "def handler(event, context): return event\n");
        var version = await DeployedAsync();
        var found = await Pipeline().FindAsync(version.Digest, version.SourceBlob, version.Spec, Cancel);
        Assert.Equal(version.CodeDirectory, found!.CodeDirectory);
        Assert.Null(await Pipeline().FindAsync(new string('f', 64), version.SourceBlob, version.Spec, Cancel));
    }

    [Fact]
    public async Task Bytecode_is_there_before_the_first_call()
    {
        Put("handler.py", "from pkg import x\ndef handler(event, context): return x\n");
        Put("pkg/__init__.py", "x = 1\n");
        var version = await DeployedAsync();
        Assert.NotEmpty(Directory.EnumerateFiles(Path.Combine(version.CodeDirectory, "pkg/__pycache__"), "*.pyc"));
    }
}
