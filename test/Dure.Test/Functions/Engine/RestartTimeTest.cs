using System.Globalization;
using System.Text.Json.Nodes;
using Dure.Functions.Dispatch;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Engine;

/// <summary>How long lost work waits.</summary>
[Collection("alone")]
[Trait("speed", "slow")]
public sealed class RestartTimeTest(ReleaseEngineFixture engine) : EngineClientTest(engine)
{
    [Fact(Timeout = 120_000)]
    public async Task Work_of_a_killed_worker_starts_again_within_a_second()
    {
        var name = await LabAsync();
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
            ids.Add(await Client.StartAsync(name, FirstHangs, Cancel));
        foreach (var id in ids)
            await Client.SaysAsync(id, "hanging", Cancel);
        var killed = NowSeconds;
        await RunningServer.SignalAsync(Server.WorkerPid, "KILL", Cancel);
        foreach (var id in ids)
            Assert.InRange(await SecondBeganAsync(id, killed), 0, 1);
    }

    [Fact(Timeout = 120_000)]
    public async Task With_a_worker_that_stands_by_work_starts_again_in_a_fraction_of_that_and_another_one_stands_by()
    {
        var id = await Client.StartAsync(await LabAsync(), FirstHangs, Cancel);
        var keepsBusy = await Client.StartAsync(await LabAsync(), """{"do":"slow-log","lines":1,"pause":60}""", Cancel);
        var standby = await StandbyAsync();
        var killed = NowSeconds;
        await RunningServer.SignalAsync(Server.WorkerPid, "KILL", Cancel);
        Assert.InRange(await SecondBeganAsync(id, killed), 0, 0.5);
        Assert.Equal(standby, Server.WorkerPid);
        Assert.NotEqual(standby, await StandbyAsync());
        using var cancelled = await Client.SendAsync(HttpMethod.Post, $"/api/invocations/{keepsBusy}/cancel", null, Cancel);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_worker_that_dies_as_soon_as_it_has_taken_over_is_followed_as_fast_by_a_second_one_that_stands_by()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"first-hangs","attempts":2}""", Cancel);
        var first = Server.WorkerPid;
        var standbys = await StandbysAsync(2);
        await RunningServer.SignalAsync(first, "KILL", Cancel);
        while (Server.FindWorker() is not { } second || second == first || (await Client.ViewAsync(id, Cancel))["attempt"]!.GetValue<int>() < 2)
            await Task.Delay(1, Cancel);
        var (killed, next) = (NowSeconds, Server.WorkerPid);
        await RunningServer.SignalAsync(next, "KILL", Cancel);
        Assert.InRange(await BeganAsync(id, 3, killed), 0, 0.5);
        Assert.Equal(standbys.Order(), new[] { next, Server.WorkerPid }.Order());
    }

    [Fact(Timeout = 120_000)]
    public async Task A_worker_that_stands_by_and_hangs_is_replaced_when_it_is_needed()
    {
        var id = await Client.StartAsync(await LabAsync(), FirstHangs, Cancel);
        var standby = await StandbyAsync();
        await RunningServer.SignalAsync(standby, "STOP", Cancel);
        await RunningServer.SignalAsync(Server.WorkerPid, "KILL", Cancel);
        Assert.Equal("SUCCESS", (string?)(await Client.EndAsync(id, Cancel))["state"]);
        Assert.NotEqual(standby, Server.WorkerPid);
        Assert.False(EndProcess.IsAlive(standby));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_worker_that_stands_by_is_found_by_the_next_server_and_ended_with_it()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"slow-log","lines":40,"pause":0.1}""", Cancel);
        // One stands by for as long as there is work, and a slow machine takes its time to start a server.
        var keepsBusy = await Client.StartAsync(await LabAsync(), """{"do":"slow-log","lines":1,"pause":60}""", Cancel);
        var (worker, standby) = (Server.WorkerPid, await StandbyAsync());
        await Server.KillAsync(Cancel);
        await Server.StartAgainAsync(Cancel);
        Assert.Equal(("SUCCESS", 1), ((string)(await Client.EndAsync(id, Cancel))["state"]!, (int)(await Client.ViewAsync(id, Cancel))["attempt"]!));
        Assert.Equal((worker, standby), (Server.WorkerPid, await StandbyAsync()));
        using var cancelled = await Client.SendAsync(HttpMethod.Post, $"/api/invocations/{keepsBusy}/cancel", null, Cancel);
        var (code, said) = await Child.RunAsync(Cancel, ProgramUnderTest.Path, "down", "--data", Server.Data);
        Assert.True(code == 0, said);
        while (EndProcess.IsAlive(worker) || EndProcess.IsAlive(standby))
            await Task.Delay(10, Cancel);
        await Server.StartAgainAsync(Cancel);
    }

    [Fact(Timeout = 120_000)]
    public async Task Functions_and_the_worker_that_stands_by_are_ended_when_their_server_crashed()
    {
        _ = await Client.StartAsync(await LabAsync(), """{"do":"slow-log","lines":1,"pause":60}""", Cancel);
        var (worker, standby) = (Server.WorkerPid, await StandbyAsync());
        await Server.KillAsync(Cancel);
        Assert.Equal([worker], await LeftWorker.EndAllAsync(Server.Data, TimeProvider.System, Cancel));
        Assert.False(EndProcess.IsAlive(standby));
        Assert.Null(Server.FindWorker());
        await Server.StartAgainAsync(Cancel);
    }

    // Seconds from the kill to the second attempt.
    private Task<double> SecondBeganAsync(string id, double killed) => BeganAsync(id, 2, killed);

    private async Task<double> BeganAsync(string id, int attempt, double killed)
    {
        var view = await Client.EndAsync(id, Cancel);
        var result = JsonNode.Parse(await Client.TextAsync($"/api/invocations/{id}/result", Cancel))!;
        Assert.Equal(attempt, (int)view["attempt"]!);
        var seconds = (double)result["began"]! - killed;
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{id}: attempt {attempt} began {seconds * 1000:0} ms after the kill"));
        return seconds;
    }

    private async Task<int> StandbyAsync() => (await StandbysAsync(1))[0];

    // Those that wait for the lock, not one that is still starting; the one that is next is first.
    private async Task<List<int>> StandbysAsync(int count)
    {
        while (true)
        {
            var locks = await File.ReadAllLinesAsync("/proc/locks", Cancel);
            var waiting = Server.FindStandbys().ToDictionary(pid => pid, pid => Array.FindIndex(locks, line => line.Contains("-> FLOCK", StringComparison.Ordinal) && line.Contains($" {pid} ", StringComparison.Ordinal)));
            var found = waiting.Where(one => one.Value >= 0).OrderBy(one => one.Value).Select(one => one.Key).ToList();
            if (found.Count >= count)
                return found;
            await Task.Delay(10, Cancel);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_worker_that_hangs_is_given_up_after_its_lease_and_its_work_starts_again()
    {
        var id = await Client.StartAsync(await LabAsync(), FirstHangs, Cancel);
        await Client.SaysAsync(id, "hanging", Cancel);
        var worker = Server.WorkerPid;
        var stopped = NowSeconds;
        await RunningServer.SignalAsync(worker, "STOP", Cancel);
        var view = await Client.EndAsync(id, Cancel);
        var result = JsonNode.Parse(await Client.TextAsync($"/api/invocations/{id}/result", Cancel))!;
        Assert.Equal(("SUCCESS", 2), ((string)view["state"]!, (int)view["attempt"]!));
        Assert.InRange((double)result["began"]! - stopped, 1.8, 4);
        Assert.NotEqual(worker, Server.WorkerPid);
    }
}
