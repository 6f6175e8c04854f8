using Dure.Functions.Dispatch;
using Dure.Functions.Worker;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Worker;

/// <summary>A custom runtime as AWS documents it, in shell and curl, runs unmodified.</summary>
public sealed class RuntimeApiTest : IAsyncLifetime
{
    private const string Bootstrap = """
        #!/bin/bash
        API=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
        if [ -n "$FAIL_INIT" ]; then curl -sS -XPOST "$API/init/error" -d '{"errorMessage":"no way","errorType":"Init"}' >/dev/null; sleep 60; fi
        while true; do
          HEADERS=$(mktemp)
          EVENT=$(curl -sS -LD "$HEADERS" "$API/invocation/next")
          ID=$(grep -i Lambda-Runtime-Aws-Request-Id "$HEADERS" | tr -d '[:space:]' | cut -d: -f2)
          case "$EVENT" in
            *fail*) curl -sS -XPOST "$API/invocation/$ID/error" -d '{"errorMessage":"it failed","errorType":"Custom"}' > /dev/null ;;
            *big*) head -c 700000 /dev/zero | curl -sS -XPOST "$API/invocation/$ID/response" --data-binary @- > /dev/null ;;
            *stream*) (echo one; sleep 0.2; echo two) | curl -sS -XPOST -H 'Lambda-Runtime-Function-Response-Mode: streaming' "$API/invocation/$ID/response" -T - > /dev/null ;;
            *unknown*) CODE=$(curl -s -o /dev/null -w '%{http_code}' -XPOST "$API/invocation/nonsense/response" -d x)
                       PATHCODE=$(curl -s -o /dev/null -w '%{http_code}' "$API/nothing")
                       curl -sS -XPOST "$API/invocation/$ID/response" -d "\"$CODE $PATHCODE\"" > /dev/null
                       AGAIN=$(curl -s -o /dev/null -w '%{http_code}' -XPOST "$API/invocation/$ID/response" -d x); echo "again $AGAIN" ;;
            *headers*) curl -sS -XPOST "$API/invocation/$ID/response" --data-binary @"$HEADERS" > /dev/null ;;
            *xxxx*) printf '%s' "$EVENT" | wc -c | curl -sS -XPOST "$API/invocation/$ID/response" --data-binary @- > /dev/null ;;
            *slow*) sleep 1; curl -sS -XPOST "$API/invocation/$ID/response" -d '"late"' > /dev/null ;;
            *) curl -sS -XPOST "$API/invocation/$ID/response" -d "{\"echo\":$EVENT}" > /dev/null ;;
          esac
        done
        """;

    private readonly Scratch _code = new();
    private WorkerUnderTest _worker = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/curl"), "curl is not installed.");
        File.SetUnixFileMode(_code.Path, (UnixFileMode)0x1ED);
        await File.WriteAllTextAsync(_code["bootstrap"], Bootstrap);
        File.SetUnixFileMode(_code["bootstrap"], (UnixFileMode)0x1ED);
        _worker = await WorkerUnderTest.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_worker is not null) await _worker.DisposeAsync();
        _code.Dispose();
    }

    [Fact]
    public async Task Events_results_errors_and_streams_pass()
    {
        using var client = await StartAsync();
        Assert.Equal("""{"echo":{"x":1}}""", (await client.CallAsync(1, """{"x":1}""")).Text);
        var (type, _, error) = await client.CallAsync(2, "\"fail\"");
        Assert.Equal((FrameType.Error, """{"errorMessage":"it failed","errorType":"Custom"}"""), (type, error));
        await client.InvokeAsync(3, "\"stream\"");
        var (_, chunk) = await client.NextAsync(FrameType.Chunk);
        Assert.Equal("one\n"u8.ToArray(), chunk[FrameKey.Size..]);
        Assert.Equal((FrameType.Result, (byte)ResultFlags.Streamed, ""), await client.AnswerAsync());
    }

    [Fact]
    public async Task A_large_result_becomes_a_file()
    {
        using var client = await StartAsync();
        var (_, flags, path) = await client.CallAsync(3, "\"big\"");
        Assert.Equal(((byte)ResultFlags.File, "/dure/io/out/3-1"), (flags, path));
        Assert.Equal(700_000, new FileInfo($"{_worker.Data}/run/s/boot/io/out/3-1").Length);
    }

    [Fact]
    public async Task A_large_event_is_read_from_its_file()
    {
        using var client = await StartAsync();
        await File.WriteAllTextAsync($"{_worker.Data}/run/s/boot/in/event", "\"" + new string('x', 300_000) + "\"");
        await client.SendAsync(output => Frame.WriteInvoke(output, new FrameKey(1, 1), 0, [], false, "/dure/in/event", []));
        Assert.Equal("300002\n", (await client.AnswerAsync()).Text);
    }

    [Fact]
    public async Task The_headers_that_runtimes_rely_on_are_there()
    {
        using var client = await StartAsync();
        var text = (await client.CallAsync(5, "\"headers\"", """{"may_have_run":true,"id":"01h"}""")).Text;
        Assert.Contains("Lambda-Runtime-Aws-Request-Id: 01h", text, StringComparison.Ordinal);
        Assert.Matches(@"Lambda-Runtime-Deadline-Ms: \d{13}", text);
        Assert.Contains("Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:local:000000000000:function:resize:f00d", text, StringComparison.Ordinal);
        Assert.Contains("Lambda-Runtime-Trace-Id: Root=1-00000000-000000000000000000000005;Parent=0000000000000005;Sampled=0", text, StringComparison.Ordinal);
        Assert.Contains("Dure-May-Have-Run: true", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unknown_requests_and_second_answers_are_refused()
    {
        using var client = await StartAsync();
        Assert.Equal("\"400 404\"", (await client.CallAsync(1, "\"unknown\"")).Text);
        var log = (SandboxLog)await _worker.NextAsync(m => m is SandboxLog);
        Assert.Equal("again 400", log.Text);
    }

    [Fact]
    public async Task A_result_that_was_not_acknowledged_is_said_again_to_the_next_server()
    {
        using (var client = await StartAsync())
        {
            await client.InvokeAsync(9, "\"slow\"");
            await Task.Delay(300);
        }

        await Task.Delay(1200);
        using var next = await FunctionClient.ConnectAsync(_worker.Data, "boot");
        Assert.Contains("""["9",1]""", await next.ReadyAsync(), StringComparison.Ordinal);
        Assert.Equal("\"late\"", (await next.AnswerAsync()).Text);
        await next.SendAsync(output => Frame.WriteAck(output, new FrameKey(9, 1)));
        await Task.Delay(100);
        using var third = await FunctionClient.ConnectAsync(_worker.Data, "boot");
        Assert.DoesNotContain("\"9\"", await third.ReadyAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_cannot_initialise_is_told_of()
    {
        using var client = await StartAsync("FAIL_INIT");
        var (_, body) = await client.NextAsync(FrameType.InitError);
        Assert.Equal("""{"errorMessage":"no way","errorType":"Init"}"""u8.ToArray(), body);
    }

    private async Task<FunctionClient> StartAsync(string? variable = null)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["DURE_FUNCTION"] = "resize", ["DURE_VERSION"] = "f00d" };
        if (variable is not null) environment[variable] = "1";
        var spec = Specs.Run("/code/bootstrap") with { Mode = SandboxMode.RuntimeApi, CodeDirectory = _code.Path, Environment = environment };
        Assert.IsType<SandboxStarted>(await _worker.StartSandboxAsync("boot", spec));
        var client = await FunctionClient.ConnectAsync(_worker.Data, "boot");
        if (variable is null) await client.ReadyAsync();
        return client;
    }
}
