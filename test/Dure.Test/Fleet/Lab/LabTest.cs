using System.Diagnostics;
using System.Globalization;
using Dure.Fleet.Lab;
using Dure.Host.Programs;
using Dure.Host;
using Xunit;

namespace Dure.Test.Fleet.Lab;

/// <summary>Two real machines. Every test leaves them on, connected and with free disks.</summary>
public sealed class LabTest(TwoMachines two) : IClassFixture<TwoMachines>, IAsyncLifetime
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Address(string machine) => two.Record.AddressOf(two.Record.Find(machine).Value).ToString();

    public ValueTask InitializeAsync()
    {
        Assert.SkipWhen(two.Why is not null, two.Why ?? "");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_machine_is_reached_by_its_name_with_a_key_known_beforehand()
    {
        foreach (var machine in new[] { "n1", "n2" })
            Assert.Equal(machine, (await SshAsync(machine, "hostname")).Output.Trim());
        Assert.Equal("n2", (await SshAsync(Address("n2"), "hostname")).Output.Trim());
        // One that shows another's key is refused.
        var other = await SshAsync("-o", "HostName=" + Address("n2"), "n1", "hostname");
        Assert.Equal(255, other.ExitCode);
        Assert.Contains("IDENTIFICATION HAS CHANGED", other.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_boots_clean_and_has_what_the_fleet_asks_of_it()
    {
        var seen = await two.ShellAsync("n1", "systemctl is-system-running --wait; systemctl --failed --no-legend; sysctl -w net.ipv4.ip_nonlocal_bind=1 && ip addr add 10.77.255.9/32 dev host0 && ip addr del 10.77.255.9/32 dev host0 && nft list ruleset && test -c /dev/fuse && echo all");
        Assert.Equal("running\nnet.ipv4.ip_nonlocal_bind = 1\nall\n", seen.Output);
        var ids = new[] { await two.ShellAsync("n1", "cat /etc/machine-id"), await two.ShellAsync("n2", "cat /etc/machine-id") };
        Assert.NotEqual(ids[0].Output, ids[1].Output);
    }

    [Fact]
    public async Task A_machine_installs_packages_from_the_lab_and_reaches_nothing_else()
    {
        var installed = await two.ShellAsync("n1", "apt-get -q update && apt-get -qy install psmisc && killall --version");
        Assert.True(installed.ExitCode == 0, installed.Output + installed.Error);
        var unknown = await two.ShellAsync("n1", "apt-get -qy install cowsay");
        Assert.Equal(100, unknown.ExitCode);
        var outside = await two.ShellAsync("n1", "python3 -c 'import socket; socket.create_connection((\"192.0.2.1\", 80), 5)'");
        Assert.Contains("Network is unreachable", outside.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_package_server_shows_packages_and_nothing_beside_them()
    {
        using var client = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(1) }) { BaseAddress = new Uri($"http://{two.Record.ServerAddress}/debian-12/") };
        Assert.Contains("Package: psmisc", await client.GetStringAsync(new Uri("packages/Packages", UriKind.Relative), Cancel), StringComparison.Ordinal);
        var image = Path.GetFileName(two.Record.Root);
        foreach (var path in new[] { "packages.json", $"{image}/etc/shadow", $"packages/..%2f{image}/etc/shadow", $"packages/%2e%2e/{image}/etc/shadow", "packages/" })
        {
            using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), Cancel);
            Assert.Equal(System.Net.HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    [Fact]
    public async Task A_machine_whose_power_is_cut_is_gone_and_comes_back_with_its_disk()
    {
        await two.ShellAsync("n2", "echo kept > /var/lib/kept; echo lost > /run/lost; sync");
        var leader = two.Record.Find("n2").Value.Leader()!;
        TwoMachines.Value(await two.Lab.PowerCutAsync("n2", Cancel));
        Assert.False(leader.IsAlive);
        Assert.False(TwoMachines.Value(await two.Lab.IsUpAsync("n2", Cancel)));
        Assert.True(TwoMachines.Value(await two.Lab.IsUpAsync("n1", Cancel)));
        Assert.Equal(LabErrors.WrongState, (await two.Lab.PowerCutAsync("n2", Cancel)).Problem?.Kind);
        Assert.Equal(LabErrors.WrongState, (await two.Lab.ExecAsync("n2", ["true"], Cancel)).Problem?.Kind);
        TwoMachines.Value(await two.Lab.BootAsync("n2", Cancel));
        Assert.Equal(LabErrors.WrongState, (await two.Lab.BootAsync("n2", Cancel)).Problem?.Kind);
        Assert.Equal("kept\n", (await two.ShellAsync("n2", "cat /var/lib/kept; cat /run/lost")).Output);
    }

    [Fact]
    public async Task A_machine_reboots_cleanly_on_request_and_by_itself()
    {
        await two.ShellAsync("n2", "echo lost > /run/lost");
        TwoMachines.Value(await two.Lab.RebootAsync("n2", Cancel));
        Assert.Equal(1, (await two.ShellAsync("n2", "test -e /run/lost")).ExitCode);
        var before = two.Record.Find("n2").Value.Leader();
        await two.ShellAsync("n2", "systemctl reboot");
        Assert.True(await EventuallyAsync(async () => two.Record.Find("n2").Value.Leader() is { } now && now != before && (await two.Lab.IsUpAsync("n2", Cancel)).Value));
    }

    [Fact]
    public async Task A_cut_network_is_cut_for_everyone_and_heals()
    {
        TwoMachines.Value(await two.Lab.CutNetworkAsync("n2", null, Cancel));
        Assert.Equal("cut", await NetworkAsync("n2"));
        Assert.NotEqual(0, (await two.ShellAsync("n1", "ping -c1 -W0.3 n2")).ExitCode);
        Assert.Equal(LabErrors.WrongState, (await two.Lab.CutNetworkAsync("n2", null, Cancel)).Problem?.Kind);
        TwoMachines.Value(await two.Lab.HealNetworkAsync("n2", null, Cancel));
        Assert.Equal(0, (await two.ShellAsync("n1", "ping -c1 -W5 n2")).ExitCode);
    }

    [Fact]
    public async Task Two_machines_are_cut_off_from_each_other_and_from_nobody_else()
    {
        TwoMachines.Value(await two.Lab.CutNetworkAsync("n1", "n2", Cancel));
        Assert.Equal("cut from n2", await NetworkAsync("n1"));
        Assert.NotEqual(0, (await two.ShellAsync("n2", "ping -c1 -W0.3 n1")).ExitCode);
        foreach (var machine in new[] { "n1", "n2" })
            Assert.True((await two.Lab.IsUpAsync(machine, Cancel)).Value);
        TwoMachines.Value(await two.Lab.HealNetworkAsync("n2", "n1", Cancel));
        Assert.Equal(0, (await two.ShellAsync("n2", "ping -c1 -W5 n1")).ExitCode);
        Assert.Equal(LabErrors.NoSuchMachine, (await two.Lab.CutNetworkAsync("n1", "n9", Cancel)).Problem?.Kind);
    }

    [Fact]
    public async Task A_slow_network_is_slow_both_ways_carries_everything_and_heals()
    {
        TwoMachines.Value(await two.Lab.SlowNetworkAsync("n2", TimeSpan.FromMilliseconds(80), 0, Cancel));
        Assert.Equal("slow", await NetworkAsync("n2"));
        var trip = (await two.ShellAsync("n1", "ping -q -c3 -i0.2 n2")).Output;
        Assert.InRange(Best(trip), 78, 400);
        // More than fits a frame, so that what the kernel leaves whole is cut up on the way.
        Assert.Equal("3000000", (await SshAsync("n2", "head -c 3000000 /dev/zero")).Output.Length.ToString(CultureInfo.InvariantCulture));
        TwoMachines.Value(await two.Lab.SlowNetworkAsync("n2", TimeSpan.Zero, 0.5, Cancel));
        var lossy = (await two.ShellAsync("n1", "ping -q -c40 -i0.02 -W1 n2")).Output;
        Assert.DoesNotContain(" 0% packet loss", lossy, StringComparison.Ordinal);
        Assert.DoesNotContain(" 100% packet loss", lossy, StringComparison.Ordinal);
        TwoMachines.Value(await two.Lab.HealNetworkAsync("n2", null, Cancel));
        Assert.Equal("up", await NetworkAsync("n2"));
        Assert.InRange(Best((await two.ShellAsync("n1", "ping -q -c5 -i0.2 n2")).Output), 0, 40);
    }

    [Fact]
    public async Task A_full_disk_takes_nothing_more_until_it_is_freed()
    {
        TwoMachines.Value(await two.Lab.FillDiskAsync("n1", "/var", 10 << 20, Cancel));
        Assert.Equal(0, (await two.ShellAsync("n1", "head -c 2M /dev/zero > /var/small; sync -f /var/small")).ExitCode);
        Assert.Contains("No space left", (await two.ShellAsync("n1", "head -c 20M /dev/zero > /var/large")).Error, StringComparison.Ordinal);
        Assert.Equal(LabErrors.WrongState, (await two.Lab.FillDiskAsync("n1", "/var", 1 << 20, Cancel)).Problem?.Kind);
        TwoMachines.Value(await two.Lab.FreeDiskAsync("n1", Cancel));
        Assert.Equal(0, (await two.ShellAsync("n1", "head -c 20M /dev/zero > /var/large; sync -f /var/large; rm /var/large /var/small")).ExitCode);
        Assert.Equal(LabErrors.WrongState, (await two.Lab.FreeDiskAsync("n1", Cancel)).Problem?.Kind);
    }

    [Fact]
    public async Task The_main_process_of_a_unit_is_killed_or_stopped_and_no_other()
    {
        await two.ShellAsync("n1", "systemd-run -q --unit=one sleep 1000; systemd-run -q --unit=other sh -c 'trap \"\" TERM; while :; do sleep 1; done'");
        TwoMachines.Value(await two.Lab.KillProcessAsync("n1", "one.service", 19, Cancel));
        TwoMachines.Value(await two.Lab.KillProcessAsync("n1", "one.service", 9, Cancel));
        Assert.Equal("active\n", (await two.ShellAsync("n1", "systemctl is-active other")).Output);
        Assert.Equal(LabErrors.WrongState, (await two.Lab.KillProcessAsync("n1", "one.service", 9, Cancel)).Problem?.Kind);
        TwoMachines.Value(await two.Lab.KillProcessAsync("n1", "other.service", 9, Cancel));
        // The machines are shared: another test asks whether nothing failed on them.
        await two.ShellAsync("n1", "systemctl reset-failed");
    }

    [Fact]
    public async Task What_is_not_in_the_lab_is_refused()
    {
        foreach (var act in new Func<string, Task<Outcome<bool>>>[]
        {
            name => two.Lab.PowerCutAsync(name, Cancel), name => two.Lab.BootAsync(name, Cancel), name => two.Lab.RebootAsync(name, Cancel), name => two.Lab.IsUpAsync(name, Cancel),
            name => two.Lab.CutNetworkAsync(name, null, Cancel), name => two.Lab.HealNetworkAsync(name, null, Cancel), name => two.Lab.SlowNetworkAsync(name, TimeSpan.Zero, 0, Cancel),
            name => two.Lab.FillDiskAsync(name, "/var", 0, Cancel), name => two.Lab.FreeDiskAsync(name, Cancel),
        })
        {
            Assert.Equal(LabErrors.NoSuchMachine, (await act("n3")).Problem?.Kind);
        }
        Assert.Equal(LabErrors.NoSuchLab, RunningLab.Open(two.Places, "other").Problem?.Kind);
        Assert.Equal(LabErrors.BadSpec, RunningLab.Open(two.Places, "../x").Problem?.Kind);
    }

    [Fact]
    public async Task A_process_that_has_the_id_of_a_machine_and_started_at_another_time_is_left_alone()
    {
        var real = two.Record.Find("n1").Value.Process!;
        using var stranger = Process.Start("sleep", "100");
        var mark = ProcessMark.Of(stranger.Id)!;
        TwoMachines.Value(await two.Lab.Folder.ChangeAsync(record => record.With("n1", machine => machine with { Process = mark with { Started = mark.Started - 1 } }), Cancel));
        Assert.Equal(LabErrors.WrongState, (await two.Lab.PowerCutAsync("n1", Cancel)).Problem?.Kind);
        Assert.True(mark.IsAlive);
        TwoMachines.Value(await two.Lab.Folder.ChangeAsync(record => record.With("n1", machine => machine with { Process = real }), Cancel));
        Assert.True(TwoMachines.Value(await two.Lab.IsUpAsync("n1", Cancel)));
        stranger.Kill();
    }

    [Fact]
    public async Task A_second_up_finds_everything_there()
    {
        var before = two.Record;
        TwoMachines.Value(await TwoMachines.UpAsync(two.Places, two.Spec));
        Assert.Equal(before.Machines.Select(machine => machine.Process), two.Record.Machines.Select(machine => machine.Process));
        Assert.Equal(before.Server, two.Record.Server);
        var moved = two.Spec with { Machines = [new("n1", 99)] };
        Assert.Equal(LabErrors.BadSpec, (await TwoMachines.UpAsync(two.Places, moved)).Problem?.Kind);
    }

    private async Task<string> NetworkAsync(string machine) =>
        TwoMachines.Value(await two.Lab.StatusAsync(Cancel)).Machines.Single(seen => seen.Name == machine).Network;

    private Task<Ran> SshAsync(params string[] words) => HostProgram.RunAsync(["ssh", "-F", two.Lab.Folder.SshConfig, .. words], Cancel);

    // "rtt min/avg/max/mdev = 80.1/80.4/81.0/0.3 ms"
    private static double Best(string ping) => double.Parse(ping[(ping.LastIndexOf("= ", StringComparison.Ordinal) + 2)..].Split('/')[0], CultureInfo.InvariantCulture);

    private static async Task<bool> EventuallyAsync(Func<Task<bool>> holds)
    {
        for (var attempt = 0; attempt < 600; attempt++)
        {
            if (await holds())
                return true;
            await Task.Delay(50, Cancel);
        }
        return false;
    }
}
