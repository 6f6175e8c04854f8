using System.Text;
using System.Text.Json;
using Xunit;

namespace Dure.Test.Functions.Runtimes;

/// <summary>What the function protocol promises, whoever speaks it inside the sandbox.</summary>
public abstract class ShimContract
{
    private protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Invocations in <see cref="Many_invocations_in_a_row_are_all_answered"/>.</summary>
    protected virtual int Many => 10_000;

    /// <summary>The contract function of <c>code/</c>, ready to be invoked.</summary>
    private protected abstract Task<FunctionProcess> StartAsync(params (string Name, string Value)[] environment);

    [Fact]
    public async Task An_event_comes_back_as_the_result()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        var result = await server.CallAsync(7, new { @do = "echo", value = new { a = 1 } }, Cancel);
        Assert.Equal((Kind.Result, 7ul, 1u, 0), (result.Kind, result.Id, result.Attempt, result.Flags));
        Assert.Equal(1, result.PayloadJson.GetProperty("a").GetInt32());
    }

    [Theory]
    [InlineData("é ü 漢字 😀")]
    [InlineData("before\0after\u0001\u001f\u007f")]
    [InlineData("quote \" backslash \\ newline \n tab \t")]
    public async Task Any_text_survives_the_way_in_and_out(string text)
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        Assert.Equal(text, (await server.CallAsync(1, new { @do = "echo", value = text }, Cancel)).PayloadJson.GetString());
    }

    [Fact]
    public async Task Many_invocations_in_a_row_are_all_answered()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        for (var i = 1ul; i <= (ulong)Many; i++)
        {
            var result = await server.CallAsync(i, new { @do = "echo", value = i }, Cancel);
            Assert.Equal((i, i), (result.Id, result.PayloadJson.GetUInt64()));
            await server.AckAsync(i, 1, Cancel);
        }
    }

    [Fact]
    public async Task An_error_says_what_went_wrong_and_the_next_invocation_works()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        var error = await server.CallAsync(1, new { @do = "fail", why = "\"tired\"" }, Cancel);
        Assert.Equal(Kind.Error, error.Kind);
        Assert.NotEmpty(error.PayloadJson.GetProperty("errorType").GetString()!);
        Assert.Contains("it broke: \"tired\"", error.PayloadJson.GetProperty("errorMessage").GetString(), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Array, error.PayloadJson.GetProperty("stackTrace").ValueKind);
        Assert.Equal(Kind.Result, (await server.CallAsync(2, new { @do = "echo", value = 1 }, Cancel)).Kind);
    }

    [Fact]
    public async Task Log_lines_come_whole_and_before_the_result_of_their_invocation()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        var before = TimeProvider.System.GetUtcNow().AddMilliseconds(-1);
        await server.InvokeAsync(3, new { @do = "log", lines = new[] { "first", "zweite é", "", "with\ttab" } }, Cancel);
        var frames = await server.AnswerAsync(3, Cancel);
        var logs = frames[..^1];
        Assert.All(logs, log => Assert.Equal((Kind.Log, 3ul), (log.Kind, log.Id)));
        Assert.All(logs, log => Assert.InRange(log.LogTime, before, TimeProvider.System.GetUtcNow().AddSeconds(1)));
        Assert.Equal(["first", "zweite é", "", "with\ttab", "unfinished"], logs.SelectMany(log => log.LogLines));
    }

    [Fact]
    public async Task A_large_payload_is_read_from_a_file()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        var text = new string('é', 2_000_000);
        await File.WriteAllBytesAsync(function.PathOf("event"), JsonSerializer.SerializeToUtf8Bytes(new { @do = "echo", value = text }), Cancel);
        await server.SendAsync(Frame.Invoke(1, 1, Encoding.UTF8.GetBytes(function.PathOf("event")), flags: 1), Cancel);
        var result = (await server.AnswerAsync(1, Cancel))[^1];
        Assert.True(result.IsPath, result.ToString());
        Assert.Equal(text, JsonSerializer.Deserialize<string>(await File.ReadAllTextAsync(result.Payload, Cancel)));
    }

    [Fact]
    public async Task A_large_result_is_a_file_until_it_is_acknowledged()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        var result = await server.CallAsync(1, new { @do = "big", size = 300_000 }, Cancel);
        Assert.True(result.IsPath, result.ToString());
        Assert.StartsWith(function.PathOf("io/out/"), result.Payload, StringComparison.Ordinal);
        Assert.Equal(300_002, new FileInfo(result.Payload).Length);
        await server.AckAsync(1, 1, Cancel);
        while (File.Exists(result.Payload))
            await Task.Delay(5, Cancel);
        Assert.False((await server.CallAsync(2, new { @do = "big", size = 100_000 }, Cancel)).IsPath);
    }

    [Fact]
    public async Task An_invocation_is_told_who_it_is()
    {
        await using var function = await StartAsync(("SETTING", "on"));
        using var server = await function.ConnectAsync(Cancel);
        var first = (await server.CallAsync(ulong.MaxValue, new { @do = "who" }, Cancel)).PayloadJson;
        Assert.Equal("fzzzzzzzzzzzz", first.GetProperty("id").GetString());
        Assert.Equal((1, false), (first.GetProperty("attempt").GetInt32(), first.GetProperty("mayHaveRun").GetBoolean()));
        Assert.Equal(("contract", "v1", "on"), (first.GetProperty("function").GetString(), first.GetProperty("version").GetString(), first.GetProperty("setting").GetString()));
        var second = (await server.CallAsync(5, new { @do = "who" }, Cancel, attempt: 2, meta: """{"steps":{"a":"}"}, "may_have_run":true,"id":"0000000000005"}""")).PayloadJson;
        Assert.Equal("0000000000005", second.GetProperty("id").GetString());
        Assert.Equal((2, true), (second.GetProperty("attempt").GetInt32(), second.GetProperty("mayHaveRun").GetBoolean()));
    }

    [Fact]
    public async Task A_checkpoint_folder_is_told_of_and_seen_by_the_next_attempt()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        Assert.False((await server.CallAsync(8, new { @do = "echo", value = 1 }, Cancel)).HasCheckpoint);
        var first = await server.CallAsync(9, new { @do = "checkpoint" }, Cancel);
        Assert.True(first.HasCheckpoint);
        Assert.True(File.Exists(function.PathOf("io/ck/9/attempts")));
        var second = await server.CallAsync(9, new { @do = "checkpoint" }, Cancel, attempt: 2);
        Assert.Equal(("1 2 ", true), (second.PayloadJson.GetString(), second.HasCheckpoint));
        Assert.False(Directory.Exists(function.PathOf("io/ck/8")));
    }

    [Fact]
    public async Task A_result_is_said_again_on_every_connection_until_it_is_acknowledged()
    {
        await using var function = await StartAsync();
        for (var i = 0; i < 3; i++)
        {
            using var server = await function.ConnectAsync(Cancel);
            if (i == 0)
                await server.InvokeAsync(4, new { @do = "echo", value = "kept" }, Cancel);
            Assert.Equal("kept", (await server.AnswerAsync(4, Cancel))[^1].PayloadJson.GetString());
            if (i == 2)
                await server.AckAsync(4, 1, Cancel);
        }

        using var last = await function.ConnectAsync(Cancel);
        Assert.Equal("next", (await last.CallAsync(5, new { @do = "echo", value = "next" }, Cancel)).PayloadJson.GetString());
    }

    [Fact]
    public async Task A_running_invocation_survives_its_server_and_answers_the_next_one()
    {
        await using var function = await StartAsync();
        using (var first = await function.ConnectAsync(Cancel))
        {
            await first.InvokeAsync(6, new { @do = "wait", file = function.PathOf("go") }, Cancel);
            await first.WaitForLineAsync(6, "waiting", Cancel);
        }

        using var second = await function.OpenAsync(Cancel);
        var ready = await second.HelloAsync(Cancel);
        Assert.Equal("""[["6",1]]""", ready.Json.GetProperty("running").GetRawText().Replace(" ", "", StringComparison.Ordinal));
        function.Touch("go");
        Assert.Equal("1", (await second.AnswerAsync(6, Cancel))[^1].Payload);
    }

    [Fact]
    public async Task A_new_connection_replaces_an_older_one_that_still_stands()
    {
        await using var function = await StartAsync();
        using var first = await function.ConnectAsync(Cancel);
        await first.InvokeAsync(6, new { @do = "wait", file = function.PathOf("go") }, Cancel);
        await first.WaitForLineAsync(6, "waiting", Cancel);
        using var second = await function.ConnectAsync(Cancel);
        Assert.Null(await first.ReceiveOrEndAsync(Cancel));
        function.Touch("go");
        Assert.Equal(Kind.Result, (await second.AnswerAsync(6, Cancel))[^1].Kind);
    }

    [Fact]
    public async Task An_invocation_that_is_sent_twice_runs_once()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        var request = new { @do = "count", file = function.PathOf("count") };
        await server.CallAsync(1, request, Cancel);
        Assert.Equal("1", (await server.CallAsync(1, request, Cancel)).Payload);
        Assert.Equal("once\n", await File.ReadAllTextAsync(function.PathOf("count"), Cancel));
        await server.CallAsync(1, request, Cancel, attempt: 2);
        Assert.Equal("once\nonce\n", await File.ReadAllTextAsync(function.PathOf("count"), Cancel));
    }

    [Fact]
    public async Task Logs_are_kept_for_the_next_server_and_what_is_too_much_is_counted()
    {
        await using var function = await StartAsync();
        const int Lines = 60_000; // of 101 bytes
        using (var first = await function.ConnectAsync(Cancel))
            await first.InvokeAsync(2, new { @do = "flood", start = function.PathOf("start"), count = Lines }, Cancel);
        await Task.Delay(200, Cancel); // the loss must be seen before the flood
        function.Touch("start");
        await Task.Delay(1500, Cancel);
        using var second = await function.ConnectAsync(Cancel);
        var lines = (await second.AnswerAsync(2, Cancel)).Where(frame => frame.Kind == Kind.Log).SelectMany(frame => frame.LogLines).ToList();
        var note = Assert.Single(lines, line => line.StartsWith("[dure] ", StringComparison.Ordinal));
        var dropped = int.Parse(note.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(Lines, dropped + lines.Count - 1);
        Assert.InRange(lines.Count * 101L, 2 << 20, 5 << 20);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Garbage_ends_the_connection_and_not_the_function(int seed)
    {
        await using var function = await StartAsync();
        var random = new Random(seed);
        foreach (var garbage in Garbage(random))
        {
            using var server = await function.ConnectAsync(Cancel);
            await server.SendAsync(garbage, Cancel);
            while (await server.ReceiveOrEndAsync(Cancel) is { } frame)
                Assert.NotEqual(Kind.InitError, frame.Kind);
        }

        using var good = await function.ConnectAsync(Cancel);
        Assert.Equal(Kind.Result, (await good.CallAsync(99, new { @do = "echo", value = 1 }, Cancel)).Kind);
    }

    [Fact]
    public async Task Frames_before_HELLO_end_the_connection()
    {
        await using var function = await StartAsync();
        using var server = await function.OpenAsync(Cancel);
        await server.InvokeAsync(1, new { @do = "echo", value = 1 }, Cancel);
        Assert.Null(await server.ReceiveOrEndAsync(Cancel));
        using var other = await function.OpenAsync(Cancel);
        await other.SendAsync(Kind.Hello, """{"protocol":2}""", Cancel);
        Assert.Null(await other.ReceiveOrEndAsync(Cancel));
    }

    [Fact]
    public async Task A_frame_may_come_in_pieces_and_many_in_one()
    {
        await using var function = await StartAsync(("DURE_CONCURRENCY", "3"));
        using var server = await function.ConnectAsync(Cancel);
        byte[] three = [.. Enumerable.Range(1, 3).SelectMany(i => Frame.Invoke((ulong)i, 1, JsonSerializer.SerializeToUtf8Bytes(new { @do = "echo", value = i })))];
        foreach (var piece in three.Chunk(50))
        {
            await server.SendAsync(piece, Cancel);
            await Task.Delay(2, Cancel);
        }

        await server.SendAsync([.. Enumerable.Range(4, 3).SelectMany(i => Frame.Invoke((ulong)i, 1, JsonSerializer.SerializeToUtf8Bytes(new { @do = "echo", value = i })))], Cancel);
        var got = new List<ulong>();
        while (got.Count < 6)
            got.Add((await server.ReceiveAsync(Cancel)).Id);
        Assert.Equal([1ul, 2ul, 3ul, 4ul, 5ul, 6ul], got.Order().ToArray());
    }

    private static IEnumerable<byte[]> Garbage(Random random)
    {
        yield return [0, 0, 0, 0, 0];
        yield return [0xff, 0xff, 0xff, 0xff, 0x03];
        yield return Frame.Bytes((Kind)0x77, "unknown"u8);
        yield return Frame.Bytes(Kind.Invoke, [1, 2, 3]);
        yield return MetaBeyondTheFrame();
        yield return Frame.Bytes(Kind.Ack, [1, 2, 3]);
        yield return Frame.Bytes(Kind.StepOk, [1]);
        yield return Frame.Bytes(Kind.Hello, "{not json"u8);
        yield return Frame.Bytes(Kind.Ready, "{}"u8);
        for (var i = 0; i < 5; i++)
        {
            var noise = new byte[random.Next(16, 200)];
            random.NextBytes(noise);
            noise[3] = 0xff; // a length that cannot be, so that the function need not wait for more
            yield return noise;
        }
    }

    private static byte[] MetaBeyondTheFrame()
    {
        var invoke = Frame.Invoke(1, 1, "{}"u8);
        invoke[5 + 12 + 9] = 0xff;
        return invoke;
    }
}
