using Dure.Host;

namespace Dure.Fleet.Lab;

/// <summary>A lab as <c>dure lab status</c> shows it.</summary>
internal sealed record LabView(string Name, string Os, string Subnet, string HostAddress, string SshConfig, bool PackagesServed, IReadOnlyList<MachineView> Machines);

/// <summary>One machine as it is now. Bytes.</summary>
/// <param name="Network"><c>up</c>, <c>cut</c>, or <c>-</c> when it is off.</param>
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
        var machines = await Task.WhenAll(record.Machines.Select(machine => SeeAsync(record, machine, links.Output, cancel)));
        return new LabView(record.Name, record.Os, record.Range.ToString(), record.Address(LabSpec.HostOctet).ToString(), _folder.SshConfig, record.Server is { IsAlive: true }, machines);
    }

    private async Task<MachineView> SeeAsync(LabRecord record, MachineRecord machine, string links, CancellationToken cancel)
    {
        var on = machine.Leader() is not null;
        var address = record.AddressOf(machine);
        return new(
            machine.Name,
            address.ToString(),
            machine.Roles,
            on,
            on && await Reachable.HasSshAsync(address, cancel),
            on ? NetworkOf(machine, links) : "-",
            new LabCgroup(record.Cgroup).Memory(machine.Name),
            await new MachineDisk(_folder, record, machine).UsedAsync(cancel));
    }

    // A line of `ip -o link`: "7: vb-m11-3fa2c1@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu ...".
    private static string NetworkOf(MachineRecord machine, string links) =>
        links.Split('\n').FirstOrDefault(line => line.Contains($" {machine.Link}@", StringComparison.Ordinal)) is { } line && line.Contains(",UP", StringComparison.Ordinal)
            ? "up" : "cut";

}
