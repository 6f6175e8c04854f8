using System.Text.Json;
using Xunit;

namespace Dure.Test.Functions.Runtimes;

/// <summary>What the shims that load a module promise besides <see cref="HandlerContract"/>.</summary>
public abstract class ScriptContract : HandlerContract
{
    /// <summary>Starts the shim with a handler other than the contract function's; null for a generic process.</summary>
    private protected abstract Task<FunctionProcess> StartWithAsync(string? handler, params (string Name, string Value)[] environment);

    /// <summary>module.function of the contract function.</summary>
    protected abstract string Handler { get; }

    /// <summary>The handler that logs in turn with others.</summary>
    protected abstract string TalkingHandler { get; }

    /// <summary>File name of the contract function.</summary>
    protected abstract string FileName { get; }

    private protected sealed override Task<FunctionProcess> StartAsync(params (string Name, string Value)[] environment) => StartWithAsync(Handler, environment);

    [Fact]
    public async Task A_generic_process_becomes_a_function_by_assignment()
    {
        await using var function = await StartWithAsync(null);
        using var server = await function.OpenAsync(Cancel);
        Assert.Equal("generic", (await server.HelloAsync(Cancel)).Json.GetProperty("state").GetString());
        await server.SendAsync(Kind.Assign, $$"""{"handler":"{{Handler}}","env":{"SETTING":"assigned","DURE_FUNCTION":"f","DURE_VERSION":"v"},"function":"f","version":"v"}""", Cancel);
        Assert.Equal("ready", (await server.ReceiveAsync(Cancel)).Json.GetProperty("state").GetString());
        Assert.Equal("assigned", (await server.CallAsync(1, new { @do = "who" }, Cancel)).PayloadJson.GetProperty("setting").GetString());
    }

    [Fact]
    public async Task A_generic_process_may_wait_through_several_servers()
    {
        await using var function = await StartWithAsync(null);
        for (var i = 0; i < 3; i++)
        {
            using var server = await function.OpenAsync(Cancel);
            Assert.Equal("generic", (await server.HelloAsync(Cancel)).Json.GetProperty("state").GetString());
        }

        using var early = await function.ConnectAsync(Cancel);
        await early.InvokeAsync(1, new { @do = "who" }, Cancel);
        Assert.Null(await early.ReceiveOrEndAsync(Cancel));
    }

    [Theory]
    [InlineData("absent.handler", "HandlerNotFound", "absent")]
    [InlineData("{module}.absent", "HandlerNotFound", "absent")]
    [InlineData("nodots", "HandlerNotFound", "module.function")]
    [InlineData("unparsable.handler", "SyntaxError", "")]
    [InlineData("unready.handler", "Error", "no database")]
    public async Task A_function_that_cannot_start_says_why_and_ends(string handler, string type, string words)
    {
        await using var function = await StartWithAsync(handler.Replace("{module}", Handler.Split('.')[0], StringComparison.Ordinal));
        using var server = await function.OpenAsync(Cancel);
        var told = await server.HelloAsync(Cancel);
        Assert.True(told.Kind == Kind.InitError, told.ToString());
        Assert.EndsWith(type, told.Json.GetProperty("errorType").GetString(), StringComparison.Ordinal);
        Assert.Contains(words, told.Json.GetProperty("errorMessage").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, await function.ExitAsync(Cancel));
        Assert.Contains(words, await function.RawErrors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_assignment_that_fails_says_why_and_ends()
    {
        await using var function = await StartWithAsync(null);
        using var server = await function.ConnectAsync(Cancel);
        await server.SendAsync(Kind.Assign, """{"handler":"unready.handler","env":{},"function":"f","version":"v"}""", Cancel);
        Assert.Contains("no database", (await server.ReceiveAsync(Cancel)).Json.GetProperty("errorMessage").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, await function.ExitAsync(Cancel));
    }

    [Fact]
    public async Task A_syntax_error_names_its_line()
    {
        await using var function = await StartWithAsync("unparsable.handler");
        using var server = await function.OpenAsync(Cancel);
        Assert.Contains("unparsable", (await server.HelloAsync(Cancel)).Json.GetProperty("stackTrace").ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_has_the_stack_of_the_code_and_not_of_the_shim()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        foreach (var what in new[] { "fail", "nested" })
        {
            var stack = (await server.CallAsync(1, new { @do = what, why = "x" }, Cancel)).PayloadJson.GetProperty("stackTrace").ToString();
            Assert.Contains(FileName, stack, StringComparison.Ordinal);
            Assert.DoesNotContain("dure_shim", stack, StringComparison.Ordinal);
            Assert.DoesNotContain("machine.cjs", stack, StringComparison.Ordinal);
            await server.AckAsync(1, 1, Cancel);
        }
    }

    [Fact]
    public async Task An_event_that_is_not_JSON_is_an_error_unless_the_module_wants_bytes()
    {
        await using (var function = await StartAsync())
        {
            using var server = await function.ConnectAsync(Cancel);
            await server.SendAsync(Frame.Invoke(1, 1, "{oops"u8), Cancel);
            Assert.Equal("InvalidJson", (await server.AnswerAsync(1, Cancel))[^1].PayloadJson.GetProperty("errorType").GetString());
        }

        await using var raw = await StartWithAsync("bytes_handler.handler");
        using var bytes = await raw.ConnectAsync(Cancel);
        await bytes.SendAsync(Frame.Invoke(1, 1, [1, 0, 0xff]), Cancel);
        Assert.Equal([0xff, 0, 1], (await bytes.AnswerAsync(1, Cancel))[^1].Body[13..]);
    }

    [Fact]
    public async Task A_result_that_is_not_JSON_is_an_error()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        Assert.Equal("ResultNotJson", (await server.CallAsync(1, new { @do = "unwritable" }, Cancel)).PayloadJson.GetProperty("errorType").GetString());
    }

    [Fact]
    public async Task Lines_of_invocations_that_run_together_are_attributed_to_each()
    {
        await using var function = await StartWithAsync(TalkingHandler, ("DURE_CONCURRENCY", "8"));
        using var server = await function.ConnectAsync(Cancel);
        for (var i = 1ul; i <= 8; i++)
            await server.InvokeAsync(i, new { name = "n" + i, count = 20 }, Cancel);
        var lines = new Dictionary<ulong, List<string>>();
        for (var results = 0; results < 8;)
        {
            var frame = await server.ReceiveAsync(Cancel);
            if (frame.Kind == Kind.Result)
                results++;
            else
                (lines.TryGetValue(frame.Id, out var own) ? own : lines[frame.Id] = []).AddRange(frame.LogLines);
        }

        Assert.All(lines, pair => Assert.Equal(Enumerable.Range(0, 20).Select(n => $"n{pair.Key} {n}"), pair.Value));
        Assert.Equal(8, lines.Count);
    }

    [Fact]
    public async Task Async_handlers_have_steps_too()
    {
        await using var function = await StartWithAsync(TalkingHandler, ("DURE_CONCURRENCY", "2"));
        using var server = await function.ConnectAsync(Cancel);
        await server.InvokeAsync(1, new { name = "a", count = 0, step = true }, Cancel);
        var step = await server.ReceiveAsync(Cancel);
        Assert.Equal(("once", "\"a\""), (step.StepName, step.StepValue));
        await server.StepOkAsync(step, Cancel);
        Assert.Equal("\"a\"", (await server.AnswerAsync(1, Cancel))[^1].Payload);
    }

    [Fact]
    public async Task Being_asked_to_end_lets_the_handler_clean_up_and_tells_the_server()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        await server.InvokeAsync(1, new { @do = "cleanup", file = function.PathOf("cleaned") }, Cancel);
        await server.WaitForLineAsync(1, "ready", Cancel);
        await function.TermAsync();
        Assert.Equal("Cancelled", (await server.AnswerAsync(1, Cancel))[^1].PayloadJson.GetProperty("errorType").GetString());
        Assert.Equal(143, await function.ExitAsync(Cancel));
        Assert.Equal("clean", await File.ReadAllTextAsync(function.PathOf("cleaned"), Cancel));
    }

    [Fact]
    public async Task An_idle_process_that_is_asked_to_end_does()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        await server.CallAsync(1, new { @do = "echo", value = 1 }, Cancel);
        await function.TermAsync();
        Assert.Equal(143, await function.ExitAsync(Cancel));
    }

    [Fact]
    public async Task Lines_are_sent_while_the_handler_still_works()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        await server.InvokeAsync(1, new { @do = "wait", file = function.PathOf("go") }, Cancel);
        Assert.Equal(["waiting"], (await server.ReceiveAsync(Cancel)).LogLines);
        function.Touch("go");
        Assert.Equal(JsonValueKind.Number, (await server.AnswerAsync(1, Cancel))[^1].PayloadJson.ValueKind);
    }
}
