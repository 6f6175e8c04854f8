using System.Text;
using System.Text.Json;
using Xunit;

namespace Dure.Test.Functions.Runtimes;

/// <summary>What every shim with a handler inside its process promises besides <see cref="ShimContract"/>: steps, streams, concurrency.</summary>
public abstract class HandlerContract : ShimContract
{
    [Fact]
    public async Task A_step_is_sent_and_the_function_waits_until_it_is_durable()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        await server.InvokeAsync(1, new { @do = "steps" }, Cancel);
        var one = await server.ReceiveAsync(Cancel);
        Assert.Equal((Kind.Step, 1ul, "one", "1"), (one.Kind, one.Id, one.StepName, one.StepValue));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(200);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => server.ReceiveAsync(patience.Token));
    }

    [Fact]
    public async Task Finished_steps_are_taken_from_the_journal_on_the_next_attempt()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        await server.InvokeAsync(1, new { @do = "steps" }, Cancel);
        var frames = await server.AnswerAsync(1, Cancel);
        Assert.Equal([("one", "1"), ("zwei é", "[2]")], frames.Where(f => f.Kind == Kind.Step).Select(f => (f.StepName, f.StepValue)));
        Assert.Equal(("[1,[2]]", 2), ResultsAndRuns(frames[^1]));

        await server.InvokeAsync(1, new { @do = "steps" }, Cancel, attempt: 2, meta: """{"may_have_run":true,"steps":{"one":{"kept":"}]"},"zwei \u00e9":[3]}}""");
        frames = await server.AnswerAsync(1, Cancel);
        Assert.DoesNotContain(frames, f => f.Kind == Kind.Step);
        Assert.Equal(("""[{"kept":"}]"},[3]]""", 0), ResultsAndRuns(frames[^1]));
    }

    [Fact]
    public async Task Steps_that_do_not_fit_in_a_frame_come_in_a_file()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        var kept = new string('k', 2_000_000);
        await File.WriteAllTextAsync(function.PathOf("meta"), $$$"""{"steps":{"one":"{{{kept}}}","zwei é":1}}""", Cancel);
        await server.SendAsync(Frame.Invoke(1, 2, """{"do":"steps"}"""u8, Encoding.UTF8.GetBytes(function.PathOf("meta")), flags: 2), Cancel);
        var result = (await server.AnswerAsync(1, Cancel))[^1];
        Assert.True(result.IsPath, result.ToString());
        using var whole = JsonDocument.Parse(await File.ReadAllBytesAsync(result.Payload, Cancel));
        Assert.Equal(kept, whole.RootElement.GetProperty("results")[0].GetString());
    }

    [Fact]
    public async Task A_step_that_was_not_acknowledged_is_said_again_to_the_next_server()
    {
        await using var function = await StartAsync();
        using (var first = await function.ConnectAsync(Cancel))
        {
            await first.InvokeAsync(1, new { @do = "steps" }, Cancel);
            Assert.Equal("one", (await first.ReceiveAsync(Cancel)).StepName);
        }

        using var second = await function.ConnectAsync(Cancel);
        var frames = await second.AnswerAsync(1, Cancel);
        Assert.Equal(["one", "zwei é"], frames.Where(f => f.Kind == Kind.Step).Select(f => f.StepName));
        Assert.Equal(Kind.Result, frames[^1].Kind);
    }

    [Fact]
    public async Task Pieces_of_a_result_are_sent_as_they_come()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        await server.InvokeAsync(1, new { @do = "stream", pieces = new[] { "a", "é" }, file = function.PathOf("go") }, Cancel);
        Assert.Equal("a", (await server.ReceiveAsync(Cancel)).Chunk);
        function.Touch("go");
        var frames = await server.AnswerAsync(1, Cancel);
        Assert.Equal("é", Assert.Single(frames, f => f.Kind == Kind.Chunk).Chunk);
        Assert.Equal((true, ""), (frames[^1].WasStreamed, frames[^1].Payload));
    }

    [Fact]
    public async Task A_long_piece_is_sent_in_several_frames()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        var piece = new string('x', 700_000);
        await File.WriteAllBytesAsync(function.PathOf("event"), JsonSerializer.SerializeToUtf8Bytes(new { @do = "stream", pieces = new[] { piece } }), Cancel);
        await server.SendAsync(Frame.Invoke(1, 1, Encoding.UTF8.GetBytes(function.PathOf("event")), flags: 1), Cancel);
        var frames = await server.AnswerAsync(1, Cancel);
        Assert.Equal(piece, string.Concat(frames.Where(f => f.Kind == Kind.Chunk).Select(f => f.Chunk)));
        Assert.True(frames[^1].WasStreamed);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(400_000)]
    public async Task A_stream_that_lost_its_server_is_given_whole_to_the_next_one(int size)
    {
        await using var function = await StartAsync();
        string[] pieces = [new string('a', size), "b"];
        await File.WriteAllBytesAsync(function.PathOf("event"), JsonSerializer.SerializeToUtf8Bytes(new { @do = "stream", pieces, file = function.PathOf("go") }), Cancel);
        using (var first = await function.ConnectAsync(Cancel))
        {
            await first.SendAsync(Frame.Invoke(1, 1, Encoding.UTF8.GetBytes(function.PathOf("event")), flags: 1), Cancel);
            Assert.Equal(Kind.Chunk, (await first.ReceiveAsync(Cancel)).Kind);
        }

        using var second = await function.ConnectAsync(Cancel);
        function.Touch("go");
        Assert.Equal(string.Concat(pieces), await WholeAsync((await second.AnswerAsync(1, Cancel))[^1]));
    }

    [Fact]
    public async Task A_streamed_result_that_was_not_acknowledged_is_given_whole_to_the_next_server()
    {
        await using var function = await StartAsync();
        using (var first = await function.ConnectAsync(Cancel))
        {
            await first.InvokeAsync(1, new { @do = "stream", pieces = new[] { "a", "b" } }, Cancel);
            Assert.True((await first.AnswerAsync(1, Cancel))[^1].WasStreamed);
        }

        using var second = await function.ConnectAsync(Cancel);
        Assert.Equal("ab", await WholeAsync((await second.AnswerAsync(1, Cancel))[^1]));
    }

    [Fact]
    public async Task A_deadline_counts_down()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        await server.InvokeAsync(1, new { @do = "who" }, Cancel, deadline: TimeProvider.System.GetUtcNow().AddSeconds(60).ToUnixTimeMilliseconds());
        Assert.InRange((await server.AnswerAsync(1, Cancel))[^1].PayloadJson.GetProperty("remaining").GetInt64(), 30_000, 60_000);
    }

    [Fact]
    public async Task As_many_run_at_a_time_as_concurrency_allows()
    {
        await using var function = await StartAsync(("DURE_CONCURRENCY", "4"));
        using var server = await function.ConnectAsync(Cancel);
        for (var i = 1ul; i <= 4; i++)
            await server.InvokeAsync(i, new { @do = "wait", file = function.PathOf("go" + i) }, Cancel);
        for (var waiting = 0; waiting < 4;)
            waiting += (await server.ReceiveAsync(Cancel)).LogLines.Count(line => line == "waiting");
        foreach (var i in new[] { 3ul, 1ul, 4ul, 2ul })
        {
            function.Touch("go" + i);
            Assert.Equal(i, (await server.AnswerAsync(i, Cancel))[^1].Id);
        }
    }

    private static (string Results, int Runs) ResultsAndRuns(Frame result) =>
        (result.PayloadJson.GetProperty("results").GetRawText(), result.PayloadJson.GetProperty("ran").GetArrayLength());

    private static async Task<string> WholeAsync(Frame result)
    {
        Assert.False(result.WasStreamed);
        return result.IsPath ? await File.ReadAllTextAsync(result.Payload, Cancel) : result.Payload;
    }
}
