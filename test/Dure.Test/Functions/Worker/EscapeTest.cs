using Dure.Functions.Worker;
using Xunit;

namespace Dure.Test.Functions.Worker;

/// <summary>What hostile code tries from inside a sandbox. Everything is refused.</summary>
public sealed class EscapeTest(WorkerFixture fixture) : IClassFixture<WorkerFixture>
{
    [Fact]
    public async Task The_data_folder_cannot_be_seen()
    {
        await File.WriteAllTextAsync(fixture.Worker.Data + "/owner.token", "a-secret-token");
        var ending = await fixture.RunAsync(Specs.Shell($"ls {fixture.Worker.Data}; cat {fixture.Worker.Data}/owner.token; ls /tmp /home /root /var /srv; find / -name owner.token 2>/dev/null; exit 0"));
        Assert.DoesNotContain("a-secret-token", ending.Text, StringComparison.Ordinal);
        Assert.Contains($"cannot access '{fixture.Worker.Data}'", ending.Text, StringComparison.Ordinal);
        Assert.Contains("cannot access '/root'", ending.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_sandboxs_files_cannot_be_seen()
    {
        var other = fixture.Slot();
        await fixture.Worker.StartSandboxAsync(other, Specs.Shell("echo its-secret > /dure/io/secret; echo its-secret > /tmp/secret; sleep 60"));
        await Specs.UntilAsync(() => File.Exists($"{fixture.Worker.Data}/run/s/{other}/io/secret"), TimeSpan.FromSeconds(5));
        var ending = await fixture.RunAsync(Specs.Shell("grep -rs its-secret /dure /tmp /dev/shm /code; ls /dure/io/../..; ls -la /proc/*/root/dure/io; exit 0"));
        await fixture.Worker.SendAsync(new StopSandbox(other, 0));
        Assert.DoesNotContain("its-secret", ending.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", ending.Text.Replace("/tmp/secret", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_hosts_processes_and_environment_cannot_be_seen()
    {
        var ending = await fixture.RunAsync(Specs.Shell($"ls -d /proc/[0-9]* | wc -l; kill -0 {fixture.Worker.Pid}; cat /proc/{fixture.Worker.Pid}/environ; env"));
        Assert.True(int.Parse(ending.Text.Split('\n')[0], System.Globalization.CultureInfo.InvariantCulture) < 8, ending.Text);
        Assert.Contains("No such process", ending.Text, StringComparison.Ordinal);
        Assert.Equal(["HOME", "PATH", "PWD", "SHLVL", "_"], Names(ending.Text));
    }

    [Fact]
    public async Task The_network_is_not_there_when_it_is_none()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        var ending = await fixture.RunAsync(Specs.Shell(
            $"(echo > /dev/tcp/127.0.0.1/{port}) 2>&1; (echo > /dev/tcp/10.0.2.2/{port}) 2>&1; (echo > /dev/tcp/8.8.8.8/53) 2>&1; tail -n +3 /proc/net/dev; exit 0"));
        Assert.Contains("Connection refused", ending.Text, StringComparison.Ordinal);
        Assert.Contains("/dev/tcp/8.8.8.8/53: Network is unreachable", ending.Text, StringComparison.Ordinal);
        Assert.Contains($"/dev/tcp/10.0.2.2/{port}: Network is unreachable", ending.Text, StringComparison.Ordinal);
        Assert.Contains("lo:", ending.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("eth", ending.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("os.setuid(0)")]
    [InlineData("os.setgid(0)")]
    [InlineData("os.chroot('/tmp')")]
    [InlineData("os.mknod('/tmp/null', 0o20666, os.makedev(1, 3)); open('/tmp/null', 'w').write('x')")]
    [InlineData("C.mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0 or no()")]
    [InlineData("C.unshare(0x10000000) == 0 or no()")]
    [InlineData("C.unshare(0x20000) == 0 or no()")]
    [InlineData("C.ptrace(16, 1, 0, 0) == 0 or no()")]
    [InlineData("C.syscall(321, 0, 0, 0) >= 0 or no()")]
    [InlineData("C.syscall(250, 0, 0, 0) >= 0 or no()")]
    [InlineData("C.sethostname(b'x', 1) == 0 or no()")]
    [InlineData("open('/usr/bin/mine', 'w')")]
    [InlineData("open('/etc/passwd', 'a')")]
    [InlineData("open('/code/mine', 'w')")]
    [InlineData("open('/dure/rt/mine', 'w')")]
    [InlineData("open('/dure/in/mine', 'w')")]
    [InlineData("open('/mine', 'w')")]
    [InlineData("open('/dev/mine', 'w')")]
    [InlineData("open('/proc/sys/kernel/hostname', 'w').write('x')")]
    [InlineData("open('/proc/sysrq-trigger', 'w').write('x')")]
    [InlineData("open('/proc/1/mem', 'rb').read(1)")]
    [InlineData("open('/dev/mem', 'rb')")]
    [InlineData("open('/dev/kmsg', 'rb')")]
    [InlineData("os.listdir('/sys')")]
    [InlineData("os.kill(1, 9); time.sleep(0.1); os.kill(1, 0); no()")]
    public async Task Privileges_cannot_be_raised_nor_the_system_changed(string attempt)
    {
        var program = "import os, sys, time, ctypes\nC = ctypes.CDLL(None, use_errno=True)\ndef no(): raise OSError('refused')\ntry:\n    "
            + attempt + "\nexcept OSError:\n    print('refused')\nelse:\n    print('ALLOWED')";
        var ending = await fixture.RunAsync(Specs.Python(program));
        Assert.Equal("refused\n", ending.Text);
    }

    [Fact]
    public async Task A_setuid_program_gives_no_privileges()
    {
        var ending = await fixture.RunAsync(Specs.Shell("su -c id 2>&1; mount -t tmpfs none /tmp 2>&1; grep -E 'NoNewPrivs|CapEff|Seccomp:' /proc/self/status"));
        Assert.DoesNotContain("uid=0", ending.Text, StringComparison.Ordinal);
        Assert.Contains("NoNewPrivs:\t1", ending.Text, StringComparison.Ordinal);
        Assert.Contains("CapEff:\t0000000000000000", ending.Text, StringComparison.Ordinal);
        Assert.Contains("Seccomp:\t2", ending.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_descriptor_of_the_worker_leaks_in()
    {
        var ending = await fixture.RunAsync(Specs.Shell("ls /proc/self/fd | tr '\\n' ' '; for p in /proc/[0-9]*; do ls $p/fd 2>/dev/null | wc -l; done"));
        Assert.StartsWith("0 1 2 3 ", ending.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_in_the_environment_stands_in_no_command_line()
    {
        var slot = fixture.Slot();
        var spec = Specs.Shell("sleep 60") with { Environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["KEY"] = "hush-4711" } };
        await fixture.Worker.StartSandboxAsync(slot, spec);
        Assert.Empty(Specs.Alive("hush-4711"));
        await fixture.Worker.SendAsync(new StopSandbox(slot, 0));
        await fixture.Worker.EndAsync(slot);
    }

    [Fact]
    public async Task An_environment_variable_does_not_act_on_what_runs_outside()
    {
        var library = fixture.Worker.Data + "/evil.so";
        await File.WriteAllTextAsync(library, "not a library");
        var spec = Specs.Shell("echo fine") with { Environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["LD_PRELOAD"] = library, ["LD_DEBUG"] = "files" } };
        var ending = await fixture.RunAsync(spec);
        Assert.Contains("fine", ending.Text, StringComparison.Ordinal);
        // The dynamic linker speaks of every program that it starts: bubblewrap must not be among them.
        Assert.DoesNotContain("bwrap", ending.Text, StringComparison.Ordinal);
    }

    private static List<string> Names(string text) =>
        [.. text.Split('\n').Where(line => line.Contains('=', StringComparison.Ordinal) && !line.Contains(' ', StringComparison.Ordinal)).Select(line => line.Split('=')[0]).Order(StringComparer.Ordinal)];
}
