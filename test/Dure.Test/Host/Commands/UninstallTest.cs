using System.Diagnostics;
using System.Text.Json.Nodes;
using Xunit;

namespace Dure.Test.Host.Commands;

/// <summary><c>dure uninstall</c> on a real server.</summary>
[Trait("speed", "slow")]
public sealed class UninstallTest
{
    [Fact]
    public async Task It_says_what_it_would_do_then_does_it_and_leaves_the_data()
    {
        await using var cli = new Cli();
        Assert.Equal(0, (await cli.RunAsync("up")).Code);

        var dry = await cli.RunAsync("uninstall", "--dry-run", "--format", "json");
        var plan = JsonNode.Parse(dry.Out)!;
        Assert.Equal((0, true), (dry.Code, (bool)plan["dry_run"]!));
        Assert.Equal(0, (await cli.RunAsync("status")).Code);

        var done = await cli.RunAsync("uninstall", "--yes");
        Assert.Equal(0, done.Code);
        Assert.Contains($"The server (process {plan["stopped"]}) stopped.", done.Err, StringComparison.Ordinal);
        Assert.Contains($"rm -rf {cli.Data}", done.Err, StringComparison.Ordinal);
        Assert.Contains("database", done.Out, StringComparison.Ordinal);
        Assert.Equal(6, (await cli.RunAsync("status")).Code);
        Assert.True(File.Exists(Path.Combine(cli.Data, "dure.db")));
        Assert.False(File.Exists(Path.Combine(cli.Folder, "state", "dure", "server")));
    }

    [Fact]
    public async Task A_worker_that_a_crashed_server_has_left_is_ended_too()
    {
        await using var cli = new Cli();
        Assert.Equal(0, (await cli.RunAsync("up")).Code);
        var (worker, pid) = (0, 0);
        for (var tries = 0; worker == 0 && tries < 200; tries++)
        {
            var status = JsonNode.Parse((await cli.RunAsync("status", "--format", "json")).Out)!;
            pid = (int)status["pid"]!;
            worker = status["workers"]!.AsArray().Select(w => (int)w!["pid"]!).FirstOrDefault();
        }
        using (var server = Process.GetProcessById(pid))
            server.Kill();
        Assert.True(Directory.Exists($"/proc/{worker}"));
        var (code, _, said) = await cli.RunAsync("uninstall", "--yes");
        Assert.Equal(0, code);
        Assert.Contains($"(process {worker}) has ended with its functions", said, StringComparison.Ordinal);
        // Dead, though perhaps not yet fetched by whoever is its parent now.
        Assert.True(!File.Exists($"/proc/{worker}/cmdline") || (await File.ReadAllTextAsync($"/proc/{worker}/cmdline")).Length == 0);
    }

    [Fact]
    public async Task Data_goes_only_when_that_is_asked_for_and_confirmed()
    {
        await using var cli = new Cli();
        Assert.Equal(0, (await cli.RunAsync("up")).Code);

        var unasked = await cli.RunAsync("uninstall", "--purge-data");
        Assert.Equal(2, unasked.Code);
        Assert.Contains("DURE0429", unasked.Err, StringComparison.Ordinal);
        Assert.Equal(0, (await cli.RunAsync("status")).Code);

        Assert.Equal(0, (await cli.RunAsync("uninstall", "--purge-data", "--yes")).Code);
        Assert.False(Directory.Exists(cli.Data));
    }

    [Fact]
    public async Task Without_a_server_it_says_so_and_what_removes_the_program()
    {
        await using var cli = new Cli();
        var done = await cli.RunAsync("uninstall", "--yes");
        Assert.Equal(0, done.Code);
        Assert.Contains("No server runs on this data.", done.Err, StringComparison.Ordinal);
        Assert.Contains("What removes the rest:", done.Err, StringComparison.Ordinal);
    }
}
