using System.Globalization;
using Xunit;

namespace Dure.Test.Functions.Engine;

/// <summary>Retries, limits, timeouts and cancelling.</summary>
public sealed class EndTest(EngineFixture engine) : EngineTest(engine)
{
    private const string Retrying = "retries:\n  max: 2\n  first_delay: 200ms\n";

    [Fact]
    public async Task Retries_wait_longer_each_time_and_are_recorded_as_attempts()
    {
        var name = await FunctionAsync("retrying", Retrying);
        var view = await Client.EndAsync(await Client.StartAsync(name, """{"do":"fail-until","attempt":3}""", Cancel), Cancel);
        Assert.Equal("SUCCESS", (string?)view["state"]);
        var attempts = view["attempts"]!.AsArray();
        Assert.Equal("error error success", string.Join(' ', attempts.Select(a => (string)a!["outcome"]!)));
        double Gap(int n) => (Time(attempts[n]!["started_at"]) - Time(attempts[n - 1]!["finished_at"])).TotalMilliseconds;
        Assert.InRange(Gap(1), 100, 1500);
        Assert.InRange(Gap(2), 200, 2000);
    }

    [Fact]
    public async Task When_retries_are_used_up_the_last_error_is_the_invocations()
    {
        var name = await FunctionAsync("retrying", Retrying);
        var view = await Client.EndAsync(await Client.StartAsync(name, """{"do":"raise","why":"always"}""", Cancel), Cancel);
        Assert.Equal(("FAILED", 3), ((string)view["state"]!, (int)view["attempt"]!));
        Assert.Equal("no: always", (string?)view["error"]!["error_message"]);
    }

    [Fact]
    public async Task A_timeout_ends_the_attempt_and_is_named()
    {
        var name = await FunctionAsync("timed", "timeout: 500ms\n");
        var view = await Client.EndAsync(await Client.StartAsync(name, """{"do":"sleep","seconds":30}""", Cancel), Cancel);
        Assert.Equal("FAILED", (string?)view["state"]);
        Assert.Contains("timeout", (string?)view["reason"], StringComparison.Ordinal);
        Assert.Equal("timeout", (string?)view["attempts"]![0]!["outcome"]);
    }

    [Fact]
    public async Task A_running_function_that_ignores_TERM_is_killed_when_cancelled()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"ignore-term"}""", Cancel);
        await Client.SaysAsync(id, "deaf", Cancel);
        using var answer = await Client.SendAsync(HttpMethod.Post, $"/api/invocations/{id}/cancel", null, Cancel);
        Assert.True(answer.IsSuccessStatusCode);
        var view = await Client.EndAsync(id, Cancel);
        Assert.Equal(("CANCELLED", 1), ((string)view["state"]!, (int)view["attempt"]!));
        using var again = await Client.SendAsync(HttpMethod.Post, $"/api/invocations/{id}/cancel", null, Cancel);
        Assert.Equal(System.Net.HttpStatusCode.Conflict, again.StatusCode);
    }

    [Fact]
    public async Task What_waits_and_runs_of_a_deleted_function_is_cancelled_with_that_reason()
    {
        var name = await FunctionAsync("doomed", "instances: 1\n");
        var running = await Client.StartAsync(name, """{"do":"sleep","seconds":60}""", Cancel);
        await Client.SaysAsync(running, "begin 1", Cancel);
        var waiting = await Client.StartAsync(name, """{"do":"sleep","seconds":60}""", Cancel);
        using var answer = await Client.SendAsync(HttpMethod.Delete, $"/api/functions/{name}", null, Cancel);
        Assert.Equal(System.Net.HttpStatusCode.NoContent, answer.StatusCode);
        foreach (var id in new[] { running, waiting })
        {
            var view = await Client.EndAsync(id, Cancel);
            Assert.Equal("CANCELLED", (string?)view["state"]);
            Assert.StartsWith("the function was deleted by", (string?)view["reason"], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_waiting_invocation_is_cancelled_at_once_and_never_begins()
    {
        var name = await FunctionAsync("single", "instances: 1\n");
        var first = await Client.StartAsync(name, """{"do":"sleep","seconds":0.8}""", Cancel);
        await Client.SaysAsync(first, "begin", Cancel);
        var second = await Client.StartAsync(name, "2", Cancel);
        using var answer = await Client.SendAsync(HttpMethod.Post, $"/api/invocations/{second}/cancel", null, Cancel);
        Assert.True(answer.IsSuccessStatusCode);
        Assert.Equal("CANCELLED", (string?)(await Client.EndAsync(second, Cancel))["state"]);
        Assert.Equal("SUCCESS", (string?)(await Client.EndAsync(first, Cancel))["state"]);
        Assert.Equal("", await Client.LogsAsync(second, Cancel));
    }

    [Theory]
    [InlineData("memory", "memory")]
    [InlineData("fork-bomb", "Resource temporarily unavailable")]
    public async Task What_reaches_a_limit_ends_and_says_so_while_other_functions_go_on(string what, string named)
    {
        // Each its own processes: one that was refused a fork is ended a moment later, and with it the next call.
        var name = await FunctionAsync("small-" + what, "memory: 96MiB\nprocesses: 24\n");
        var lab = await LabAsync();
        var id = await Client.StartAsync(name, $$"""{"do":"{{what}}"}""", Cancel);
        var ended = Client.EndAsync(id, Cancel);
        while (!ended.IsCompleted)
        {
            Assert.Equal("5", await Client.ResultAsync(lab, "5", Cancel));
            await Task.Delay(20, Cancel);
        }
        var view = await ended;
        Assert.Equal("FAILED", (string?)view["state"]);
        Assert.Contains(named, (string?)view["reason"] + view["error"]?["error_message"], StringComparison.OrdinalIgnoreCase);
    }

    private static DateTimeOffset Time(System.Text.Json.Nodes.JsonNode? value) => DateTimeOffset.Parse((string)value!, CultureInfo.InvariantCulture);
}
