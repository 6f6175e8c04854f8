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
    [Fact]
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

    [Fact]
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

    [Fact]
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

    [Fact]
    public async Task A_worker_that_stands_by_is_found_by_the_next_server_and_ended_with_it()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"slow-log","lines":40,"pause":0.1}""", Cancel);
        var (worker, standby) = (Server.WorkerPid, await StandbyAsync());
        await Server.KillAsync(Cancel);
        await Server.StartAgainAsync(Cancel);
        Assert.Equal(("SUCCESS", 1), ((string)(await Client.EndAsync(id, Cancel))["state"]!, (int)(await Client.ViewAsync(id, Cancel))["attempt"]!));
        Assert.Equal((worker, standby), (Server.WorkerPid, await StandbyAsync()));
        var (code, said) = await Child.RunAsync(Cancel, Path.Combine(AppContext.BaseDirectory, "dure"), "down", "--data", Server.Data);
        Assert.True(code == 0, said);
        while (EndProcess.IsAlive(worker) || EndProcess.IsAlive(standby))
            await Task.Delay(10, Cancel);
        await Server.StartAgainAsync(Cancel);
    }

    [Fact]
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
    private async Task<double> SecondBeganAsync(string id, double killed)
    {
        var view = await Client.EndAsync(id, Cancel);
        var result = JsonNode.Parse(await Client.TextAsync($"/api/invocations/{id}/result", Cancel))!;
        Assert.Equal(2, (int)view["attempt"]!);
        var seconds = (double)result["began"]! - killed;
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{id}: second attempt began {seconds * 1000:0} ms after the kill"));
        return seconds;
    }

    // One that waits for the lock, not one that is still starting.
    private async Task<int> StandbyAsync()
    {
        while (true)
        {
            if (Server.FindStandby() is { } pid && (await File.ReadAllTextAsync("/proc/locks", Cancel)).Split('\n').Any(line => line.Contains("-> FLOCK", StringComparison.Ordinal) && line.Contains($" {pid} ", StringComparison.Ordinal)))
                return pid;
            await Task.Delay(10, Cancel);
        }
    }

    [Fact]
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
