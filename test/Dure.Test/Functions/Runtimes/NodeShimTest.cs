using Xunit;

namespace Dure.Test.Functions.Runtimes;

public sealed class NodeShimTest : ScriptContract
{
    protected override string Handler => "index.handler";

    protected override string TalkingHandler => "index.later";

    protected override string FileName => "index.mjs";

    private protected override async Task<FunctionProcess> StartWithAsync(string? handler, params (string Name, string Value)[] environment)
    {
        string[] command = [BuiltRuntimes.Need("node"), await BuiltRuntimes.FolderAsync + "/node/shim.mjs"];
        return FunctionProcess.Start(command, BuiltRuntimes.Code("node"), handler is null ? environment : [.. environment, ("DURE_HANDLER", handler)]);
    }

    [Fact]
    public async Task A_handler_may_answer_by_callback()
    {
        await using var function = await StartWithAsync("index.callback");
        using var server = await function.ConnectAsync(Cancel);
        Assert.Equal("5", (await server.CallAsync(1, new { value = 5 }, Cancel)).Payload);
        Assert.Equal("tired", (await server.CallAsync(2, new { why = "tired" }, Cancel)).PayloadJson.GetProperty("errorMessage").GetString());
    }

    [Fact]
    public async Task A_CommonJS_module_serves_as_well()
    {
        await using var function = await StartWithAsync("common.handler");
        using var server = await function.ConnectAsync(Cancel);
        Assert.Equal("""{"common":5}""", (await server.CallAsync(1, new { value = 5 }, Cancel)).Payload);
    }

    [Fact]
    public async Task A_web_stream_is_streamed()
    {
        await using var function = await StartWithAsync("index.web");
        using var server = await function.ConnectAsync(Cancel);
        await server.InvokeAsync(1, new { }, Cancel);
        Assert.Equal(["a", "b"], (await server.AnswerAsync(1, Cancel))[..^1].Select(f => f.Chunk));
    }

    [Fact]
    public async Task TypeScript_runs_or_the_error_says_what_is_missing()
    {
        await using var function = await StartWithAsync("typed.handler");
        using var server = await function.OpenAsync(Cancel);
        var told = await server.HelloAsync(Cancel);
        if (told.Kind == Kind.Ready)
            Assert.Equal("\"typed\"", (await server.CallAsync(1, new { value = "typed" }, Cancel)).Payload);
        else
            Assert.Equal("TypeScriptUnsupported", told.Json.GetProperty("errorType").GetString());
    }

    [Fact]
    public async Task An_error_that_nobody_catches_fails_what_runs_and_ends_the_process()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        await server.InvokeAsync(1, new { @do = "stuck" }, Cancel);
        await server.WaitForLineAsync(1, "ready", Cancel);
        await server.InvokeAsync(2, new { @do = "uncaught" }, Cancel);
        foreach (var _ in Enumerable.Range(0, 2))
            Assert.Equal("nobody catches this", (await server.ReceiveAsync(Cancel)).PayloadJson.GetProperty("errorMessage").GetString());
        Assert.Equal(1, await function.ExitAsync(Cancel));
    }

    [Fact]
    public async Task A_handler_that_cannot_clean_up_ends_at_once_when_asked_to()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        await server.InvokeAsync(1, new { @do = "stuck" }, Cancel);
        await server.WaitForLineAsync(1, "ready", Cancel);
        await function.TermAsync();
        Assert.Equal("Cancelled", (await server.AnswerAsync(1, Cancel))[^1].PayloadJson.GetProperty("errorType").GetString());
        Assert.Equal(143, await function.ExitAsync(Cancel));
    }

    [Fact]
    public async Task Leaving_the_process_is_an_error_of_what_runs()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        await server.InvokeAsync(1, new { @do = "leave" }, Cancel);
        var frames = await server.AnswerAsync(1, Cancel);
        Assert.Equal(["bye"], frames[0].LogLines);
        Assert.Equal("ProcessExit", frames[^1].PayloadJson.GetProperty("errorType").GetString());
        Assert.Equal(4, await function.ExitAsync(Cancel));
    }

    [Fact]
    public async Task A_streaming_Lambda_handler_runs_unchanged()
    {
        await using var function = await StartWithAsync("index.lambda");
        using var server = await function.ConnectAsync(Cancel);
        await server.InvokeAsync(1, new { }, Cancel);
        var frames = await server.AnswerAsync(1, Cancel);
        Assert.Equal("one two", string.Concat(frames[..^1].Select(f => f.Chunk)));
        Assert.True(frames[^1].WasStreamed);
    }

    [Fact]
    public async Task Required_packages_come_from_the_dependencies()
    {
        await using var function = FunctionProcess.Start([BuiltRuntimes.Need("node"), await BuiltRuntimes.FolderAsync + "/node/shim.mjs"], "/nowhere");
        var code = Directory.CreateDirectory(function.PathOf("code")).FullName;
        var package = Directory.CreateDirectory(function.PathOf("deps/node_modules/greeting")).FullName;
        await File.WriteAllTextAsync(package + "/index.js", "module.exports = 'from a package';", Cancel);
        await File.WriteAllTextAsync(code + "/index.js", "const greeting = require('greeting'); exports.handler = async () => greeting;", Cancel);
        using var server = await function.ConnectAsync(Cancel);
        await server.SendAsync(Kind.Assign, $$$"""{"handler":"index.handler","env":{"DURE_CODE":"{{{code}}}"}}""", Cancel);
        Assert.Equal(Kind.Ready, (await server.ReceiveAsync(Cancel)).Kind);
        Assert.Equal("\"from a package\"", (await server.CallAsync(1, new { }, Cancel)).Payload);
    }
}
