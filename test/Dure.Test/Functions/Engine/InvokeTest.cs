using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Dure.Test.Functions.Engine;

/// <summary>What callers are promised about invoking.</summary>
public sealed class InvokeTest(EngineFixture engine) : EngineTest(engine)
{
    private static readonly (string, string) Async = ("Prefer", "respond-async");

    [Fact]
    public async Task A_call_waits_for_the_result_and_names_its_invocation()
    {
        using var answer = await Client.InvokeAsync(await LabAsync(), """{"a":[1,"ü"]}""", Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("""{"a": [1, "ü"]}""".Replace(" ", "", StringComparison.Ordinal), Compact(await answer.Content.ReadAsStringAsync(Cancel)));
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("1", answer.Headers.GetValues("Dure-Attempt").Single());
        Assert.Equal("durable", answer.Headers.GetValues("Dure-Durability").Single());
        var view = await Client.ViewAsync(answer.Headers.GetValues("Dure-Invocation").Single(), Cancel);
        Assert.Equal("SUCCESS", (string?)view["state"]);
    }

    [Fact]
    public async Task An_asynchronous_call_is_accepted_with_the_address_of_its_invocation()
    {
        using var answer = await Client.InvokeAsync(await LabAsync(), "7", Cancel, Async);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var place = answer.Headers.Location!.ToString();
        Assert.StartsWith("/api/invocations/", place, StringComparison.Ordinal);
        var id = place[^13..];
        Assert.Equal("SUCCESS", (string?)(await Client.EndAsync(id, Cancel))["state"]);
        Assert.Equal("7", await Client.TextAsync(place + "/result", Cancel));
        Assert.Equal("7", await Client.TextAsync(place + "/payload", Cancel));
    }

    [Fact]
    public async Task A_wait_that_is_too_short_is_answered_with_202_and_the_call_goes_on()
    {
        using var answer = await Client.InvokeAsync(await LabAsync(), """{"do":"sleep","seconds":1.5}""", Cancel, ("Prefer", "wait=1"));
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal("SUCCESS", (string?)(await Client.EndAsync(answer.Headers.GetValues("Dure-Invocation").Single(), Cancel))["state"]);
    }

    [Fact]
    public async Task An_error_of_the_function_is_a_problem_with_its_stack()
    {
        using var answer = await Client.InvokeAsync(await LabAsync(), """{"do":"raise","why":"tested"}""", Cancel);
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!;
        Assert.Equal("DURE0210", (string?)problem["id"]);
        Assert.Equal("ValueError", (string?)problem["error"]!["error_type"]);
        Assert.Equal("no: tested", (string?)problem["error"]!["error_message"]);
        Assert.Contains(problem["error"]!["stack_trace"]!.AsArray(), line => ((string)line!).Contains("handler.py", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_same_key_and_event_is_one_invocation_and_another_event_is_refused()
    {
        var name = await LabAsync();
        var key = ("Idempotency-Key", "key-" + Path.GetRandomFileName());
        const string Event = """{"do":"sleep","seconds":0.3}""";
        var both = await Task.WhenAll(Client.InvokeAsync(name, Event, Cancel, key), Client.InvokeAsync(name, Event, Cancel, key));
        var bodies = new[] { await both[0].Content.ReadAsStringAsync(Cancel), await both[1].Content.ReadAsStringAsync(Cancel) };
        Assert.Equal(bodies[0], bodies[1]);
        using var later = await Client.InvokeAsync(name, Event, Cancel, key);
        Assert.Equal(bodies[0], await later.Content.ReadAsStringAsync(Cancel));
        Assert.Single(both.Append(later).Select(a => a.Headers.GetValues("Dure-Invocation").Single()).Distinct(StringComparer.Ordinal));
        using var accepted = await Client.InvokeAsync(name, Event, Cancel, key, Async);
        Assert.Equal(both[0].Headers.GetValues("Dure-Invocation").Single(), accepted.Headers.GetValues("Dure-Invocation").Single());
        using var other = await Client.InvokeAsync(name, "1", Cancel, key);
        Assert.Equal(HttpStatusCode.Conflict, other.StatusCode);
        Assert.Contains("DURE0203", await other.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        both[0].Dispose();
        both[1].Dispose();
    }

    [Fact]
    public async Task Five_mebibytes_go_in_and_out_through_files()
    {
        const int Bytes = 5 << 20;
        var name = await LabAsync();
        var body = "{\"do\":\"length\",\"data\":\"" + new string('y', Bytes) + "\"}";
        Assert.Equal(Bytes.ToString(CultureInfo.InvariantCulture), await Client.ResultAsync(name, body, Cancel));
        var id = await Client.StartAsync(name, $$"""{"do":"big","bytes":{{Bytes}}}""", Cancel);
        var view = await Client.EndAsync(id, Cancel);
        Assert.Equal(("SUCCESS", Bytes + 2L), ((string)view["state"]!, (long)view["result_bytes"]!));
        Assert.Equal(Bytes + 2, (await Client.TextAsync($"/api/invocations/{id}/result", Cancel)).Length);
        Assert.Equal(Bytes, (await Client.ResultAsync(name, $$"""{"do":"big","bytes":{{Bytes}}}""", Cancel)).Length - 2);
    }

    [Fact]
    public async Task An_event_over_the_limit_is_refused_and_a_result_over_it_names_the_limit()
    {
        const int Bytes = 9 << 20;
        var name = await LabAsync();
        using var answer = await Client.InvokeAsync(name, "\"" + new string('z', Bytes) + "\"", Cancel);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        var view = await Client.EndAsync(await Client.StartAsync(name, $$"""{"do":"big","bytes":{{Bytes}}}""", Cancel), Cancel);
        Assert.Equal("FAILED", (string?)view["state"]);
        Assert.Equal("limit", (string?)view["attempts"]![0]!["outcome"]);
    }

    [Fact]
    public async Task An_event_that_is_not_JSON_is_an_error_that_says_so_and_the_function_goes_on()
    {
        var name = await LabAsync();
        using var answer = await Client.InvokeAsync(name, "{no json", Cancel);
        Assert.False(answer.IsSuccessStatusCode);
        Assert.Contains("JSON", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.OrdinalIgnoreCase);
        Assert.Equal("1", await Client.ResultAsync(name, "1", Cancel));
    }

    [Fact]
    public async Task NUL_bytes_and_other_controls_come_back_as_they_went()
    {
        var name = await LabAsync();
        Assert.Equal("a\0b\u001f\ud83d\ude00", JsonNode.Parse(await Client.ResultAsync(name, "\"a\\u0000b\\u001f\\ud83d\\ude00\"", Cancel))!.GetValue<string>());
        using var answer = await Client.SendAsync(HttpMethod.Post, $"/api/functions/{name}/invocations", new ByteArrayContent([0, 1, 2, 0]), Cancel);
        Assert.False(answer.IsSuccessStatusCode);
        Assert.Equal("1", await Client.ResultAsync(name, "1", Cancel));
    }

    [Fact]
    public async Task A_streamed_result_arrives_in_pieces_while_the_function_works()
    {
        using var answer = await Client.InvokeAsync(await LabAsync(), """{"do":"stream","count":5,"pause":0.15}""", Cancel, ("Prefer", "stream"), ("Accept", "application/octet-stream"));
        await using var body = await answer.Content.ReadAsStreamAsync(Cancel);
        var text = new StringBuilder();
        var begun = TimeProvider.System.GetTimestamp();
        var arrivals = new List<double>();
        var buffer = new byte[4096];
        int count;
        while ((count = await body.ReadAsync(buffer, Cancel)) > 0)
        {
            arrivals.Add(TimeProvider.System.GetElapsedTime(begun).TotalMilliseconds);
            text.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }
        Assert.Equal("piece 0\npiece 1\npiece 2\npiece 3\npiece 4\n", text.ToString());
        Assert.True(arrivals.Count >= 3 && arrivals[^1] - arrivals[0] > 300, $"arrivals at {string.Join(' ', arrivals)} ms");
    }

    [Fact]
    public async Task A_slow_reader_gets_all_of_a_streamed_result_although_its_function_ended_long_ago()
    {
        const int Pieces = 112;
        var name = await LabAsync();
        using var answer = await Client.InvokeAsync(name, $$"""{"do":"stream-big","pieces":{{Pieces}}}""", Cancel, ("Prefer", "stream"));
        Assert.Equal("durable", answer.Headers.GetValues("Dure-Durability").Single());
        var view = await Client.EndAsync(answer.Headers.GetValues("Dure-Invocation").Single(), Cancel);
        Assert.Equal("SUCCESS", (string?)view["state"]);
        Assert.Equal(Pieces * 65536, (await answer.Content.ReadAsByteArrayAsync(Cancel)).Length);
    }

    [Fact]
    public async Task A_batch_with_bad_lines_runs_nothing_and_names_them_all()
    {
        var name = await FunctionAsync("batch", "memory: 256MiB\n");
        using var refused = await Client.SendAsync(HttpMethod.Post, $"/api/functions/{name}/invocations/batch", new StringContent("1\n{\n3\n]\n"), Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        var problem = JsonNode.Parse(await refused.Content.ReadAsStringAsync(Cancel))!;
        Assert.Equal("line 2 line 4", string.Join(' ', problem["faults"]!.AsArray().Select(f => (string)f!["where"]!)));
        Assert.Empty((await Client.GetAsync($"/api/invocations?function={name}", Cancel))["items"]!.AsArray());
        using var taken = await Client.SendAsync(HttpMethod.Post, $"/api/functions/{name}/invocations/batch", new StringContent("1\n\n2"), Cancel);
        Assert.Equal(HttpStatusCode.Accepted, taken.StatusCode);
        var ids = JsonNode.Parse(await taken.Content.ReadAsStringAsync(Cancel))!["ids"]!.AsArray();
        Assert.Equal(2, ids.Count);
        Assert.Equal("SUCCESS", (string?)(await Client.EndAsync((string)ids[1]!, Cancel))["state"]);
        Assert.Equal("2", await Client.TextAsync($"/api/invocations/{ids[1]}/result", Cancel));
    }

    [Fact]
    public async Task A_key_that_belongs_to_schedules_is_refused()
    {
        using var answer = await Client.InvokeAsync(await LabAsync(), "1", Cancel, ("Idempotency-Key", "schedule:1795636800000"));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("Idempotency-Key", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_relaxed_call_can_be_looked_at_and_cancelled_while_it_runs_and_is_recorded_with_all_its_attempts()
    {
        var name = await FunctionAsync("relaxed", "memory: 256MiB\ndurability: relaxed\nretries: 1\n");
        using var events = await Client.SendAsync(HttpMethod.Get, $"/api/functions/{name}/events", null, Cancel);
        var running = Client.InvokeAsync(name, """{"do":"sleep","seconds":30}""", Cancel);
        using var lines = new StreamReader(await events.Content.ReadAsStreamAsync(Cancel));
        var id = "";
        while (id.Length == 0 && await lines.ReadLineAsync(Cancel) is { } line)
            id = line.StartsWith("data: ", StringComparison.Ordinal) ? (string)JsonNode.Parse(line[6..])!["id"]! : "";
        Assert.Equal("PROCESSING", (string?)(await Client.ViewAsync(id, Cancel))["state"]);
        await Client.SaysAsync(id, "begin", Cancel);
        using var asked = await Client.SendAsync(HttpMethod.Post, $"/api/invocations/{id}/cancel", null, Cancel);
        Assert.Equal(HttpStatusCode.Accepted, asked.StatusCode);
        using var cancelled = await running;
        Assert.Equal(HttpStatusCode.Conflict, cancelled.StatusCode);
        Assert.Equal("relaxed", cancelled.Headers.GetValues("Dure-Durability").Single());
        Assert.Equal("CANCELLED", (string?)(await Client.ViewAsync(id, Cancel))["state"]);
        using var failed = await Client.InvokeAsync(name, """{"do":"raise"}""", Cancel);
        var view = await Client.ViewAsync(failed.Headers.GetValues("Dure-Invocation").Single(), Cancel);
        Assert.Equal("error error", string.Join(' ', view["attempts"]!.AsArray().Select(a => (string)a!["outcome"]!)));
    }

    [Fact]
    public async Task What_can_never_run_on_this_machine_fails_at_once_and_says_what_it_lacks()
    {
        var id = await Client.StartAsync(await FunctionAsync("giant", "memory: 900GiB\n"), "1", Cancel);
        var view = await Client.EndAsync(id, Cancel);
        Assert.Equal("FAILED", (string?)view["state"]);
        Assert.StartsWith("memory: its limit of 900", (string)view["reason"]!, StringComparison.Ordinal);
        var gpus = await Client.EndAsync(await Client.StartAsync(await FunctionAsync("gpus", "gpu: 9\n"), "1", Cancel), Cancel);
        Assert.StartsWith("gpu: it asks for 9 of the", (string)gpus["reason"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_one_of_two_in_a_process_lets_the_other_run_again_without_a_death()
    {
        var name = await FunctionAsync("pair", "memory: 256MiB\nconcurrency: 2\ninstances: 1\n");
        var neighbour = await Client.StartAsync(name, """{"do":"sleep","seconds":2}""", Cancel);
        var cancelled = await Client.StartAsync(name, """{"do":"sleep","seconds":60}""", Cancel);
        await Client.SaysAsync(neighbour, "begin", Cancel);
        await Client.SaysAsync(cancelled, "begin", Cancel);
        using var asked = await Client.SendAsync(HttpMethod.Post, $"/api/invocations/{cancelled}/cancel", null, Cancel);
        Assert.Equal("CANCELLED", (string?)(await Client.EndAsync(cancelled, Cancel))["state"]);
        var view = await Client.EndAsync(neighbour, Cancel);
        Assert.Equal("SUCCESS", (string?)view["state"]);
        Assert.Equal("displaced success", string.Join(' ', view["attempts"]!.AsArray().Select(a => (string)a!["outcome"]!)));
        Assert.Contains(cancelled, (string)view["attempts"]![0]!["reason"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lists_are_filtered_and_paged()
    {
        var name = await FunctionAsync("listed", "");
        for (var i = 0; i < 5; i++)
            await Client.ResultAsync(name, i.ToString(CultureInfo.InvariantCulture), Cancel);
        (await Client.InvokeAsync(name, """{"do":"raise","why":"needle"}""", Cancel)).Dispose();
        var all = (await Client.GetAsync($"/api/invocations?function={name}", Cancel))["items"]!.AsArray().Select(i => (string)i!["id"]!).ToList();
        Assert.Equal(6, all.Count);
        Assert.Equal(string.Join(' ', all.OrderDescending(StringComparer.Ordinal)), string.Join(' ', all));
        var failed = (await Client.GetAsync($"/api/invocations?function={name}&state=failed&text=needle", Cancel))["items"]!.AsArray();
        Assert.Equal(all[0], (string?)Assert.Single(failed)!["id"]);
        var paged = new List<string>();
        string? cursor = null;
        do
        {
            var page = await Client.GetAsync($"/api/invocations?function={name}&limit=4" + (cursor is null ? "" : "&cursor=" + cursor), Cancel);
            paged.AddRange(page["items"]!.AsArray().Select(i => (string)i!["id"]!));
            cursor = (string?)page["next"];
        }
        while (cursor is not null);
        Assert.Equal(string.Join(' ', all), string.Join(' ', paged));
        using var bad = await Client.SendAsync(HttpMethod.Get, "/api/invocations?state=nonsense&limit=0", null, Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, bad.StatusCode);
    }

    [Fact]
    public async Task A_rerun_is_a_new_invocation_of_the_same_version_and_event()
    {
        var id = await Client.StartAsync(await LabAsync(), "[3]", Cancel);
        await Client.EndAsync(id, Cancel);
        using var answer = await Client.SendAsync(HttpMethod.Post, $"/api/invocations/{id}/rerun", null, Cancel);
        var again = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!;
        Assert.Equal(("rerun", id), ((string)again["trigger"]!, (string)again["rerun_of"]!));
        await Client.EndAsync((string)again["id"]!, Cancel);
        Assert.Equal("[3]", await Client.TextAsync($"/api/invocations/{again["id"]}/result", Cancel));
    }

    private static string Compact(string json) => JsonNode.Parse(json)!.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
