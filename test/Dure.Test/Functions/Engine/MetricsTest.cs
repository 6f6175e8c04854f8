using Xunit;

namespace Dure.Test.Functions.Engine;

/// <summary>What /metrics says of functions.</summary>
public sealed class MetricsTest(EngineFixture engine) : EngineTest(engine)
{
    [Fact]
    public async Task Attempts_starts_ends_and_times_are_counted_by_function()
    {
        var name = await FunctionAsync("metered", "memory: 256MiB\n");
        for (var n = 0; n < 2; n++)
            await Client.ResultAsync(name, "1", Cancel);
        await Client.EndAsync(await Client.StartAsync(name, """{"do":"raise","why":"metrics"}""", Cancel), Cancel);
        var running = await Client.StartAsync(name, """{"do":"sleep","seconds":1}""", Cancel);
        await Client.SaysAsync(running, "begin 1", Cancel);
        var lines = await LinesAsync(name);
        Assert.Equal("2", lines["dure_function_attempts_total{function=\"metered\",outcome=\"success\"}"]);
        Assert.Equal("1", lines["dure_function_attempts_total{function=\"metered\",outcome=\"error\"}"]);
        Assert.Equal("1", lines["dure_function_starts_total{function=\"metered\",start=\"cold\"}"]);
        Assert.Equal("2", lines["dure_function_starts_total{function=\"metered\",start=\"warm\"}"]);
        Assert.Equal("2", lines["dure_function_invocations_total{function=\"metered\",state=\"success\",reason=\"\"}"]);
        Assert.Equal("1", lines["dure_function_invocations_total{function=\"metered\",state=\"failed\",reason=\"error\"}"]);
        Assert.Equal("3", lines["dure_function_duration_seconds_count{function=\"metered\"}"]);
        Assert.Equal("3", lines["dure_function_wait_seconds_count{function=\"metered\"}"]);
        Assert.Equal("1", lines["dure_function_running{function=\"metered\"}"]);
        Assert.Equal("0", lines["dure_function_waiting{function=\"metered\"}"]);
        await Client.EndAsync(running, Cancel);
        Assert.Equal("0", (await LinesAsync(name))["dure_function_running{function=\"metered\"}"]);
    }

    private async Task<Dictionary<string, string>> LinesAsync(string function) => (await Client.TextAsync("/metrics", Cancel)).Split('\n')
        .Where(line => line.Contains($"function=\"{function}\"", StringComparison.Ordinal))
        .Select(line => line.Split(' ')).ToDictionary(words => words[0], words => words[1], StringComparer.Ordinal);
}
