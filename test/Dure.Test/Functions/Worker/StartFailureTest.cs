using Dure.Functions.Worker;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Worker;

/// <summary>What cannot be started is said in words that help.</summary>
public sealed class StartFailureTest(WorkerFixture fixture) : IClassFixture<WorkerFixture>
{
    private static readonly SandboxSpec Shim = Specs.Shell("echo its last words >&2; exit 9") with { Mode = SandboxMode.Shim };

    [Fact]
    public async Task A_program_that_ends_before_it_is_ready_is_quoted()
    {
        // dure-init opens no socket for a shim: this one never does.
        var ending = await fixture.RunAsync(Shim);
        Assert.Equal("DURE0302", ending.Failed?.Error);
        Assert.Equal("exited with code 9: its last words", ending.Failed?.Detail);
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_named()
    {
        var ending = await fixture.RunAsync(Specs.Run("/code/nothing") with { Mode = SandboxMode.Shim });
        Assert.Equal("DURE0302", ending.Failed?.Error);
        Assert.Contains("/code/nothing: No such file or directory", ending.Failed?.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_little_memory_to_start_names_the_limit()
    {
        Assert.SkipUnless(fixture.Worker.Hello.Limits.Memory, "No control group limits memory here.");
        var spec = Specs.Python("x = bytearray(50 << 20)") with { Mode = SandboxMode.Shim };
        var ending = await fixture.RunAsync(spec with { Limits = spec.Limits with { MemoryBytes = 16 << 20 } });
        Assert.Equal("DURE0302", ending.Failed?.Error);
        Assert.Contains("memory limit 16 MiB reached", ending.Failed?.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Bad Name")]
    [InlineData("../up")]
    [InlineData("")]
    [InlineData("_own")]
    [InlineData("abcdefghijklmnopqrstuvwxyzabcdefg")]
    public async Task A_slot_name_that_could_be_a_path_is_refused(string slot) =>
        Assert.Equal("DURE0305", (await fixture.Worker.RunAsync(slot, Shim)).Failed?.Error);

    [Fact]
    public async Task A_slot_that_runs_or_has_run_is_not_taken_again()
    {
        var slot = fixture.Slot();
        await fixture.Worker.StartSandboxAsync(slot, Specs.Shell("sleep 60"));
        Assert.Equal("DURE0304", (await fixture.Worker.RunAsync(slot, Shim)).Failed?.Error);
        await fixture.Worker.SendAsync(new StopSandbox(slot, 0));
        await fixture.Worker.EndAsync(slot);
        Assert.Equal("DURE0304", (await fixture.Worker.RunAsync(slot, Shim)).Failed?.Error);
    }

    [Theory]
    [InlineData("command")]
    [InlineData("environment")]
    [InlineData("code")]
    [InlineData("mount")]
    public async Task Nonsense_is_refused_before_anything_is_started(string what)
    {
        var spec = what switch
        {
            "command" => Shim with { Command = [] },
            "environment" => Shim with { Environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["A=B"] = "x" } },
            "code" => Shim with { CodeDirectory = "/nowhere" },
            _ => Shim with { Mounts = [new SandboxMount("relative", "/x", false)] },
        };
        Assert.Equal("DURE0306", (await fixture.RunAsync(spec)).Failed?.Error);
    }

    [Fact]
    public async Task A_line_that_is_not_understood_does_no_harm()
    {
        Assert.Equal("DURE0306", (await fixture.RunAsync(null!)).Failed?.Error);
        Assert.Equal(0, (await fixture.RunAsync(Specs.Shell("exit 0"))).Exit.Code);
    }

    [Fact]
    public async Task A_data_folder_that_sandboxes_cannot_reach_is_named()
    {
        Assert.SkipUnless(Environment.UserName == "root", "Only root starts sandboxes as another user.");
        using var closed = new Scratch();
        File.SetUnixFileMode(closed.Path, (UnixFileMode)0x1C0);
        Directory.CreateDirectory(closed["data"]);
        var (code, text) = await Child.RunAsync(TestContext.Current.CancellationToken, await WorkerUnderTest.CommandAsync(closed["data"]));
        Assert.Equal(9, code);
        Assert.Contains("DURE0309", text, StringComparison.Ordinal);
        Assert.Contains($"may not pass {closed.Path}", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_folder_with_too_long_a_path_is_refused()
    {
        using var scratch = new Scratch();
        var (code, text) = await Child.RunAsync(TestContext.Current.CancellationToken, await WorkerUnderTest.CommandAsync(scratch[new string('x', 80)]));
        Assert.Equal(2, code);
        Assert.Contains("DURE0310", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gpu_that_is_not_there_is_refused()
    {
        var ending = await fixture.RunAsync(Specs.Shell("exit 0") with { Gpus = [97] });
        Assert.Equal("DURE0313", ending.Failed?.Error);
    }
}
