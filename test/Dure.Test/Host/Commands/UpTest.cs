using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Dure.Functions.Dispatch;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Host.Commands;

[Trait("speed", "slow")]
public sealed class UpTest
{
    [Fact]
    public async Task Up_starts_a_server_that_answers_and_says_what_to_try_next()
    {
        await using var cli = new Cli();
        var (code, output, error) = await cli.RunAsync("up");
        Assert.True(code == ExitCodes.Ok, error);
        var running = RunningServer.Read(cli.Data)!;
        Assert.Contains(running.Url, output, StringComparison.Ordinal);
        Assert.Contains(cli.Data, output, StringComparison.Ordinal);
        Assert.Contains("owner.token", output, StringComparison.Ordinal);
        Assert.Contains("fn deploy", error, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Ok, (await cli.RunAsync("status")).Code);
    }

    [Fact]
    public async Task A_second_up_on_the_same_data_is_refused_with_the_process_that_has_it()
    {
        await using var cli = new Cli();
        await cli.RunAsync("up");
        var pid = RunningServer.Read(cli.Data)!.Pid.ToString(CultureInfo.InvariantCulture);
        foreach (string[] words in new string[][] { ["up"], ["up", "--foreground"], ["up", "--daemon"] })
        {
            var (code, _, error) = await cli.RunAsync(words);
            Assert.Equal(ExitCodes.Conflict, code);
            Assert.Contains("DURE0422", error, StringComparison.Ordinal);
            Assert.Contains(pid, error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Of_four_that_start_at_once_one_wins()
    {
        await using var cli = new Cli();
        var ended = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => cli.RunAsync("up")));
        Assert.Single(ended, run => run.Code == ExitCodes.Ok);
        Assert.All(ended.Where(run => run.Code != ExitCodes.Ok), run => Assert.Equal(ExitCodes.Conflict, run.Code));
    }

    [Fact]
    public async Task A_server_that_was_killed_leaves_nothing_in_the_way_of_the_next()
    {
        await using var cli = new Cli();
        await cli.RunAsync("up");
        using var server = Process.GetProcessById(RunningServer.Read(cli.Data)!.Pid);
        server.Kill();
        await server.WaitForExitAsync(TestContext.Current.CancellationToken);
        var (status, _, told) = await cli.RunAsync("status");
        Assert.Equal(ExitCodes.Unavailable, status);
        Assert.Contains("DURE0421", told, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Ok, (await cli.RunAsync("up")).Code);
    }

    [Fact]
    public async Task Down_stops_the_server_and_is_content_when_there_is_none()
    {
        await using var cli = new Cli();
        await cli.RunAsync("up");
        var pid = RunningServer.Read(cli.Data)!.Pid;
        Assert.Equal(ExitCodes.Ok, (await cli.RunAsync("down")).Code);
        Assert.False(Runs(pid));
        var (code, _, error) = await cli.RunAsync("down");
        Assert.Equal(ExitCodes.Ok, code);
        Assert.Contains("No server runs", error, StringComparison.Ordinal);
    }

    // A process that only waits to be reaped has no command line any more.
    private static bool Runs(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Length > 0;
        }
        catch (IOException)
        {
            return false;
        }
    }

    [Fact]
    public async Task A_restart_keeps_the_flags_that_the_server_was_started_with()
    {
        await using var cli = new Cli();
        await cli.RunAsync("up", "--set", "retention.versions=7", "--log-level", "error");
        var before = RunningServer.Read(cli.Data)!;
        var (code, _, error) = await cli.RunAsync("restart");
        Assert.True(code == ExitCodes.Ok, error);
        var after = RunningServer.Read(cli.Data)!;
        Assert.NotEqual(before.Pid, after.Pid);
        var words = await File.ReadAllTextAsync($"/proc/{after.Pid}/cmdline", TestContext.Current.CancellationToken);
        Assert.Contains("retention.versions=7\0--log-level\0error", words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_server_outlives_the_terminal_it_was_started_from()
    {
        await using var cli = new Cli();
        await cli.RunAsync("up");
        var pid = RunningServer.Read(cli.Data)!.Pid;
        var stat = (await File.ReadAllTextAsync($"/proc/{pid}/stat", TestContext.Current.CancellationToken)).Split(") ")[1].Split(' ');
        Assert.Equal($"{pid}", stat[3]);
        foreach (var descriptor in new[] { 0, 1, 2 })
        {
            var target = File.ResolveLinkTarget($"/proc/{pid}/fd/{descriptor}", returnFinalTarget: false)!.FullName;
            Assert.Equal(descriptor == 0 ? "/dev/null" : ServerStart.LogIn(cli.Data), target);
        }
    }

    [Fact]
    public async Task What_keeps_the_server_from_starting_is_told_where_it_was_asked_for()
    {
        await using var cli = new Cli();
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        var (code, _, error) = await cli.RunAsync("up", "--port", $"{port}");
        Assert.NotEqual(ExitCodes.Ok, code);
        Assert.Contains($"{port}", error, StringComparison.Ordinal);
        (code, _, error) = await cli.RunAsync("up", "--set", $"store.port={port}", "--set", $"apps.port={port}");
        Assert.Equal(ExitCodes.Conflict, code);
        Assert.All(["store.port", "apps.port"], setting => Assert.Contains($"--set {setting}=N", error, StringComparison.Ordinal));
        (code, _, error) = await cli.RunAsync("up", "--port", "none", "--set", "worker.slots=0", "--set", "wroker.slots=1");
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Equal(3, error.Split('\n').Count(line => line.StartsWith("  --", StringComparison.Ordinal)));
        (code, _, error) = await cli.RunAsync("up", "--data", "/proc/none");
        Assert.Equal((ExitCodes.Usage, true), (code, error.Contains("DURE0427", StringComparison.Ordinal)));
        (code, _, error) = await cli.RunAsync("up", "--port", "0", "--data", "/tmp/" + new string('d', 60));
        Assert.Equal((ExitCodes.Usage, true), (code, error.Contains("DURE0310", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_status_says_why_there_is_no_worker()
    {
        await using var cli = new Cli();
        await cli.RunAsync("up");
        Assert.Equal(ExitCodes.Ok, (await cli.RunAsync("down")).Code);
        // Where the worker wants a folder there is a file.
        var sandboxes = Path.Combine(cli.Data, "run", "z");
        Directory.Delete(sandboxes, recursive: true);
        await File.WriteAllTextAsync(sandboxes, "", TestContext.Current.CancellationToken);
        await cli.RunAsync("up");
        for (var tries = 0; ; tries++)
        {
            var (_, _, error) = await cli.RunAsync("status");
            if (error.Contains("worker.log ends with", StringComparison.Ordinal))
                break;
            Assert.True(tries < 50, error);
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task A_server_in_the_foreground_stops_on_a_signal()
    {
        await using var cli = new Cli();
        await using var child = Child.Start(ProgramUnderTest.Path, "up", "--foreground", "--data", cli.Data, "--port", "0");
        await child.LinesAsync(4, TestContext.Current.CancellationToken);
        Posix.Signal(child.Pid, Posix.Terminate);
        Assert.Equal(ExitCodes.Ok, await child.EndAsync(TestContext.Current.CancellationToken));
        Assert.Null(ServerLock.Holder(cli.Data));
    }

    [Fact]
    public async Task Down_ends_the_worker_that_a_killed_server_has_left()
    {
        await using var cli = new Cli();
        Assert.Equal(ExitCodes.Ok, (await cli.RunAsync("up")).Code);
        var file = Path.Combine(cli.Data, "run", "w", "w1.pid");
        while (LeftWorker.ReadPid(file) is null)
            await Task.Delay(20, TestContext.Current.CancellationToken);
        var worker = LeftWorker.ReadPid(file)!.Value;
        Posix.Signal(ServerLock.Holder(cli.Data)!.Value, 9);
        while (ServerLock.Holder(cli.Data) is not null)
            await Task.Delay(20, TestContext.Current.CancellationToken);
        Assert.True(EndProcess.IsAlive(worker));
        var (code, output, error) = await cli.RunAsync("down");
        Assert.Equal(ExitCodes.Ok, code);
        Assert.Contains($"process {worker}", output + error, StringComparison.Ordinal);
        Assert.False(EndProcess.IsAlive(worker));
    }

    [Fact]
    public async Task Commands_find_the_server_that_was_started_on_a_folder_of_its_own()
    {
        await using var cli = new Cli();
        var elsewhere = Path.Combine(cli.Folder, "elsewhere");
        await cli.RunAsync("up", "--data", elsewhere);
        var sources = Configuration.ConfigurationSourcesOf.Test(cli.Folder, $"XDG_STATE_HOME={cli.Folder}/state", $"HOME={cli.Folder}");
        Assert.Equal(elsewhere, RunningServer.Locate(sources));
        // What a server on the default folder left when it was killed is no server: no process has such a number.
        var left = RunningServer.PathIn(ConfigurationLoader.DataFolder(sources).Path);
        Directory.CreateDirectory(Path.GetDirectoryName(left)!);
        var runs = RunningServer.Read(elsewhere)!;
        await File.WriteAllTextAsync(left, $$"""{"pid":{{int.MaxValue}},"url":"{{runs.Url}}","started":"2026-01-01T00:00:00Z","version":"{{runs.Version}}"}""", TestContext.Current.CancellationToken);
        Assert.NotNull(RunningServer.Read(ConfigurationLoader.DataFolder(sources).Path));
        Assert.Equal(elsewhere, RunningServer.Locate(sources));
        Assert.Equal(ExitCodes.Ok, (await cli.RunAsync("down", "--data", elsewhere)).Code);
    }

    [Fact]
    public async Task The_banner_is_one_json_object_for_a_program()
    {
        await using var cli = new Cli();
        var (_, output, _) = await cli.RunAsync("up", "--format", "json");
        using var json = JsonDocument.Parse(output);
        Assert.Equal(RunningServer.Read(cli.Data)!.Pid, json.RootElement.GetProperty("pid").GetInt32());
    }
}
