using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace Dure.Test.Functions.Engine;

/// <summary>What happens when a process, the worker or the server is killed or stopped while functions run.</summary>
[Trait("speed", "slow")]
public sealed partial class LossTest(EngineFixture engine) : EngineTest(engine)
{
    [Fact]
    public async Task A_killed_function_process_is_followed_by_a_second_attempt_that_knows_it_may_have_run()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"die-until","attempt":2}""", Cancel);
        var view = await Client.EndAsync(id, Cancel);
        Assert.Equal("SUCCESS", (string?)view["state"]);
        Assert.True((bool)view["may_have_run"]!);
        Assert.Equal("worker-lost success", Outcomes(view));
        Assert.Equal("""{"attempt":2,"may_have_run":true}""", Compact(await Client.TextAsync($"/api/invocations/{id}/result", Cancel)));
    }

    [Fact]
    public async Task A_killed_server_is_followed_by_one_that_takes_up_the_result_of_the_same_attempt()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"sleep","seconds":1.5}""", Cancel);
        await Client.SaysAsync(id, "begin", Cancel);
        await Server.KillAsync(Cancel);
        await Server.StartAgainAsync(Cancel);
        var view = await Client.EndAsync(id, Cancel);
        Assert.Equal("SUCCESS", (string?)view["state"]);
        Assert.Equal(1, (int)view["attempt"]!);
        Assert.Single(Begins().Matches(await Client.LogsAsync(id, Cancel)));
    }

    [Fact]
    public async Task The_precedence_of_a_workers_start_is_not_handed_on_to_functions_nor_kept()
    {
        var usual = Niceness(Server.Pid);
        Assert.Equal(usual, int.Parse(await Client.ResultAsync(await LabAsync(), """{"do":"niceness"}""", Cancel), CultureInfo.InvariantCulture));
        Assert.Equal((usual, usual), (Niceness(Server.WorkerPid), SessionNiceness(Server.WorkerPid)));
        var killed = Server.WorkerPid;
        await RunningServer.SignalAsync(killed, "KILL", Cancel);
        // Until the next one is connected the call could still be answered by a process of the old one, which dies a moment after it.
        while ((await Client.GetAsync("/api/status", Cancel))["workers"]!.AsArray().All(worker => (int)worker!["pid"]! == killed))
            await Task.Delay(10, Cancel);
        Assert.Equal(usual, int.Parse(await Client.ResultAsync(await LabAsync(), """{"do":"niceness"}""", Cancel), CultureInfo.InvariantCulture));
        Assert.Equal((usual, usual), (Niceness(Server.WorkerPid), SessionNiceness(Server.WorkerPid)));
    }

    // proc(5): the 19th field of stat, counted after the name, which may hold spaces.
    private static int Niceness(int pid) => Directory.EnumerateDirectories($"/proc/{pid}/task")
        .Select(task => int.Parse(File.ReadAllText(task + "/stat").Split(") ")[^1].Split(' ')[16], CultureInfo.InvariantCulture)).Distinct().Single();

    // sched(7): "/autogroup-12 nice 0".
    private static int SessionNiceness(int pid) => int.Parse(File.ReadAllText($"/proc/{pid}/autogroup").Split(' ')[^1], CultureInfo.InvariantCulture);

    [Fact]
    public async Task A_result_that_came_while_no_server_was_there_is_not_run_again()
    {
        var name = await LabAsync();
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
            ids.Add(await Client.StartAsync(name, """{"do":"sleep","seconds":0.8}""", Cancel));
        foreach (var id in ids)
            await Client.SaysAsync(id, "begin", Cancel);
        await Server.KillAsync(Cancel);
        await Task.Delay(1000, Cancel);
        await Server.StartAgainAsync(Cancel);
        foreach (var id in ids)
        {
            var view = await Client.EndAsync(id, Cancel);
            Assert.Equal(("SUCCESS", 1), ((string)view["state"]!, (int)view["attempt"]!));
            Assert.Single(Begins().Matches(await Client.LogsAsync(id, Cancel)));
        }
    }

    [Fact]
    public async Task Work_survives_the_loss_of_the_server_and_the_worker_together()
    {
        var id = await Client.StartAsync(await LabAsync(), FirstHangs, Cancel);
        await Client.SaysAsync(id, "hanging", Cancel);
        await LoseServerAndWorkerAsync();
        var view = await Client.EndAsync(id, Cancel);
        Assert.Equal("SUCCESS", (string?)view["state"]);
        Assert.Equal("controller-lost success", Outcomes(view));
    }

    [Fact]
    public async Task A_server_that_was_stopped_for_longer_than_the_lease_goes_on_with_the_same_worker_and_attempt()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"sleep","seconds":3.5}""", Cancel);
        await Client.SaysAsync(id, "begin", Cancel);
        await RunningServer.SignalAsync(Server.Pid, "STOP", Cancel);
        await Task.Delay(2700, Cancel);
        await RunningServer.SignalAsync(Server.Pid, "CONT", Cancel);
        var view = await Client.EndAsync(id, Cancel);
        Assert.Equal(("SUCCESS", 1), ((string)view["state"]!, (int)view["attempt"]!));
    }

    [Fact]
    public async Task At_most_once_ends_unknown_instead_of_running_again()
    {
        var name = await FunctionAsync("once", "at_most_once: true\n");
        var id = await Client.StartAsync(name, """{"do":"die"}""", Cancel);
        var view = await Client.EndAsync(id, Cancel);
        Assert.Equal(("UNKNOWN", 1), ((string)view["state"]!, (int)view["attempt"]!));
        Assert.Single(Begins().Matches(await Client.LogsAsync(id, Cancel)));
    }

    [Fact]
    public async Task What_keeps_killing_its_process_is_dead_lettered()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"die"}""", Cancel);
        var view = await Client.EndAsync(id, Cancel);
        Assert.Equal(("FAILED", 3), ((string)view["state"]!, (int)view["attempt"]!));
        Assert.StartsWith("dead-lettered after 3", (string)view["reason"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_finished_step_is_not_run_again_on_the_second_attempt()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"steps"}""", Cancel);
        var view = await Client.EndAsync(id, Cancel);
        Assert.Equal(("SUCCESS", 2), ((string)view["state"]!, (int)view["attempt"]!));
        Assert.Equal("42", await Client.TextAsync($"/api/invocations/{id}/result", Cancel));
        Assert.Single(Regex.Matches(await Client.LogsAsync(id, Cancel), "step one runs", RegexOptions.None, TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task A_checkpoint_folder_survives_a_killed_process()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"checkpoint"}""", Cancel);
        var view = await Client.EndAsync(id, Cancel);
        Assert.Equal(("SUCCESS", 3), ((string)view["state"]!, (int)view["attempt"]!));
        Assert.Equal("2", await Client.TextAsync($"/api/invocations/{id}/result", Cancel));
    }

    [Fact]
    public async Task Steps_that_together_do_not_fit_into_a_frame_are_not_run_again()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"big-steps"}""", Cancel);
        var view = await Client.EndAsync(id, Cancel);
        Assert.Equal(("SUCCESS", 2), ((string)view["state"]!, (int)view["attempt"]!));
        Assert.Equal("1800000", await Client.TextAsync($"/api/invocations/{id}/result", Cancel));
        Assert.Equal(3, Regex.Count(await Client.LogsAsync(id, Cancel), "a heavy step runs", RegexOptions.None, TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task A_checkpoint_folder_survives_the_loss_of_the_server_and_the_worker_together()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"checkpoint-hangs"}""", Cancel);
        await Client.SaysAsync(id, "hanging", Cancel);
        await LoseServerAndWorkerAsync();
        var view = await Client.EndAsync(id, Cancel);
        Assert.Equal("controller-lost success", Outcomes(view));
        Assert.Equal("\"kept\"", await Client.TextAsync($"/api/invocations/{id}/result", Cancel));
    }

    [Fact]
    public async Task A_worker_that_hung_before_its_server_died_is_replaced_by_the_next_server()
    {
        var id = await Client.StartAsync(await LabAsync(), FirstHangs, Cancel);
        await Client.SaysAsync(id, "hanging", Cancel);
        var worker = Server.WorkerPid;
        await RunningServer.SignalAsync(worker, "STOP", Cancel);
        await Server.KillAsync(Cancel);
        await Server.StartAgainAsync(Cancel);
        var view = await Client.EndAsync(id, Cancel);
        Assert.Equal(("SUCCESS", 2), ((string)view["state"]!, (int)view["attempt"]!));
        Assert.NotEqual(worker, Server.WorkerPid);
    }

    private async Task LoseServerAndWorkerAsync()
    {
        var worker = Server.WorkerPid;
        await Server.KillAsync(Cancel);
        await RunningServer.SignalAsync(worker, "KILL", Cancel);
        await Server.StartAgainAsync(Cancel);
    }

    private static string Outcomes(JsonNode view) => string.Join(' ', view["attempts"]!.AsArray().Select(a => (string)a!["outcome"]!));

    private static string Compact(string json) => JsonNode.Parse(json)!.ToJsonString();

    [GeneratedRegex("begin \\d+ ", RegexOptions.NonBacktracking)]
    private static partial Regex Begins();
}
