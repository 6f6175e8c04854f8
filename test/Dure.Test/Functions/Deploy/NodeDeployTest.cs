using System.Diagnostics;
using Dure.Functions.Deploy;
using Dure.Functions.Worker;
using Xunit;

namespace Dure.Test.Functions.Deploy;

public sealed class NodeDeployTest : DeployTest
{
    public NodeDeployTest() => Need("Node.js", "/usr/bin/node");

    [Theory]
    [InlineData("index.mjs", "export const handler = async event => event;\n")]
    [InlineData("index.js", "exports.handler = async event => event;\n")]
    [InlineData("index.js", "module.exports = require('./other');\n")]
    [InlineData("index.cjs", "module.exports.handler = function (event) { return event }\n")]
    [InlineData("index.mjs", "export * from './other.mjs';\n")]
    public async Task JavaScript_is_recognised_and_checked(string name, string code)
    {
        Put(name, code);
        var version = await DeployedAsync();
        Assert.Equal("index.handler", version.Spec.Handler);
        Assert.Equal("node", version.Prewarm);
        Assert.Equal(SandboxMode.Shim, version.Spec.Mode);
    }

    [Fact]
    public async Task A_syntax_error_is_named_with_file_and_line()
    {
        Put("index.mjs", "export const handler = async event => {\n  return event +;\n};\n");
        var problem = await RefusedAsync(DeployErrors.SyntaxError);
        Assert.StartsWith("index.mjs:2: SyntaxError", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_handler_is_named_with_what_is_exported_instead()
    {
        Put("index.mjs", "export const handle = async event => event;\nexport function other() {}\n");
        var problem = await RefusedAsync(DeployErrors.HandlerMissing);
        Assert.Contains("It exports handle, other. Did you mean `handle`?", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_package_json_that_is_no_JSON_is_named_with_its_line()
    {
        Put("index.mjs", "export const handler = async event => event;\n");
        Put("package.json", "{\n  \"dependencies\": {\n}\n");
        var problem = await RefusedAsync(DeployErrors.SyntaxError);
        Assert.StartsWith("package.json: line ", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_vendored_node_modules_is_taken_as_it_is()
    {
        Put("index.mjs", "import x from 'x'; export const handler = () => x;\n");
        Put("package.json", """{"dependencies":{"x":"1.0.0"}}""");
        Put("node_modules/x/index.js", "module.exports = 42;\n");
        var version = await DeployedAsync();
        Assert.Null(version.DepsDirectory);
        Assert.True(File.Exists(Path.Combine(version.CodeDirectory, "node_modules/x/index.js")));
    }

    [Fact]
    public async Task A_dependency_on_a_folder_of_the_package_is_installed_once_and_shared()
    {
        Need("npm", "/usr/bin/npm");
        Put("index.mjs", "import x from 'x'; export const handler = () => x;\n");
        Put("libs/x/package.json", """{"name":"x","version":"1.0.0","main":"index.js"}""");
        Put("libs/x/index.js", "module.exports = 42;\n");
        Put("package.json", """{"dependencies":{"x":"file:./libs/x"}}""");
        var first = await DeployedAsync();
        Assert.Equal("module.exports = 42;\n", await File.ReadAllTextAsync(Path.Combine(first.DepsDirectory!, "node_modules/x/index.js"), Cancel));
        Assert.Null(new FileInfo(Path.Combine(first.DepsDirectory!, "node_modules/x")).LinkTarget);
        Assert.Equal("42", await RunAsync(first, "import('/code/index.mjs').then(m => console.log(m.handler()))"));
        Put("function.yaml", "memory: 1GiB\n");
        var second = await DeployedAsync();
        Assert.False(first.CodeDirectory == second.CodeDirectory);
        Assert.Equal(first.DepsDirectory, second.DepsDirectory);
        Assert.Single(Steps, s => s == "dependencies are installed already");
    }

    [Fact]
    public async Task A_package_from_the_registry_is_installed_and_one_that_does_not_exist_is_named()
    {
        Need("npm", "/usr/bin/npm");
        await NeedRegistryAsync();
        Put("index.mjs", "import leftPad from 'left-pad'; export const handler = () => leftPad('x', 3);\n");
        Put("package.json", """{"dependencies":{"left-pad":"1.3.0"}}""");
        var version = await DeployedAsync();
        Assert.Equal("  x", await RunAsync(version, "import('/code/index.mjs').then(m => console.log(m.handler()))"));
        Put("package.json", """{"dependencies":{"left-pad":"99.0.0"}}""");
        var outcome = await DeployAsync();
        Assert.Equal(DeployErrors.InstallFailed, outcome.Problem!.Kind);
        Assert.Contains("left-pad", outcome.Problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TypeScript_is_compiled_by_the_functions_own_typescript_package()
    {
        Need("npm", "/usr/bin/npm");
        await NeedRegistryAsync();
        Put("index.ts", "import { twice } from './lib/twice.ts';\nimport type { X } from './types';\nexport const handler = (event: X): number => twice(event.n as number);\n");
        Put("lib/twice.ts", "export function twice(n: number): number { return 2 * n; }\n");
        Put("package.json", """{"dependencies":{"typescript":"5.4.5"}}""");
        var version = await DeployedAsync();
        Assert.Equal("42", await RunAsync(version, "console.log(require('/code/index.js').handler({ n: 21 }))"));
        Put("index.ts", "export const handler = (event: number => event;\n");
        var outcome = await DeployAsync();
        Assert.Equal(DeployErrors.CompileFailed, outcome.Problem!.Kind);
        Assert.StartsWith("index.ts:1:", outcome.Problem.Faults[0].Where, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TypeScript_without_any_compiler_says_how_to_get_one_or_runs_as_it_is()
    {
        Put("index.ts", "export const handler = (event: { n: number }): number => event.n;\n");
        var outcome = await DeployAsync();
        if (!outcome.Ok)
        {
            Assert.Equal(DeployErrors.ToolMissing, outcome.Problem.Kind);
            Assert.Contains("sudo apt-get install esbuild", outcome.Problem.Detail, StringComparison.Ordinal);
        }
        else if (File.Exists("/usr/bin/esbuild"))
        {
            Assert.Equal("7", await RunAsync(outcome.Value, "import('/code/index.mjs').then(m => console.log(m.handler({ n: 7 })))"));
        }
    }

    /// <summary>Runs a line of JavaScript in a sandbox that looks like the one of the version.</summary>
    private static async Task<string> RunAsync(BuiltVersion version, string script)
    {
        List<SandboxMount> mounts = [new(version.CodeDirectory, "/code", false)];
        if (version.DepsDirectory is not null)
            mounts.AddRange([new(version.DepsDirectory, "/deps", false), new(Path.Combine(version.DepsDirectory, "node_modules"), "/node_modules", false)]);
        var spec = new SandboxSpec(
            SandboxMode.Run, null, ["/usr/bin/node", "-e", script], null, null, new Dictionary<string, string>(StringComparer.Ordinal), mounts,
            SandboxNetwork.None, new SandboxLimits(0, 0, 0, 1 << 20, 0), []);
        var lines = new List<string>();
        await DirectBwrap.RunAsync(new(spec, false), line => { lines.Add(line); return ValueTask.CompletedTask; }, Cancel);
        return string.Join('\n', lines);
    }

    private static async Task NeedRegistryAsync()
    {
        using var ping = Process.Start(new ProcessStartInfo("npm", ["ping", "--fetch-retries=0", "--fetch-timeout=5000"]) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false })!;
        await ping.WaitForExitAsync(Cancel);
        if (ping.ExitCode != 0)
            Assert.Skip("the npm registry cannot be reached from here");
    }
}
