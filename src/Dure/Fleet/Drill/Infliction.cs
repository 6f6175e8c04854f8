using System.Globalization;
using Dure.Fleet.Drill.Ground;
using Dure.Fleet.Lab;
using Dure.Fleet.Model;
using Dure.Host;

namespace Dure.Fleet.Drill;

/// <summary>Does what a drill says to a machine, proves that it happened, and takes it back.</summary>
internal sealed class Infliction(DrillGround ground, Action<string> say)
{
    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(100);
    private const double Loss = 0.02;
    private static readonly TimeSpan ShellLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan WholeLimit = TimeSpan.FromMinutes(3);

    /// <summary>Whether it can be done where the fleet stands.</summary>
    public Problem? Impossible(PlannedDrill drill) =>
        ground.Lab is null && !FaultKinds.OverSsh(drill.Fault) ? DrillErrors.NeedsLab.With(drill.Name) : null;

    /// <summary>Inflicts the fault.</summary>
    /// <returns>What was seen of it, in words; or why it is not known to have happened.</returns>
    public Task<Outcome<string>> InflictAsync(PlannedDrill drill, Machine target, CancellationToken cancel) => drill.Fault switch
    {
        FaultKind.ProcessKill => KillAsync(drill.Tier, target, cancel),
        FaultKind.HolderGone => ShellAsync(target, Release, "gives up the virtual address", cancel),
        FaultKind.PowerCut => LabAsync(lab => lab.PowerCutAsync(target.Name, cancel), $"{target.Name} has no power: no process of it runs, its address answers no ARP"),
        FaultKind.NetworkCut => LabAsync(lab => lab.CutNetworkAsync(target.Name, null, cancel), $"{target.Name}'s cable is out: its address answers no ARP"),
        FaultKind.DiskFull => LabAsync(lab => lab.FillDiskAsync(target.Name, "/var", 0, cancel), $"{target.Name} has no byte free on /var"),
        FaultKind.SlowNetwork => LabAsync(lab => lab.SlowNetworkAsync(target.Name, Latency, Loss, cancel), $"A round trip to {target.Name} takes {Latency.TotalMilliseconds.ToString(CultureInfo.InvariantCulture)} ms or more"),
        _ => throw new InvalidOperationException($"{drill.Name} is not aimed at one machine."),
    };

    /// <summary>Takes it back; what mends itself is left to.</summary>
    public async Task<Problem?> HealAsync(PlannedDrill drill, Machine target, CancellationToken cancel)
    {
        if (drill.Fault == FaultKind.HolderGone)
            return (await ShellAsync(target, "systemctl start keepalived.service", "starts Keepalived again", cancel)).Problem;
        if (ground.Lab is not { } lab)
            return null;
        return drill.Fault switch
        {
            FaultKind.PowerCut => (await lab.BootAsync(target.Name, cancel)).Problem,
            FaultKind.NetworkCut or FaultKind.SlowNetwork => (await lab.HealNetworkAsync(target.Name, null, cancel)).Problem,
            FaultKind.DiskFull => (await lab.FreeDiskAsync(target.Name, cancel)).Problem,
            _ => null,
        };
    }

    /// <summary>Every machine in turn, the fleet whole in between.</summary>
    /// <param name="order">Leaders last.</param>
    public async Task<Outcome<string>> RebootAllAsync(IReadOnlyList<Machine> order, CancellationToken cancel)
    {
        foreach (var machine in order)
        {
            say($"{machine.Name} reboots");
            if (await RebootAsync(machine, cancel) is { } failed)
                return failed;
            var missing = await ground.WholeAsync(WholeLimit, cancel);
            if (missing.Count > 0)
                return DrillErrors.NotWholeAgain.With($"After {machine.Name} rebooted: {string.Join("; ", missing)}");
        }

        return $"Each has started anew: {string.Join(", ", order.Select(machine => machine.Name))}";
    }

    // A machine's time of start tells one start from the next, in a container too.
    private async Task<Problem?> RebootAsync(Machine machine, CancellationToken cancel)
    {
        const string stamp = "cat /proc/sys/kernel/random/boot_id; systemctl show --property=UserspaceTimestampMonotonic --value";
        var before = await ground.RunAsync(machine, stamp, ShellLimit, cancel);
        if (!before.Ok)
            return before.Problem;
        // The session ends with the machine; whether it rebooted is seen afterwards.
        await ground.RunAsync(machine, "systemctl reboot", ShellLimit, cancel);
        var began = ground.Time.GetTimestamp();
        while (ground.Time.GetElapsedTime(began) < WholeLimit)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(300), ground.Time, cancel);
            var now = await ground.RunAsync(machine, stamp, TimeSpan.FromSeconds(5), cancel);
            if (now.Ok && now.Value.ExitCode == 0 && now.Value.Text != before.Value.Text)
                return null;
        }

        return DrillErrors.NotLanded.With($"{machine.Name} did not reboot within {WholeLimit.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s.");
    }

    private const string Release =
        """
        systemctl stop keepalived.service || exit 1
        ! /usr/local/lib/dure/holds-vip || { echo 'still has the virtual address'; exit 1; }
        """;

    private Task<Outcome<string>> KillAsync(DrillTier tier, Machine target, CancellationToken cancel) => ShellAsync(
        target,
        $$"""
        pid=$({{tier.Process}})
        [ "${pid:-0}" -gt 1 ] || { echo 'there is no process'; exit 1; }
        name=$(cat /proc/$pid/comm)
        kill -9 "$pid" || exit 1
        i=0
        while [ -d /proc/$pid ] && ! grep -q '^State:.[ZX]' /proc/$pid/status 2>/dev/null; do
            i=$((i + 1)); [ $i -lt 100 ] || { echo "process $pid goes on"; exit 1; }
            sleep 0.05
        done
        echo "lost $name, process $pid, to SIGKILL"
        """,
        "",
        cancel);

    private async Task<Outcome<string>> ShellAsync(Machine target, string script, string what, CancellationToken cancel)
    {
        var said = await ground.RunAsync(target, script, ShellLimit, cancel);
        return !said.Ok ? said.Problem
            : said.Value.ExitCode != 0 ? DrillErrors.NotLanded.With($"{target.Name}: {said.Value.Text}")
            : $"{target.Name} {(what.Length > 0 ? what : said.Value.Text)}";
    }

    private async Task<Outcome<string>> LabAsync(Func<RunningLab, Task<Outcome<bool>>> act, string proof)
    {
        var did = await act(ground.Lab ?? throw new InvalidOperationException("There is no lab."));
        return did.Ok ? proof : did.Problem;
    }
}
