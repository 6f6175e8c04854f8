using System.Diagnostics;
using Dure.Functions.Worker;
using Xunit;

namespace Dure.Test.Functions.Worker;

/// <summary>How sandboxes end: by themselves, on request, with all that belongs to them.</summary>
public sealed class EndingTest(WorkerFixture fixture) : IClassFixture<WorkerFixture>
{
    [Theory]
    [InlineData("exit 0", 0, 0, "exit")]
    [InlineData("exit 3", 3, 0, "exit")]
    [InlineData("kill -SEGV $$", 139, 11, "signal")]
    [InlineData("kill -KILL $$", 137, 9, "signal")]
    [InlineData("exec /nowhere", 127, 0, "exit")]
    public async Task The_exit_code_or_the_signal_is_told(string script, int code, int signal, string reason)
    {
        var ending = await fixture.RunAsync(Specs.Shell(script));
        Assert.Equal((code, signal, reason), (ending.Exit.Code, ending.Exit.Signal, ending.Exit.Reason));
    }

    [Fact]
    public async Task Who_heeds_the_request_may_finish_its_work()
    {
        var slot = fixture.Slot();
        await fixture.Worker.StartSandboxAsync(slot, Specs.Shell("trap 'echo finished; exit 5' TERM; echo ready; while :; do sleep 0.05; done"));
        await fixture.Worker.NextAsync(m => m is SandboxLog log && log.Text == "ready");
        await fixture.Worker.SendAsync(new StopSandbox(slot, 5000));
        var ending = await fixture.Worker.EndAsync(slot);
        Assert.Contains("finished", ending.Text, StringComparison.Ordinal);
        Assert.Equal(("stopped", 5), (ending.Exit.Reason, ending.Exit.Code));
    }

    [Fact]
    public async Task Who_ignores_the_request_is_killed_after_the_grace_with_all_its_processes()
    {
        var slot = fixture.Slot();
        await fixture.Worker.StartSandboxAsync(slot, Specs.Shell("trap '' TERM; sleep 45671 & setsid sleep 45671 & (sleep 45671 &) ; echo ready; sleep 45671"));
        await fixture.Worker.NextAsync(m => m is SandboxLog log && log.Text == "ready");
        var time = Stopwatch.StartNew();
        await fixture.Worker.SendAsync(new StopSandbox(slot, 300));
        var ending = await fixture.Worker.EndAsync(slot);
        Assert.InRange(time.ElapsedMilliseconds, 290, 3000);
        Assert.Equal("stopped", ending.Exit.Reason);
        Assert.Empty(Specs.Alive("45671"));
    }

    [Fact]
    public async Task What_the_command_leaves_running_ends_with_it()
    {
        var ending = await fixture.RunAsync(Specs.Shell("setsid nohup sleep 45672 > /dev/null 2>&1 & echo left; exit 0"));
        Assert.Equal("exit", ending.Exit.Reason);
        Assert.Empty(Specs.Alive("45672"));
    }

    [Fact]
    public async Task Nothing_of_an_ended_sandbox_is_left_in_the_control_groups()
    {
        var slot = fixture.Slot();
        await fixture.Worker.RunAsync(slot, Specs.Shell("exit 0"));
        await Specs.UntilAsync(() => Groups() <= 2 * Folders().Length, TimeSpan.FromSeconds(3));
        Assert.InRange(Groups(), 0, 2 * Folders().Length);
    }

    [Fact]
    public async Task A_hundred_sandboxes_at_once_all_end()
    {
        for (var i = 0; i < 100; i++) await fixture.Worker.SendAsync(new StartSandbox($"many{i}", Specs.Shell($"echo {i}")));
        var ended = new HashSet<string>(StringComparer.Ordinal);
        while (ended.Count < 100)
        {
            var exited = (SandboxExited)await fixture.Worker.NextAsync(m => m is SandboxExited);
            Assert.Equal(0, exited.Code);
            Assert.True(ended.Add(exited.Slot));
        }
    }

    private int Groups() => Folders().Sum(folder => Directory.GetDirectories(folder).Length);

    private string[] Folders() => File.ReadAllLines(fixture.Worker.Data + "/run/w/w1.cgroups");
}
