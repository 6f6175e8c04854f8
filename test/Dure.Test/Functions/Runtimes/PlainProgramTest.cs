using System.Globalization;
using System.Text;
using Xunit;

namespace Dure.Test.Functions.Runtimes;

public sealed class PlainProgramTest : ShimContract
{
    protected override int Many => 50; // each starts a process

    private protected override Task<FunctionProcess> StartAsync(params (string Name, string Value)[] environment) =>
        StartAsync([BuiltRuntimes.Need("python3"), "-I", "-S", "-X", "utf8", BuiltRuntimes.Code("plain", "program.py")], environment);

    private static async Task<FunctionProcess> StartAsync(IEnumerable<string> program, params (string Name, string Value)[] environment) =>
        FunctionProcess.Start([await BuiltRuntimes.FolderAsync + "/dure-init", "--mode", "plain", "--", .. program], BuiltRuntimes.Code("plain"), environment);

    [Fact]
    public async Task A_bad_exit_code_is_an_error_with_the_last_lines()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        var error = (await server.CallAsync(1, new { @do = "fail", why = "tired" }, Cancel)).PayloadJson;
        Assert.Equal(("ExitError", "exit code 3\nit broke: tired"), (error.GetProperty("errorType").GetString(), error.GetProperty("errorMessage").GetString()));
    }

    [Fact]
    public async Task A_signal_is_an_error_that_names_it()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        var error = (await server.CallAsync(1, new { @do = "signal" }, Cancel)).PayloadJson;
        Assert.Equal("SignalError", error.GetProperty("errorType").GetString());
        Assert.Contains("signal 11", error.GetProperty("errorMessage").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_told_before_anything_runs()
    {
        await using var function = await StartAsync(["/nowhere/program"]);
        using var server = await function.OpenAsync(Cancel);
        var told = await server.HelloAsync(Cancel);
        Assert.Equal((Kind.InitError, "HandlerNotFound"), (told.Kind, told.Json.GetProperty("errorType").GetString()));
        Assert.Equal(1, await function.ExitAsync(Cancel));
    }

    [Fact]
    public async Task A_gigabyte_of_output_goes_to_a_file_and_not_into_memory()
    {
        await using var function = await StartAsync(["/bin/sh", "-c", "head -c 1G /dev/zero"]);
        using var server = await function.ConnectAsync(Cancel);
        await server.SendAsync(Frame.Invoke(1, 1, []), Cancel);
        var result = (await server.AnswerAsync(1, Cancel))[^1];
        Assert.Equal(1L << 30, new FileInfo(result.Payload).Length);
        var peak = (await File.ReadAllLinesAsync($"/proc/{function.Id}/status", Cancel)).Single(line => line.StartsWith("VmHWM", StringComparison.Ordinal));
        Assert.InRange(int.Parse(peak.Split(':', 'k')[1].Trim(), CultureInfo.InvariantCulture), 0, 16 << 10);
        await server.AckAsync(1, 1, Cancel);
        while (File.Exists(result.Payload))
            await Task.Delay(5, Cancel);
    }

    [Fact]
    public async Task What_a_program_leaves_behind_ends_with_its_invocation()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        Assert.Equal(Kind.Result, (await server.CallAsync(1, new { @do = "daemon", file = function.PathOf("pid") }, Cancel)).Kind);
        var pid = await File.ReadAllTextAsync(function.PathOf("pid"), Cancel);
        var began = TimeProvider.System.GetTimestamp();
        while (Directory.Exists("/proc/" + pid))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(10), "what the program left behind still runs");
            await Task.Delay(10, Cancel);
        }
    }

    [Fact]
    public async Task Bytes_that_are_no_text_are_marked_in_logs_and_kept_in_results()
    {
        await using var function = await StartAsync(["/bin/sh", "-c", "printf 'a\\377b\\303\\n' >&2; printf '\\377\\000'"]);
        using var server = await function.ConnectAsync(Cancel);
        await server.SendAsync(Frame.Invoke(1, 1, []), Cancel);
        var frames = await server.AnswerAsync(1, Cancel);
        Assert.Equal(["a\uFFFDb\uFFFD"], frames[0].LogLines);
        Assert.Equal([0xff, 0x00], frames[^1].Body[13..]);
    }

    [Fact]
    public async Task Two_million_lines_reach_the_server_in_order()
    {
        await using var function = await StartAsync(["/bin/sh", "-c", "seq 2000000 >&2"]);
        using var server = await function.ConnectAsync(Cancel);
        await server.SendAsync(Frame.Invoke(1, 1, []), Cancel);
        var next = 1;
        while (await server.ReceiveAsync(Cancel) is { Kind: Kind.Log } frame)
        {
            foreach (var line in frame.LogLines)
                Assert.Equal(next++, int.Parse(line, CultureInfo.InvariantCulture));
        }

        Assert.Equal(2_000_001, next);
    }

    [Fact]
    public async Task Output_is_streamed_when_the_caller_asks_for_it()
    {
        await using var function = await StartAsync(["/bin/sh", "-c", "printf a; while [ ! -e \"$DURE_IO/go\" ]; do sleep 0.01; done; printf b"]);
        using var server = await function.ConnectAsync(Cancel);
        await server.SendAsync(Frame.Invoke(1, 1, [], Encoding.UTF8.GetBytes("""{"stream":true}""")), Cancel);
        Assert.Equal("a", (await server.ReceiveAsync(Cancel)).Chunk);
        function.Touch("io/go");
        var frames = await server.AnswerAsync(1, Cancel);
        Assert.Equal("b", frames[0].Chunk);
        Assert.True(frames[^1].WasStreamed);
    }

    [Fact]
    public async Task Being_asked_to_end_while_idle_ends_it()
    {
        await using var function = await StartAsync();
        using var server = await function.ConnectAsync(Cancel);
        await function.TermAsync();
        Assert.Equal(143, await function.ExitAsync(Cancel));
    }
}
