using Xunit;

namespace Dure.Test.Functions.Runtimes;

public sealed class PythonShimTest : ScriptContract
{
    protected override string Handler => "handler.handler";

    protected override string TalkingHandler => "handler.later";

    protected override string FileName => "handler.py";

    private protected override async Task<FunctionProcess> StartWithAsync(string? handler, params (string Name, string Value)[] environment)
    {
        string[] command = [BuiltRuntimes.Need("python3"), "-I", "-S", "-X", "utf8", await BuiltRuntimes.FolderAsync + "/python/shim.py"];
        return FunctionProcess.Start(command, BuiltRuntimes.Code("python"), handler is null ? environment : [.. environment, ("DURE_HANDLER", handler)]);
    }

    [Fact]
    public async Task An_async_handler_is_cancelled_so_that_it_can_clean_up()
    {
        await using var function = await StartWithAsync("handler.later");
        using var server = await function.ConnectAsync(Cancel);
        await server.InvokeAsync(1, new { name = "a", count = 1, file = function.PathOf("cleaned") }, Cancel);
        await server.WaitForLineAsync(1, "waiting", Cancel);
        await function.TermAsync();
        Assert.Equal("Cancelled", (await server.AnswerAsync(1, Cancel))[^1].PayloadJson.GetProperty("errorType").GetString());
        Assert.Equal(143, await function.ExitAsync(Cancel));
        Assert.Equal("clean", await File.ReadAllTextAsync(function.PathOf("cleaned"), Cancel));
    }

    [Fact]
    public async Task Handlers_on_other_threads_are_cancelled_too()
    {
        await using var function = await StartWithAsync("handler.handler", ("DURE_CONCURRENCY", "2"));
        using var server = await function.ConnectAsync(Cancel);
        for (var i = 1ul; i <= 2; i++)
            await server.InvokeAsync(i, new { @do = "wait", file = function.PathOf("never") }, Cancel);
        for (var waiting = 0; waiting < 2; waiting++)
            Assert.Equal(Kind.Log, (await server.ReceiveAsync(Cancel)).Kind);
        await function.TermAsync();
        for (var i = 0; i < 2; i++)
            Assert.Equal("Cancelled", (await server.ReceiveAsync(Cancel)).PayloadJson.GetProperty("errorType").GetString());
        Assert.Equal(143, await function.ExitAsync(Cancel));
    }

    [Fact]
    public async Task An_async_generator_streams()
    {
        await using var function = await StartWithAsync("handler.pieces");
        using var server = await function.ConnectAsync(Cancel);
        await server.InvokeAsync(1, new { pieces = new object[] { "a", new { b = 1 } } }, Cancel);
        var frames = await server.AnswerAsync(1, Cancel);
        Assert.Equal(["a", "{\"b\":1}\n"], frames[..^1].Select(f => f.Chunk));
        Assert.True(frames[^1].WasStreamed);
    }

    [Fact]
    public async Task A_coroutine_that_a_sync_handler_returns_is_awaited()
    {
        await using var function = await StartWithAsync("handler.decorated");
        using var server = await function.ConnectAsync(Cancel);
        await server.InvokeAsync(1, new { name = "a", count = 1, step = true }, Cancel);
        Assert.Equal("\"a\"", (await server.AnswerAsync(1, Cancel))[^1].Payload);
    }

    [Fact]
    public async Task An_async_process_answers_over_several_connections()
    {
        await using var function = await StartWithAsync("handler.later", ("DURE_CONCURRENCY", "2"));
        for (var i = 1ul; i <= 5; i++)
        {
            using var server = await function.ConnectAsync(Cancel);
            await server.InvokeAsync(i, new { name = "a", count = 1 }, Cancel);
            Assert.Equal("\"a\"", (await server.AnswerAsync(i, Cancel))[^1].Payload);
        }
    }

    [Fact]
    public async Task Leaving_by_exit_is_an_error_and_the_process_goes_on()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        Assert.Equal("SystemExit", (await server.CallAsync(1, new { @do = "exit" }, Cancel)).PayloadJson.GetProperty("errorType").GetString());
        Assert.Equal("1", (await server.CallAsync(2, new { @do = "echo", value = 1 }, Cancel)).Payload);
    }

    [Fact]
    public async Task A_forked_child_cannot_answer_for_its_parent()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        await server.InvokeAsync(1, new { @do = "fork" }, Cancel);
        var frames = await server.AnswerAsync(1, Cancel);
        Assert.Equal("true", frames[^1].Payload);
        Assert.Equal(["parent"], frames[..^1].SelectMany(f => f.LogLines));
        Assert.Equal("1", (await server.CallAsync(2, new { @do = "echo", value = 1 }, Cancel)).Payload);
        await function.TermAsync();
        Assert.Equal("child\n", await function.RawOutput);
    }

    [Fact]
    public async Task An_empty_event_is_an_empty_object()
    {
        await using var function = await StartWithAsync("handler.do_echo");
        using var server = await function.ConnectAsync(Cancel);
        await server.SendAsync(Frame.Invoke(1, 1, []), Cancel);
        Assert.Equal("KeyError", (await server.AnswerAsync(1, Cancel))[^1].PayloadJson.GetProperty("errorType").GetString());
    }

    [Fact]
    public async Task A_server_is_answered_while_an_async_handler_blocks_its_loop()
    {
        await using var function = await StartWithAsync("handler.blocking", ("DURE_CONCURRENCY", "4"));
        using var first = await function.ConnectAsync(Cancel);
        await first.InvokeAsync(1, new { file = function.PathOf("go") }, Cancel);
        await first.WaitForLineAsync(1, "blocking", Cancel);
        using var second = await function.ConnectAsync(Cancel);
        function.Touch("go");
        Assert.Equal(Kind.Result, (await second.AnswerAsync(1, Cancel))[^1].Kind);
    }

    [Fact]
    public async Task The_shim_is_not_on_the_path_of_the_code()
    {
        await using var function = await StartWithAsync("shim.main");
        using var server = await function.OpenAsync(Cancel);
        Assert.Equal(Kind.InitError, (await server.HelloAsync(Cancel)).Kind);
    }
}
