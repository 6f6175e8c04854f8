using Dure.Host;
using Dure.Host.Commands;

namespace Dure.Fleet.Lab;

internal sealed partial class RunningLab
{
    private const int KillSignal = 9;

    // systemd.service(8): SIGRTMIN+5 reboots; glibc's SIGRTMIN is 34.
    private const int RebootSignal = 34 + 5;

    // What asks for a reboot ends with 133 (systemd-nspawn under --keep-unit). Each start enters the machine's control group anew.
    private const string KeepRunning =
        """
        while sh -c 'while [ "$1" != -- ]; do echo $$ >"$1" || exit 1; shift; done; shift; exec "$@"' sh "$@"; [ $? = 133 ]; do :; done
        """;

    private static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(90);

    /// <summary>Switches a machine on. Its disk is as it was when it went off.</summary>
    public async Task<Outcome<bool>> BootAsync(string machine, CancellationToken cancel)
    {
        var read = Record();
        if (!read.Ok)
            return read.Problem;
        var found = read.Value.Find(machine);
        if (!found.Ok)
            return found.Problem;
        if (found.Value.Process is { IsAlive: true })
            return LabErrors.WrongState.With($"{machine} is on.");
        return await StartMachineAsync(read.Value, found.Value, cancel) is { } failed ? failed : true;
    }

    /// <summary>
    /// Takes a machine's power away: first its link, so that nobody gets a farewell from its kernel, then everything in it at once. What it had
    /// written and not synced stays, unlike with a real power cut: the page cache is the host's.
    /// </summary>
    public async Task<Outcome<bool>> PowerCutAsync(string machine, CancellationToken cancel)
    {
        var found = Up(machine);
        if (!found.Ok)
            return found.Problem;
        var (record, target, leader) = found.Value;
        if (await LabProgram.DoAsync(cancel, "ip", "-n", record.Namespace, "link", "set", target.Link, "down") is { } failed)
            return failed;
        await EndAsync(target, cancel);
        var cgroup = new LabCgroup(record.Cgroup);
        IReadOnlyList<int> left = [.. await cgroup.KillAsync(target.PowerMember, TimeSpan.FromSeconds(5), cancel), .. await cgroup.KillAsync(target.Name, TimeSpan.FromSeconds(5), cancel)];
        var changed = await _folder.ChangeAsync(now => now.With(machine, of => of with { Process = null }), cancel);
        if (!changed.Ok)
            return changed.Problem;
        if (left.Count > 0 || leader.IsAlive)
            return LabErrors.NoEffect.With($"Processes of {machine} still run: {string.Join(", ", left.Append(leader.Pid))}.");
        return await LabNetwork.SeesAsync(record, record.AddressOf(target), cancel)
            ? LabErrors.NoEffect.With($"{record.AddressOf(target)} answers, and {machine} has no power.")
            : true;
    }

    /// <summary>Lets a machine shut down cleanly and start again, and waits until SSH answers.</summary>
    public async Task<Outcome<bool>> RebootAsync(string machine, CancellationToken cancel)
    {
        var found = Up(machine);
        if (!found.Ok)
            return found.Problem;
        var (record, target, leader) = found.Value;
        if (!Posix.Signal(leader.Pid, RebootSignal))
            return LabErrors.WrongState.With($"{machine} went off just now.");
        var began = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(began) < BootLimit)
        {
            await Task.Delay(20, cancel);
            if (!leader.IsAlive && target.Process is not { IsAlive: true })
                break;
            if (target.Leader() is { } next && next != leader && await Reachable.HasSshAsync(record.AddressOf(target), cancel))
                return true;
        }
        return leader.IsAlive
            ? LabErrors.NoEffect.With($"{machine} did not shut down within {BootLimit.TotalSeconds:0} s.")
            : LabErrors.NotUp.With($"{machine} shut down and did not come back; see {ConsoleLog(machine)}.");
    }

    // Only what is inside: systemd-nspawn then ends by itself and tidies up what it has outside.
    private static async Task EndAsync(MachineRecord machine, CancellationToken cancel)
    {
        if (machine.Leader() is not { } leader)
            return;
        Posix.Signal(leader.Pid, KillSignal);
        for (var wait = 0; wait < 300 && machine.Process is { IsAlive: true }; wait++)
            await Task.Delay(10, cancel);
    }

    private string ConsoleLog(string machine) => Path.Combine(_folder.Machine(machine), "console.log");

    private async Task<Problem?> StartMachineAsync(LabRecord record, MachineRecord machine, CancellationToken cancel)
    {
        var disk = new MachineDisk(_folder, record, machine);
        if (await disk.MountAsync(cancel) is { } noDisk)
            return noDisk;
        var cgroup = new LabCgroup(record.Cgroup);
        // What an interrupted start has left.
        foreach (var member in new[] { machine.PowerMember, machine.Name })
        {
            await cgroup.KillAsync(member, TimeSpan.FromSeconds(5), cancel);
            await cgroup.RemoveAsync(member, cancel);
        }
        if (await UnslowAsync(record, machine, cancel) is { } stuck)
            return stuck;
        string[] fuse = File.Exists("/dev/fuse") ? ["--bind=/dev/fuse"] : [];
        var process = Detached.Start(cgroup.Make(machine.PowerMember), ConsoleLog(machine.Name),
        [
            "setsid", "sh", "-c", KeepRunning, "sh", .. cgroup.Make(machine.Name), "--",
            // Not `ip netns exec`: it would mount another /sys, without the control groups.
            "nsenter", "--net=/run/netns/" + record.Namespace,
            "systemd-nspawn", "--quiet", "--settings=no", "--directory=" + disk.Root, "--boot", "--register=no", "--keep-unit", "--link-journal=no",
            "--resolv-conf=off", "--timezone=off", "--machine=" + machine.Id, "--hostname=" + machine.Name, "--network-bridge=" + LabNetwork.Bridge, .. fuse,
        ]);
        var changed = await _folder.ChangeAsync(now => now.With(machine.Name, of => of with { Process = process }), cancel);
        if (!changed.Ok)
            return changed.Problem;
        var running = machine with { Process = process };
        var began = TimeProvider.System.GetTimestamp();
        while (process.IsAlive && TimeProvider.System.GetElapsedTime(began) < BootLimit)
        {
            if (running.Leader() is not null && await Reachable.HasSshAsync(record.AddressOf(machine), cancel))
                return null;
            await Task.Delay(20, cancel);
        }
        return LabErrors.NotUp.With($"{machine.Name} ({record.AddressOf(machine)}): {(process.IsAlive ? $"no SSH within {BootLimit.TotalSeconds:0} s" : "it ended while it booted")}; see {ConsoleLog(machine.Name)}.");
    }
}
