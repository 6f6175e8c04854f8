using System.Globalization;
using Dure.Host;

namespace Dure.Fleet.Lab;

internal sealed partial class RunningLab
{
    private static readonly TimeSpan HealLimit = TimeSpan.FromSeconds(10);

    /// <summary>Pulls a machine's cable; with <paramref name="from"/>, only between these two. The machine itself goes on.</summary>
    public async Task<Outcome<bool>> CutNetworkAsync(string machine, string? from, CancellationToken cancel)
    {
        var found = Up(machine);
        if (!found.Ok)
            return found.Problem;
        var (record, target, leader) = found.Value;
        if (from is not null)
            return await SplitAsync(record, target, leader, from, cut: true, cancel);
        if (!await LabNetwork.SeesAsync(record, record.AddressOf(target), cancel))
            return LabErrors.WrongState.With($"{machine} is cut off already.");
        if (await LabProgram.DoAsync(cancel, "ip", "-n", record.Namespace, "link", "set", target.Link, "down") is { } failed)
            return failed;
        return await LabNetwork.SeesAsync(record, record.AddressOf(target), cancel)
            ? LabErrors.NoEffect.With($"{machine} can still be seen on the bridge.")
            : true;
    }

    /// <summary>Puts the cable back; with <paramref name="from"/>, only between these two. Without, everything about the machine's network is as it was.</summary>
    public async Task<Outcome<bool>> HealNetworkAsync(string machine, string? from, CancellationToken cancel)
    {
        var found = Up(machine);
        if (!found.Ok)
            return found.Problem;
        var (record, target, leader) = found.Value;
        if (from is not null)
            return await SplitAsync(record, target, leader, from, cut: false, cancel);
        foreach (var other in record.Machines.Where(other => other != target))
        {
            if (await LabNetwork.SplitAsync(record, target, other, cut: false, cancel) is { } stuck)
                return stuck;
        }
        if (await LabProgram.DoAsync(cancel, "ip", "-n", record.Namespace, "link", "set", target.Link, "up") is { } failed)
            return failed;
        if (await UnslowAsync(record, target, cancel) is { } slow)
            return slow;
        return await EventuallyAsync(() => LabNetwork.SeesAsync(record, record.AddressOf(target), cancel), cancel)
            ? true
            : LabErrors.NoEffect.With($"{machine} cannot be seen on the bridge.");
    }

    /// <summary>Makes a machine's network slow. What was set before is replaced.</summary>
    /// <param name="latency">Added to every round trip, up to 10 s.</param>
    /// <param name="loss">Share of frames lost in each direction, 0 to 0.9.</param>
    public async Task<Outcome<bool>> SlowNetworkAsync(string machine, TimeSpan latency, double loss, CancellationToken cancel)
    {
        if (loss is < 0 or > 0.9 || latency < TimeSpan.Zero || latency > TimeSpan.FromSeconds(10))
            return LabErrors.BadSpec.With("Latency is from 0 to 10 s, loss from 0 to 90 %.");
        var found = Up(machine);
        if (!found.Ok)
            return found.Problem;
        var (record, target, _) = found.Value;
        if (!await LabNetwork.SeesAsync(record, record.AddressOf(target), cancel))
            return LabErrors.WrongState.With($"{machine} is cut off: heal its network first.");
        if (await UnslowAsync(record, target, cancel) is { } stuck)
            return stuck;
        if (await StartSlowLinkAsync(record, target, latency / 2, loss, cancel) is { } failed)
            return failed;
        // Of so many, one comes back even when most are lost.
        var address = record.AddressOf(target);
        for (var attempt = 0; attempt < 30; attempt++)
        {
            if (await Reachable.RoundTripAsync(address, latency + TimeSpan.FromSeconds(1), cancel) is { } took)
            {
                return took >= latency * 0.95
                    ? true
                    : LabErrors.NoEffect.With(string.Create(CultureInfo.InvariantCulture, $"A round trip to {machine} takes {took.TotalMilliseconds:0.0} ms."));
            }
        }
        return LabErrors.NoEffect.With($"No round trip to {machine} succeeds, so its latency cannot be measured.");
    }

    private async Task<Problem?> StartSlowLinkAsync(LabRecord record, MachineRecord target, TimeSpan delay, double loss, CancellationToken cancel)
    {
        var (inBridge, free) = ("sl-" + target.Id, "sr-" + target.Id);
        string[][] steps =
        [
            ["ip", "-n", record.Namespace, "link", "add", inBridge, "type", "veth", "peer", "name", free],
            ["ip", "-n", record.Namespace, "link", "set", free, "up"],
            ["ip", "-n", record.Namespace, "link", "set", inBridge, "master", LabNetwork.Bridge, "up"],
        ];
        foreach (var step in steps)
        {
            if (await LabProgram.DoAsync(cancel, step) is { } failed)
                return failed;
        }
        var log = Path.Combine(_folder.Machine(target.Name), "slow.log");
        File.Delete(log);
        var relay = Detached.Start(new LabCgroup(record.Cgroup).Make(SlowMember(target)), log,
        [
            "nsenter", "--net=/run/netns/" + record.Namespace, "setsid", Detached.Dure, "lab", "slow-link", target.Link, free,
            delay.TotalMilliseconds.ToString(CultureInfo.InvariantCulture), loss.ToString(CultureInfo.InvariantCulture),
        ]);
        var ready = await EventuallyAsync(() => Task.FromResult(!relay.IsAlive || ProcessMark.Text(log).Contains(SlowLink.Ready, StringComparison.Ordinal)), cancel);
        if (!ready || !relay.IsAlive)
            return LabErrors.StepFailed.With($"The slow link did not start: {ProcessMark.Text(log).Trim()}");
        return await LabProgram.DoAsync(cancel, "ip", "-n", record.Namespace, "link", "set", target.Link, "nomaster");
    }

    private static async Task<Problem?> UnslowAsync(LabRecord record, MachineRecord target, CancellationToken cancel)
    {
        // A machine that rebooted has a new link, in the bridge; what is left of the slow one goes all the same.
        if (await LabNetwork.HasLinkInsideAsync(record, target.Link, cancel)
            && await LabProgram.DoAsync(cancel, "ip", "-n", record.Namespace, "link", "set", target.Link, "master", LabNetwork.Bridge) is { } stuck)
            return stuck;
        var cgroup = new LabCgroup(record.Cgroup);
        await cgroup.KillAsync(SlowMember(target), TimeSpan.FromSeconds(5), cancel);
        await cgroup.RemoveAsync(SlowMember(target), cancel);
        return await LabNetwork.HasLinkInsideAsync(record, "sl-" + target.Id, cancel)
            ? await LabProgram.DoAsync(cancel, "ip", "-n", record.Namespace, "link", "delete", "sl-" + target.Id)
            : null;
    }

    private static async Task<Outcome<bool>> SplitAsync(LabRecord record, MachineRecord target, ProcessMark leader, string from, bool cut, CancellationToken cancel)
    {
        var other = record.Find(from);
        if (!other.Ok)
            return other.Problem;
        if (other.Value == target)
            return LabErrors.BadSpec.With($"{from} cannot be cut off from itself.");
        if (other.Value.Leader() is null)
            return LabErrors.WrongState.With($"{from} is off.");
        var address = record.AddressOf(other.Value);
        Task<bool> SeesAsync() => LabNetwork.SeesAsync(words => InsideAsync(leader, words, cancel), "host0", address);
        if (cut && !await SeesAsync())
            return LabErrors.WrongState.With($"{target.Name} does not see {from} even now.");
        if (await LabNetwork.SplitAsync(record, target, other.Value, cut, cancel) is { } failed)
            return failed;
        var sees = cut ? await SeesAsync() : await EventuallyAsync(SeesAsync, cancel);
        return sees != cut ? true : LabErrors.NoEffect.With($"{target.Name} {(sees ? "still sees" : "does not see")} {from}.");
    }

    private static string SlowMember(MachineRecord machine) => "_slow-" + machine.Name;

    private static async Task<bool> EventuallyAsync(Func<Task<bool>> holds, CancellationToken cancel)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            if (TimeProvider.System.GetElapsedTime(began) > HealLimit)
                return false;
            await Task.Delay(20, cancel);
        }
        return true;
    }
}
