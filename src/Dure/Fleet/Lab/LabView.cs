using Dure.Host.Programs;
using Dure.Host;

namespace Dure.Fleet.Lab;

/// <summary>A lab as <c>dure lab status</c> shows it.</summary>
internal sealed record LabView(string Name, string Os, string Subnet, string HostAddress, string SshConfig, bool PackagesServed, IReadOnlyList<MachineView> Machines);

/// <summary>One machine as it is now. Bytes.</summary>
/// <param name="Network"><c>up</c>, <c>cut</c>, <c>slow</c>, <c>cut from n2</c>, or <c>-</c> when it is off.</param>
/// <param name="Memory">Of its processes, files not counted.</param>
/// <param name="Disk">Of the host's disk.</param>
internal sealed record MachineView(string Name, string Address, IReadOnlyList<string> Roles, bool On, bool Ssh, string Network, long Memory, long Disk);

internal sealed partial class RunningLab
{
    /// <summary>How it is now, as seen and not as recorded.</summary>
    public async Task<Outcome<LabView>> StatusAsync(CancellationToken cancel)
    {
        var read = Record();
        if (!read.Ok)
            return read.Problem;
        var record = read.Value;
        var links = await HostProgram.RunAsync(["ip", "-n", record.Namespace, "-o", "link", "show"], cancel);
        var splits = await LabNetwork.SplitsAsync(record, cancel);
        var machines = await Task.WhenAll(record.Machines.Select(machine => SeeAsync(record, machine, links.Output, splits, cancel)));
        return new LabView(record.Name, record.Os, record.Range.ToString(), record.Address(LabSpec.HostOctet).ToString(), _folder.SshConfig, record.Server is { IsAlive: true }, machines);
    }

    private async Task<MachineView> SeeAsync(LabRecord record, MachineRecord machine, string links, string splits, CancellationToken cancel)
    {
        var on = machine.Leader() is not null;
        var address = record.AddressOf(machine);
        return new(
            machine.Name,
            address.ToString(),
            machine.Roles,
            on,
            on && await Reachable.HasSshAsync(address, cancel),
            on ? NetworkOf(record, machine, links, splits) : "-",
            new LabCgroup(record.Cgroup).Memory(machine.Name),
            await new MachineDisk(_folder, record, machine).UsedAsync(cancel));
    }

    // A line of `ip -o link`: "7: vb-m11-3fa2c1@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 ... master br0 ...".
    private static string NetworkOf(LabRecord record, MachineRecord machine, string links, string splits)
    {
        var line = links.Split('\n').FirstOrDefault(line => line.Contains($" {machine.Link}@", StringComparison.Ordinal)) ?? "";
        if (!line.Contains(",UP", StringComparison.Ordinal))
            return "cut";
        var from = record.Machines.Where(other => splits.Contains($"\"{machine.Link}\" . \"{other.Link}\"", StringComparison.Ordinal)).Select(other => other.Name).ToList();
        return from.Count > 0 ? "cut from " + string.Join(' ', from) : line.Contains(" master ", StringComparison.Ordinal) ? "up" : "slow";
    }
}
