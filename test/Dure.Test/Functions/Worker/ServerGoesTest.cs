using Dure.Functions.Worker;
using Xunit;

namespace Dure.Test.Functions.Worker;

/// <summary>The server goes away and comes back; the worker goes away.</summary>
[Trait("speed", "slow")]
public sealed class ServerGoesTest
{
    // Seconds that nothing else on this machine sleeps, so that a test sees its own sandboxes only.
    private static readonly string Long = System.Security.Cryptography.RandomNumberGenerator.GetInt32(100_000, 1_000_000).ToString(System.Globalization.CultureInfo.InvariantCulture);

    [Fact]
    public async Task Sandboxes_run_on_without_a_server_and_nothing_is_lost()
    {
        await using var worker = await WorkerUnderTest.StartAsync();
        await worker.StartSandboxAsync("on", Specs.Shell("sleep " + Long));
        await worker.StartSandboxAsync("ends", Specs.Shell("for i in 1 2 3 4 5; do echo $i; sleep 0.1; done; exit 7"));
        worker.Disconnect();
        await Task.Delay(1500);
        await worker.ConnectAsync();
        Assert.Contains(new LiveSlot("on", false, true), worker.Hello.Slots);
        Assert.Contains(worker.Hello.Slots, s => s.Slot == "ends");
        var ending = await worker.EndAsync("ends");
        Assert.Equal(7, ending.Exit.Code);
        Assert.EndsWith("4\n5\n", ending.Text, StringComparison.Ordinal);
        Assert.Single(Specs.Alive(Long).Where(pid => File.ReadAllText($"/proc/{pid}/comm").Trim() == "sleep"));
    }

    [Fact]
    public async Task An_end_that_a_server_took_to_its_grave_is_told_to_the_next()
    {
        await using var worker = await WorkerUnderTest.StartAsync();
        Assert.Equal(4, (await worker.RunAsync("once", Specs.Shell("exit 4"))).Exit.Code);
        worker.Disconnect();
        await worker.ConnectAsync();
        Assert.Equal(4, (await worker.EndAsync("once")).Exit.Code);
    }

    [Fact]
    public async Task A_start_that_no_server_was_there_to_hear_of_is_told_once_in_the_greeting_of_the_next()
    {
        await using var worker = await WorkerUnderTest.StartAsync();
        await worker.SendAsync(new StartSandbox("late", Specs.Shell("sleep " + Long)));
        worker.Disconnect();
        await Task.Delay(1500);
        await worker.ConnectAsync();
        Assert.Contains(new LiveSlot("late", false, true), worker.Hello.Slots);
        await worker.SendAsync(new StartSandbox("next", Specs.Shell("exit 0")));
        Assert.Equal("next", ((SandboxStarted)await worker.NextAsync(m => m is SandboxStarted)).Slot);
    }

    [Fact]
    public async Task The_newest_server_wins()
    {
        await using var worker = await WorkerUnderTest.StartAsync();
        await worker.ConnectAsync();
        await worker.ConnectAsync();
        Assert.Equal(0, (await worker.RunAsync("one", Specs.Shell("exit 0"))).Exit.Code);
    }

    [Fact]
    public async Task Output_that_nobody_takes_is_kept_to_4_MiB_and_the_rest_is_counted()
    {
        await using var worker = await WorkerUnderTest.StartAsync();
        await worker.StartSandboxAsync("flood", Specs.Shell("sleep 0.3; seq 1000001 2000000; exit 0"));
        worker.Disconnect();
        await Task.Delay(2000);
        await worker.ConnectAsync();
        var ending = await worker.EndAsync("flood");
        var said = ending.Text.TrimEnd().Split('\n')[^1];
        Assert.EndsWith("lines were dropped: no server was there to take them", said, StringComparison.Ordinal);
        var dropped = int.Parse(said.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(1_000_000, ending.Lines - 1 + dropped);
        Assert.InRange(ending.Text.Length, 3 << 20, 5 << 20);
    }

    [Fact]
    public async Task A_killed_worker_takes_all_its_sandboxes_along_within_a_second()
    {
        await using var worker = await WorkerUnderTest.StartAsync();
        for (var i = 0; i < 5; i++)
            await worker.StartSandboxAsync($"s{i}", Specs.Shell($"trap '' TERM; sleep {Long} & setsid sleep {Long} & sleep {Long}"));
        // One that is still being set up may leave a bubblewrap behind, without any code in it.
        await Specs.UntilAsync(() => Specs.Alive($"sleep\0{Long}").Count == 15, TimeSpan.FromSeconds(10));
        Assert.Equal(15, Specs.Alive($"sleep\0{Long}").Count);
        await worker.KillAsync();
        var took = await Specs.UntilAsync(() => Specs.Alive(Long).Count == 0, TimeSpan.FromSeconds(5));
        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task The_next_worker_clears_away_what_a_killed_one_left()
    {
        await using var worker = await WorkerUnderTest.StartAsync();
        await worker.StartSandboxAsync("s", Specs.Shell("sleep 60"));
        await worker.KillAsync();
        var before = Leftovers(worker);
        await worker.LaunchAsync();
        await worker.ConnectAsync();
        Assert.Empty(worker.Hello.Slots);
        Assert.NotEmpty(before);
        await Task.Delay(300);
        Assert.Empty(Leftovers(worker).Intersect(before, StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_second_worker_on_the_same_data_is_refused()
    {
        await using var worker = await WorkerUnderTest.StartAsync();
        var (code, text) = await Processes.Child.RunAsync(TestContext.Current.CancellationToken, await WorkerUnderTest.CommandAsync(worker.Data));
        Assert.Equal(5, code);
        Assert.Contains("DURE0311", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_that_nobody_needs_ends_by_itself()
    {
        await using var worker = await WorkerUnderTest.StartAsync("--idle-seconds", "1");
        await worker.StartSandboxAsync("s", Specs.Shell("sleep 3"));
        worker.Disconnect();
        await Task.Delay(1500);
        Assert.True(File.Exists($"/proc/{worker.Pid}/comm"));
        Assert.Equal(0, await worker.ExitCodeAsync());
    }

    [Fact]
    public async Task A_terminated_worker_ends_its_sandboxes_in_order()
    {
        await using var worker = await WorkerUnderTest.StartAsync();
        await worker.StartSandboxAsync("s", Specs.Shell("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done"));
        await worker.NextAsync(m => m is SandboxLog { Text: "ready" });
        await Processes.Child.RunAsync(TestContext.Current.CancellationToken, "/bin/kill", "-TERM", worker.Pid.ToString(System.Globalization.CultureInfo.InvariantCulture));
        var ending = await worker.EndAsync("s");
        // The shell may also say that its sleep was terminated.
        Assert.EndsWith("bye\n", ending.Text, StringComparison.Ordinal);
        Assert.Equal(3, ending.Exit.Code);
        Assert.Equal(0, await worker.ExitCodeAsync());
    }

    [Fact]
    public async Task On_request_the_worker_ends_every_sandbox_and_itself()
    {
        await using var worker = await WorkerUnderTest.StartAsync();
        await worker.StartSandboxAsync("s", Specs.Shell("trap '' TERM; sleep " + Long));
        await worker.SendAsync(new EndWorker(200));
        Assert.Equal(0, await worker.ExitCodeAsync());
        Assert.Empty(Specs.Alive(Long));
        Assert.All(await File.ReadAllLinesAsync(worker.Data + "/run/w/w1.cgroups"), folder => Assert.False(Directory.Exists(folder)));
    }

    private static List<string> Leftovers(WorkerUnderTest worker) =>
        [.. File.ReadAllLines(worker.Data + "/run/w/w1.cgroups").Where(Directory.Exists).SelectMany(Directory.GetDirectories)];
}
