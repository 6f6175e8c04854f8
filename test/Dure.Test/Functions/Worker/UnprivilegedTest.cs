using Dure.Functions.Worker;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Functions.Worker;

/// <summary>A worker whose user may not touch control groups limits what it can and says what it cannot.</summary>
public sealed class UnprivilegedTest
{
    [Fact]
    public async Task Without_control_groups_sandboxes_run_and_the_number_of_processes_is_still_limited()
    {
        await using var worker = await WorkerUnderTest.StartAsync("--no-cgroups");
        Assert.Equal(new EnforcedLimits(false, false, false), worker.Hello.Limits);
        var bomb = Specs.Python("import os, time\nn = 0\ntry:\n    while True:\n        if os.fork() == 0: time.sleep(30)\n        n += 1\nexcept BlockingIOError: print(n < 64)");
        var ending = await worker.RunAsync("bomb", bomb);
        Assert.Equal("True\n", ending.Text);
        await worker.StartSandboxAsync("stop", Specs.Shell("trap '' TERM; sleep 45676 & sleep 45676"));
        await worker.SendAsync(new StopSandbox("stop", 100));
        Assert.Equal("stopped", (await worker.EndAsync("stop")).Exit.Reason);
        Assert.Empty(Specs.Alive("45676"));
    }
}
