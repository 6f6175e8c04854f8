using System.Runtime.InteropServices;
using Xunit;

namespace Dure.Test.Functions.Runtimes;

/// <summary>Real system calls from inside a real sandbox.</summary>
public sealed class SystemCallFilterTest
{
    private const string NotPermitted = "1", NoSuchCall = "38", NoSuchFamily = "97", Done = "0", KilledByTheFilter = "-31";

    private static readonly Lazy<Task<Dictionary<string, string>>> s_confined = new(() => ProbeAsync("/dure/rt/dure-init", "--mode", "run", "--open-files", "123", "--"));
    private static readonly Lazy<Task<Dictionary<string, string>>> s_free = new(() => ProbeAsync());

    [Theory]
    [InlineData("mount")]
    [InlineData("umount2")]
    [InlineData("pivot_root")]
    [InlineData("chroot")]
    [InlineData("ptrace")]
    [InlineData("bpf")]
    [InlineData("perf_event_open")]
    [InlineData("add_key")]
    [InlineData("request_key")]
    [InlineData("keyctl")]
    [InlineData("kexec_load")]
    [InlineData("init_module")]
    [InlineData("finit_module")]
    [InlineData("delete_module")]
    [InlineData("userfaultfd")]
    [InlineData("open_by_handle_at")]
    [InlineData("setns")]
    [InlineData("unshare")]
    [InlineData("clone_newuser")]
    [InlineData("clone_newnet")]
    [InlineData("swapon")]
    [InlineData("swapoff")]
    [InlineData("reboot")]
    [InlineData("acct")]
    [InlineData("quotactl")]
    [InlineData("syslog")]
    [InlineData("kcmp")]
    [InlineData("process_vm_readv")]
    [InlineData("process_vm_writev")]
    [InlineData("sethostname")]
    [InlineData("io_uring_setup")]
    [InlineData("open_tree")]
    [InlineData("move_mount")]
    [InlineData("fsopen")]
    [InlineData("fsmount")]
    [InlineData("pidfd_getfd")]
    [InlineData("mount_setattr")]
    [InlineData("tiocsti")]
    [InlineData("personality_unsafe")]
    public async Task A_call_that_functions_do_not_need_is_not_permitted(string call) => Assert.Equal(NotPermitted, (await s_confined.Value)[call]);

    [Theory]
    [InlineData("clone3")]
    [InlineData("unknown_call")]
    public async Task A_call_that_cannot_be_judged_looks_absent(string call) => Assert.Equal(NoSuchCall, (await s_confined.Value)[call]);

    [Theory]
    [InlineData("socket_alg")]
    [InlineData("socket_vsock")]
    public async Task Address_families_that_lead_out_look_absent(string call) => Assert.Equal(NoSuchFamily, (await s_confined.Value)[call]);

    [Theory]
    [InlineData("socket_unix")]
    [InlineData("socket_inet")]
    [InlineData("socket_netlink")]
    [InlineData("fork")]
    [InlineData("thread")]
    [InlineData("personality_plain")]
    public async Task What_functions_need_works(string call) => Assert.Equal(Done, (await s_confined.Value)[call]);

    [Fact]
    public async Task Other_ways_into_the_kernel_are_closed()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            Assert.Skip("x86-64 only");
        var probed = await s_confined.Value;
        Assert.Equal((NotPermitted, NotPermitted, NoSuchCall, KilledByTheFilter), (probed["iopl"], probed["ioperm"], probed["x32_getpid"], probed["int80"]));
    }

    [Fact]
    public async Task No_privilege_is_left_and_none_can_be_gained()
    {
        var probed = await s_confined.Value;
        Assert.All(new[] { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" }, set => Assert.Equal("0000000000000000", probed[set]));
        Assert.Equal(("1", "2", "0", "123"), (probed["NoNewPrivs"], probed["Seccomp"], probed["core_limit"], probed["open_files"]));
    }

    [Fact]
    public async Task Without_the_filter_the_probe_gets_further()
    {
        var free = await s_free.Value;
        Assert.Equal(("0", "0"), (free["ptrace"], free["personality_unsafe"]));
        Assert.Contains(free, pair => pair.Key is "unshare" or "io_uring_setup" or "fsopen" or "keyctl" && pair.Value != NotPermitted);
    }

    [Theory]
    [InlineData("exit 7", 7)]
    [InlineData("kill -9 $$", 137)]
    public async Task The_commands_end_is_the_payloads_end(string script, int expected)
    {
        var command = await Bubblewrap.CommandAsync("/dure/rt/dure-init", "--mode", "run", "--", "/bin/sh", "-c", script);
        using var process = System.Diagnostics.Process.Start(command[0], command.Skip(1));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(expected, process.ExitCode);
    }

    private static async Task<Dictionary<string, string>> ProbeAsync(params string[] through)
    {
        var probe = await BuiltRuntimes.CompileCAsync("probe", BuiltRuntimes.Code("probe", "probe.c"));
        var command = await Bubblewrap.CommandAsync(["--ro-bind", probe, "/probe", .. through, "/probe"]);
        var output = await BuiltRuntimes.RunAsync(command[0], command.Skip(1));
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('=')).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
    }
}
