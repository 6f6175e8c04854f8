using Dure.Functions.Worker;
using Xunit;

namespace Dure.Test.Functions.Worker;

/// <summary>What sandboxes write to their raw outputs.</summary>
public sealed class OutputTest(WorkerFixture fixture) : IClassFixture<WorkerFixture>
{
    [Fact]
    public async Task A_million_lines_arrive_and_the_end_comes_after_them()
    {
        var ending = await fixture.RunAsync(Specs.Shell("seq 1 1000000"));
        Assert.Equal(1_000_000, ending.Lines);
        Assert.EndsWith("\n1000000\n", ending.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_last_line_without_an_end_arrives()
    {
        var ending = await fixture.RunAsync(Specs.Shell("printf 'no end'"));
        Assert.Equal("no end\n", ending.Text);
    }

    [Fact]
    public async Task A_line_without_end_is_cut_at_64_KiB()
    {
        var ending = await fixture.RunAsync(Specs.Shell("head -c 200000 /dev/zero | tr '\\0' x"));
        Assert.Equal([65536, 65536, 65536, 3392], ending.Text.Split('\n')[..^1].Select(line => line.Length));
    }

    [Fact]
    public async Task Bytes_that_are_no_text_do_no_harm()
    {
        var ending = await fixture.RunAsync(Specs.Shell("printf 'a\\0b\\xff\\n\\xea\\xb0\\x80\\n'"));
        Assert.Equal("a\0b\ufffd\n가\n", ending.Text);
    }

    [Fact]
    public async Task Both_outputs_bear_their_names_and_the_time()
    {
        var slot = fixture.Slot();
        await fixture.Worker.SendAsync(new StartSandbox(slot, Specs.Shell("echo one; sleep 0.1; echo two >&2")));
        var one = (SandboxLog)await fixture.Worker.NextAsync(m => m is SandboxLog log && log.Slot == slot);
        var two = (SandboxLog)await fixture.Worker.NextAsync(m => m is SandboxLog log && log.Slot == slot);
        Assert.Equal(("out", "one", "err", "two"), (one.Stream, one.Text, two.Stream, two.Text));
        Assert.InRange(two.Ts - one.Ts, 50, 5000);
        await fixture.Worker.EndAsync(slot);
    }

    [Fact]
    public async Task A_server_that_does_not_read_makes_the_code_wait_and_loses_nothing()
    {
        var slot = fixture.Slot();
        await fixture.Worker.StartSandboxAsync(slot, Specs.Shell("seq 1 2000000; touch /dure/io/done"));
        await Task.Delay(1500);
        Assert.False(File.Exists($"{fixture.Worker.Data}/run/s/{slot}/io/done"));
        var ending = await fixture.Worker.EndAsync(slot);
        Assert.Equal(2_000_000, ending.Lines);
    }

    [Fact]
    public async Task The_code_may_open_its_outputs_again()
    {
        var ending = await fixture.RunAsync(Specs.Shell("echo again > /dev/stdout; exec > /dev/null 2>&1; sleep 0.1; echo later > /dure/io/raw.out"));
        Assert.Equal("again\nlater\n", ending.Text);
    }
}
