using Dure.Host;
using Dure.Test.Host.Commands;
using Dure.Test.Processes;
using Dure.Test.Tidy;
using Xunit;

namespace Dure.Test.Clients;

/// <summary>Runs the Python client's own tests with the system's Python.</summary>
[Trait("speed", "slow")]
public sealed class PythonClientTest
{
    private const string Python = "/usr/bin/python3";
    private static readonly string s_folder = Path.Combine(SourceTree.Root, "clients", "python");

    [Fact]
    public Task The_client_packs_functions_and_classes_and_tells_failures_apart() => PassAsync("test_packing.py");

    [Fact]
    public async Task The_client_submits_maps_follows_and_cancels_on_a_running_server()
    {
        await using var cli = new Cli();
        File.SetUnixFileMode(cli.Folder, File.GetUnixFileMode(cli.Folder) | UnixFileMode.OtherExecute); // sandboxes run as another user
        var (code, _, error) = await cli.RunAsync("up");
        Assert.True(code == ExitCodes.Ok, error);
        await PassAsync("test_server.py", "DURE_DATA=" + cli.Data);
    }

    private static async Task PassAsync(string tests, params IReadOnlyList<string> environment)
    {
        if (!File.Exists(Python))
            Assert.Skip($"{Python} is not installed.");
        var (code, text) = await Child.RunAsync(
            TestContext.Current.CancellationToken,
            ["/usr/bin/env", "PYTHONPATH=" + s_folder, .. environment, Python, "-B", "-m", "unittest", "discover", "-s", Path.Combine(s_folder, "tests"), "-p", tests]);
        Assert.True(code == 0 && !text.Contains("skipped=", StringComparison.Ordinal), text);
    }
}
