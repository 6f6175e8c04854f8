using System.Net;
using System.Text;
using Xunit;

namespace Dure.Test.Functions.Engine;

/// <summary>Logs as bytes and as events.</summary>
public sealed class LogTest(EngineFixture engine) : EngineTest(engine)
{
    [Fact]
    public async Task Lines_carry_time_attempt_and_stream_and_any_range_can_be_asked_for()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"log","lines":20}""", Cancel);
        await Client.EndAsync(id, Cancel);
        var text = await Client.LogsAsync(id, Cancel);
        var lines = text.TrimEnd('\n').Split('\n');
        Assert.Equal(21, lines.Length);
        Assert.All(lines, line => Assert.Matches("^20\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z 1 out ", line));
        using var part = await Client.SendAsync(HttpMethod.Get, $"/api/invocations/{id}/logs", null, Cancel, ("Range", "bytes=10-29"));
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(text[10..30], await part.Content.ReadAsStringAsync(Cancel));
    }

    [Fact]
    public async Task A_follower_sees_lines_while_the_function_runs_and_ends_with_it()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"slow-log","lines":15,"pause":0.2}""", Cancel);
        using var answer = await Client.SendAsync(HttpMethod.Get, $"/api/invocations/{id}/logs?follow=true", null, Cancel);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(Cancel));
        var begun = TimeProvider.System.GetTimestamp();
        var seen = new List<(double Ms, string Line)>();
        while (await reader.ReadLineAsync(Cancel) is { } line)
            seen.Add((TimeProvider.System.GetElapsedTime(begun).TotalMilliseconds, line));
        Assert.Equal(16, seen.Count);
        Assert.True(seen[^1].Ms - seen[0].Ms > 300, "all lines came at once");
    }

    [Fact]
    public async Task Events_can_be_resumed_where_they_were_cut()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"slow-log","lines":8,"pause":0.1}""", Cancel);
        await Client.SaysAsync(id, "line 1", Cancel);
        var (first, last) = await EventsAsync(id, null, stopAfterLogs: true);
        await Client.EndAsync(id, Cancel);
        var (rest, _) = await EventsAsync(id, last, stopAfterLogs: false);
        Assert.Contains("event: end", rest, StringComparison.Ordinal);
        Assert.Contains("\"state\":\"SUCCESS\"", rest, StringComparison.Ordinal);
        for (var i = 0; i < 8; i++)
            Assert.Equal(1, Count(first, $"line {i}\"") + Count(rest, $"line {i}\""));
    }

    [Fact]
    public async Task A_log_can_be_fetched_at_any_moment_while_it_grows()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"slow-log","lines":300,"pause":0.003}""", Cancel);
        var ended = Client.EndAsync(id, Cancel);
        var (seen, answers) = (0, 0);
        while (!ended.IsCompleted)
        {
            var text = await Client.LogsAsync(id, Cancel);
            Assert.True(text.Length >= seen, "the log became shorter");
            Assert.True(text.Length == 0 || text[^1] == '\n', "a line was cut");
            (seen, answers) = (text.Length, answers + 1);
        }
        Assert.InRange(answers, 20, int.MaxValue);
        Assert.Contains("line 299", await Client.LogsAsync(id, Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ten_million_lines_reach_the_limit_say_so_and_leave_the_server_small()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"flood","lines":10000000}""", Cancel);
        var ended = Client.EndAsync(id, Cancel);
        long most = 0;
        while (!ended.IsCompleted)
        {
            most = Math.Max(most, Server.ResidentBytes());
            await Task.Delay(20, Cancel);
        }
        Assert.Equal("SUCCESS", (string?)(await ended)["state"]);
        var text = await Client.LogsAsync(id, Cancel);
        Assert.InRange(text.Length, 1 << 20, 2 << 20);
        Assert.Contains(" sys the log limit of 1048576 bytes an attempt is reached", text, StringComparison.Ordinal);
        Assert.Contains("bytes of output are not in this log", text, StringComparison.Ordinal);
        TestContext.Current.TestOutputHelper!.WriteLine($"server memory at most {most >> 20} MiB");
        Assert.InRange(most, 0, 300L << 20);
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    private async Task<(string Text, string LastId)> EventsAsync(string id, string? after, bool stopAfterLogs)
    {
        (string, string)[] headers = after is null ? [] : [("Last-Event-ID", after)];
        using var answer = await Client.SendAsync(HttpMethod.Get, $"/api/invocations/{id}/events", null, Cancel, headers);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(Cancel));
        var text = new StringBuilder();
        var last = "";
        var logs = false;
        while (await reader.ReadLineAsync(Cancel) is { } line)
        {
            text.Append(line).Append('\n');
            if (line.StartsWith("id: ", StringComparison.Ordinal))
                last = line[4..];
            logs |= line == "event: log";
            if (line.Length == 0 && logs && stopAfterLogs)
                break;
        }
        return (text.ToString(), last);
    }
}
