using System.Globalization;
using System.Text.Json.Nodes;
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
        {
            var view = await Client.EndAsync(id, Cancel);
            var result = JsonNode.Parse(await Client.TextAsync($"/api/invocations/{id}/result", Cancel))!;
            Assert.Equal(2, (int)view["attempt"]!);
            var seconds = (double)result["began"]! - killed;
            TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{id}: second attempt began {seconds * 1000:0} ms after the kill"));
            Assert.InRange(seconds, 0, 1);
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
