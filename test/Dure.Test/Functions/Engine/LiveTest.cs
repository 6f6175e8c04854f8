using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Dure.Host.Live;
using Xunit;

namespace Dure.Test.Functions.Engine;

/// <summary>One stream for all that a page watches, on a running server.</summary>
public sealed class LiveTest(EngineFixture engine) : EngineTest(engine)
{
    [Fact]
    public async Task A_call_is_told_to_all_who_watch_it_by_any_of_its_names()
    {
        var name = await LabAsync();
        await using var all = await LiveStream.OpenAsync(Client, "invocations", Cancel);
        await using var its = await LiveStream.OpenAsync(Client, $"function:{name}", Cancel);
        await using var other = await LiveStream.OpenAsync(Client, "function:another,overview", Cancel);
        var id = await Client.StartAsync(name, """{"do":"sleep","seconds":1.5}""", Cancel);
        await using var one = await LiveStream.OpenAsync(Client, $"invocation:{id}", Cancel);
        foreach (var stream in new[] { all, its, one })
        {
            var told = await stream.UntilAsync(e => Is(e, id, "SUCCESS"), Cancel);
            Assert.Contains(told, e => Is(e, id, "PROCESSING"));
            Assert.All(told.Where(e => e.Name == "invocation"), e => Assert.Null(e.Data["attempts"]));
        }
        await other.UntilAsync(e => e.Name == "overview", Cancel);
        Assert.DoesNotContain(other.Taken(), e => e.Name == "invocation");
    }

    [Fact]
    public async Task A_log_is_told_from_any_byte_each_byte_once_also_over_a_cut()
    {
        var id = await Client.StartAsync(await LabAsync(), """{"do":"slow-log","lines":60,"pause":0.03}""", Cancel);
        await Client.SaysAsync(id, "line 5", Cancel);
        var read = new StringBuilder();
        string? cut;
        await using (var first = await LiveStream.OpenAsync(Client, $"log:{id}@0", Cancel))
        {
            Read(await first.UntilAsync(e => e.Name == "log", Cancel), read);
            var second = await first.UntilAsync(e => e.Name == "log", Cancel);
            Read(second, read);
            cut = second[^1].Id;
            Assert.NotNull(cut);
        }
        // As a browser comes back: the same address, and the id of the last event.
        await using (var again = await LiveStream.OpenAsync(Client, $"log:{id}@0", Cancel, lastEventId: cut))
            Read(await again.UntilAsync(e => e.Name == "log" && Joined(e).Contains("line 59", StringComparison.Ordinal), Cancel), read);
        var log = await Client.LogsAsync(id, Cancel);
        Assert.Equal(log, read.ToString());
        foreach (var offset in new[] { 1, 77, log.IndexOf('\n', StringComparison.Ordinal) + 1, log.Length / 2, log.Length - 3 })
        {
            await using var part = await LiveStream.OpenAsync(Client, string.Create(CultureInfo.InvariantCulture, $"log:{id}@{offset}"), Cancel, after: cut);
            var told = new StringBuilder();
            while (told.Length < log.Length - offset)
                Read([await part.NextAsync(Cancel)], told);
            Assert.Equal(log[offset..], told.ToString());
        }
    }

    [Fact]
    public async Task A_flood_of_calls_is_told_in_few_words_and_what_is_watched_by_itself_is_still_told()
    {
        var name = await LabAsync();
        var watched = await Client.StartAsync(name, """{"do":"sleep","seconds":4}""", Cancel);
        await using var stream = await LiveStream.OpenAsync(Client, $"invocations,invocation:{watched}", Cancel);
        await stream.NextAsync(Cancel);
        var begun = TimeProvider.System.GetTimestamp();
        var ids = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            using var answer = await Client.SendAsync(HttpMethod.Post, $"/api/functions/{name}/invocations/batch", new StringContent(string.Concat(Enumerable.Repeat("1\n", 1000))), Cancel);
            ids.AddRange(JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!["ids"]!.AsArray().Select(one => (string)one!));
        }
        foreach (var id in ids)
            await Client.EndAsync(id, Cancel);
        var seconds = TimeProvider.System.GetElapsedTime(begun).TotalSeconds;
        await Client.EndAsync(watched, Cancel);
        var told = stream.Taken();
        told.AddRange(told.Any(e => Is(e, watched, "SUCCESS")) ? [] : await stream.UntilAsync(e => Is(e, watched, "SUCCESS"), Cancel));
        TestContext.Current.TestOutputHelper!.WriteLine($"{ids.Count / seconds:0} a second: {told.Count} events, {told.Count(e => e.Name == "more")} of them `more`");
        Assert.Contains(told, e => e.Name == "more" && (string?)e.Data["topic"] == "invocations");
        // Five flushes a second at most, for a clock that is a little off, and no flush of more than 200 changes.
        var flushes = told.GroupBy(e => (int)(e.At.TotalMilliseconds / 1000));
        Assert.All(flushes, second => Assert.InRange(second.Count(e => e.Name == "invocation"), 0, 6 * LiveFeed.ChangesMost));
        Assert.All(flushes, second => Assert.InRange(second.Count(e => e.Name == "more"), 0, 6));
    }

    [Fact]
    public async Task Who_reads_nothing_hurts_nobody()
    {
        var name = await LabAsync();
        var id = await Client.StartAsync(name, """{"do":"log","lines":15000,"width":50}""", Cancel);
        await Client.EndAsync(id, Cancel);
        using var deaf = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await deaf.ConnectAsync(Server.Url.Host, Server.Url.Port, Cancel);
        await deaf.SendAsync(Encoding.ASCII.GetBytes($"GET /api/live?topics=invocations,log:{id}@0 HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {Server.Token}\r\n\r\n"), Cancel);
        await using var heard = await LiveStream.OpenAsync(Client, "invocations", Cancel);
        await heard.NextAsync(Cancel);
        var before = Server.ResidentBytes();
        for (var i = 0; i < 5; i++)
        {
            for (var n = 0; n < 150; n++)
                await Client.ResultAsync(name, "1", Cancel);
            var last = await Client.StartAsync(name, "2", Cancel);
            await heard.UntilAsync(e => Is(e, last, "SUCCESS"), Cancel);
        }
        Assert.InRange(Server.ResidentBytes() - before, long.MinValue, 64 << 20);
    }

    [Fact]
    public async Task A_token_that_may_only_read_watches_until_it_is_revoked_and_one_that_may_not_read_does_not()
    {
        var (viewer, id) = await TokenAsync("viewer", "read");
        await using var stream = await LiveStream.OpenAsync(new EngineClient(Server, TimeProvider.System, viewer), "invocations,workers,functions,storage,overview", Cancel);
        // Which comes first, a figure of the overview or the beat, is open.
        await stream.UntilAsync(e => e.Name == "beat", Cancel);
        using (await Client.SendAsync(HttpMethod.Delete, $"/api/tokens/{id}", null, Cancel))
            await stream.Ended.WaitAsync(TimeSpan.FromSeconds(20), Cancel);
        Assert.True(stream.EndedWell);
        var (blind, _) = await TokenAsync("blind", "invoke");
        using var refused = await new EngineClient(Server, TimeProvider.System, blind).SendAsync(HttpMethod.Get, "/api/live?topics=invocations", null, Cancel);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Theory]
    [InlineData("", "Nothing is asked for")]
    [InlineData("weather", "'weather' is none of")]
    [InlineData("invocation", "'invocation' is none of")]
    [InlineData("invocation:short", "names no invocation")]
    [InlineData("log:3f2k0a1b2c3d4@-1", "names no invocation")]
    public async Task Topics_that_make_no_sense_are_named(string topics, string expected)
    {
        using var answer = await Client.SendAsync(HttpMethod.Get, $"/api/live?topics={Uri.EscapeDataString(topics)}", null, Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.Contains("DURE0752", problem, StringComparison.Ordinal);
        Assert.Contains(expected, JsonNode.Parse(problem)!["faults"]!.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_function_that_is_deployed_or_removed_is_told()
    {
        await using var stream = await LiveStream.OpenAsync(Client, "functions", Cancel);
        await stream.NextAsync(Cancel);
        await Client.DeployAsync("passing", Cancel, ("handler.py", "def handler(event, context):\n    return event\n"));
        await stream.UntilAsync(e => e.Name == "functions" && (string?)e.Data["name"] == "passing", Cancel);
        stream.Taken();
        using var gone = await Client.SendAsync(HttpMethod.Delete, "/api/functions/passing", null, Cancel);
        await stream.UntilAsync(e => e.Name == "functions" && (string?)e.Data["name"] == "passing", Cancel);
    }

    internal static bool Is(LiveEvent one, string id, string state) => one.Name == "invocation" && (string?)one.Data["id"] == id && (string?)one.Data["state"] == state;

    private static string Joined(LiveEvent one) => string.Concat(one.Data["lines"]!.AsArray().Select(line => (string?)line + "\n"));

    private static void Read(IEnumerable<LiveEvent> events, StringBuilder into)
    {
        foreach (var one in events.Where(e => e.Name == "log"))
            into.Append(Joined(one));
    }

    private async Task<(string Token, string Id)> TokenAsync(string name, string scope)
    {
        using var answer = await Client.SendAsync(HttpMethod.Post, "/api/tokens", new StringContent($$"""{"name":"{{name}}","scopes":["{{scope}}"]}""", Encoding.UTF8, "application/json"), Cancel);
        var made = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!;
        return ((string)made["token"]!, (string)made["id"]!);
    }
}
