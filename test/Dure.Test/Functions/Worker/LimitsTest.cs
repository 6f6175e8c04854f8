using Dure.Functions.Worker;
using Xunit;

namespace Dure.Test.Functions.Worker;

/// <summary>Every limit ends what goes over it and is named in the reason.</summary>
public sealed class LimitsTest(WorkerFixture fixture) : IClassFixture<WorkerFixture>
{
    [Fact]
    public async Task Too_much_memory_ends_the_sandbox_and_names_the_limit()
    {
        Assert.SkipUnless(fixture.Worker.Hello.Limits.Memory, "No control group limits memory here.");
        var ending = await fixture.RunAsync(Specs.Python("x = bytearray(500 << 20)"));
        Assert.Equal("memory", ending.Exit.Reason);
        Assert.Equal("memory limit 128 MiB reached (cgroup OOM)", ending.Exit.Detail);
        Assert.InRange(ending.Exit.MemoryPeakBytes, 64L << 20, 128L << 20);
    }

    [Fact]
    public async Task A_child_that_takes_too_much_memory_ends_the_whole_sandbox()
    {
        Assert.SkipUnless(fixture.Worker.Hello.Limits.Memory, "No control group limits memory here.");
        var ending = await fixture.RunAsync(Specs.Shell("python3 -S -c 'x = bytearray(500 << 20)'; sleep 60"));
        Assert.Equal("memory", ending.Exit.Reason);
    }

    [Fact]
    public async Task A_fork_bomb_is_ended_within_two_seconds()
    {
        Assert.SkipUnless(fixture.Worker.Hello.Limits.Processes, "No control group limits processes here.");
        var time = System.Diagnostics.Stopwatch.StartNew();
        var ending = await fixture.RunAsync(Specs.Shell("bomb() { bomb | bomb & }; bomb; sleep 60"));
        Assert.Equal("processes", ending.Exit.Reason);
        Assert.Equal("process limit 64 reached", ending.Exit.Detail);
        Assert.InRange(time.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_hundred_gibibytes_into_tmp_end_with_no_space_left()
    {
        var ending = await fixture.RunAsync(Specs.Shell("dd if=/dev/zero of=/tmp/x bs=1M count=102400 2>&1 | head -1; stat -c %s /tmp/x; dd if=/dev/zero of=/dev/shm/x bs=1M count=102400 2>&1 | head -1"));
        Assert.Equal(2, ending.Text.Split("No space left on device").Length - 1);
        Assert.Contains("16777216", ending.Text, StringComparison.Ordinal);
        Assert.Equal("exit", ending.Exit.Reason);
    }

    [Fact]
    public async Task No_tmp_means_hardly_a_page()
    {
        var spec = Specs.Shell("dd if=/dev/zero of=/tmp/x bs=1k count=100 2>&1 | tail -1");
        var ending = await fixture.RunAsync(spec with { Limits = spec.Limits with { TmpBytes = 0 } });
        Assert.Contains("4096 bytes", ending.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Processor_time_is_shared_out()
    {
        Assert.SkipUnless(fixture.Worker.Hello.Limits.Cpu, "No control group limits processor time here.");
        var spec = Specs.Shell("timeout 1 bash -c 'while :; do :; done'; exit 0");
        var ending = await fixture.RunAsync(spec with { Limits = spec.Limits with { CpuMillis = 200 } });
        Assert.InRange(ending.Exit.CpuMicros, 50_000, 500_000);
    }

    [Fact]
    public async Task Open_files_are_limited()
    {
        var spec = Specs.Python("import os\ntry:\n    while True: last = os.open('/dev/null', 0)\nexcept OSError as e: print(e.errno, last)");
        var ending = await fixture.RunAsync(spec with { Limits = spec.Limits with { OpenFiles = 20 } });
        Assert.Equal("24 19\n", ending.Text);
    }

    [Fact]
    public async Task What_was_used_is_told()
    {
        Assert.SkipUnless(fixture.Worker.Hello.Limits.Memory, "No control group here.");
        var slot = fixture.Slot();
        await fixture.Worker.StartSandboxAsync(slot, Specs.Python("import time\nx = bytearray(40 << 20)\ntime.sleep(60)"));
        var usage = (SandboxUsage)await fixture.Worker.NextAsync(m => m is SandboxUsage u && u.Slots.Any(s => s.Slot == slot && s.MemoryBytes > 40 << 20));
        Assert.True(usage.Slots.Single(s => s.Slot == slot).CpuMicros > 0);
        await fixture.Worker.SendAsync(new StopSandbox(slot, 0));
        await fixture.Worker.EndAsync(slot);
    }
}
