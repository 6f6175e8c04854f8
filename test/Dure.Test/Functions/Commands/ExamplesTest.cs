using System.Text.RegularExpressions;
using Dure.Test.Host.Commands;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Commands;

/// <summary>Every line of the table in <c>examples/README.md</c>, typed as it stands there.</summary>
[Trait("speed", "slow")]
public sealed class ExamplesTest(ExamplesTest.Server server) : IClassFixture<ExamplesTest.Server>
{
    private static readonly Dictionary<string, string> Says = new(StringComparer.Ordinal)
    {
        ["hello-python"] = """{"hello":"Ada"}""",
        ["hello-node"] = """{"hello":"Ada"}""",
        ["hello-typescript"] = """{"hello":"Ada"}""",
        ["hello-go"] = """{"hello":"Ada"}""",
        ["hello-cpp"] = """{"hello":{"name":"Ada"}}""",
        ["hello-csharp"] = """{"hello":"Ada"}""",
        ["plain-cpp"] = """{"bytes":14}""",
        ["steps-python"] = """{"total":1225,"attempt":1}""",
        ["stream-python"] = """{"number":0}{"number":1}{"number":2}""",
        ["lambda-go"] = """{"echo":{"name":"Ada"}}""",
        ["bootstrap-shell"] = """{"echo":{"name":"Ada"}}""",
    };

    public static TheoryData<string> Folders => [.. Says.Keys];

    [Fact]
    public void Every_folder_has_its_line_and_every_line_its_folder()
    {
        var folders = Directory.EnumerateDirectories(Path.Combine(Repository.Root, "examples")).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(folders, Lines().Keys.Order(StringComparer.Ordinal));
        Assert.Equal(folders, Says.Keys.Order(StringComparer.Ordinal));
    }

    [Theory(Timeout = 300_000)]
    [MemberData(nameof(Folders))]
    public async Task The_commands_of_its_line_deploy_and_run_it(string folder)
    {
        var (deploy, invoke) = Lines()[folder];
        var deployed = await server.Cli.RunAsync(Words(deploy.Replace("examples/", Path.Combine(Repository.Root, "examples") + "/", StringComparison.Ordinal)));
        Assert.True(deployed.Code == 0, deployed.Err);
        var (code, output, error) = await server.Cli.RunAsync(Words(invoke));
        Assert.True(code == 0, error);
        Assert.Equal(Says[folder], Regex.Replace(output, @"\s", "", RegexOptions.None, TimeSpan.FromSeconds(1)));
    }

    private static Dictionary<string, (string Deploy, string Invoke)> Lines() => File.ReadLines(Path.Combine(Repository.Root, "examples", "README.md"))
        .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
        .Select(line => line.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(cell => cell.Trim('`')).ToList())
        .ToDictionary(cells => cells[0], cells => (cells[2], cells[3]), StringComparer.Ordinal);

    // As a shell would take them apart; `dure` itself is left out.
    private static string[] Words(string command) =>
        [.. Regex.Matches(command, "'([^']*)'|(\\S+)", RegexOptions.None, TimeSpan.FromSeconds(1)).Skip(1).Select(word => word.Groups[1].Success ? word.Groups[1].Value : word.Value)];

    /// <summary>One server for all of them.</summary>
    public sealed class Server : IAsyncLifetime
    {
        internal Cli Cli { get; } = new();

        public async ValueTask InitializeAsync() => Assert.Equal(0, (await Cli.RunAsync("up", "--yes")).Code);

        public ValueTask DisposeAsync() => Cli.DisposeAsync();
    }
}
