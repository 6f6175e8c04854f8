using System.Net;
using Dure.Fleet.Layouts;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Host;

namespace Dure.Fleet.Lab;

/// <summary>A lab's fleet file: a layout on the lab's own addresses.</summary>
internal static class LabFleet
{
    /// <summary>Of the virtual address.</summary>
    private const int VipOctet = 100;

    /// <summary>The layout's machines, numbered from .11 on.</summary>
    public static IReadOnlyList<LabMachine> Machines(Layout layout) =>
        [.. layout.Placements.Select((placement, index) => new LabMachine(placement.Machine, 11 + index) { Roles = placement.Roles })];

    /// <summary>What the roles of a layout install, whatever the addresses are.</summary>
    public static IReadOnlyList<string> Packages(Layout layout)
    {
        var read = FleetFile.Read(Text(layout, "lab", 0, ""), "dure.yaml", "/");
        return read.Ok
            ? [.. read.Value.Machines.SelectMany(machine => FleetState.Of(read.Value, machine, static _ => "").Packages.Select(package => package.Name)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)]
            : throw new InvalidOperationException($"The layout {layout.Name} is faulty: {read.Problem.Faults[0]}");
    }

    /// <param name="subnet">The third octet of 10.77.N.0/24.</param>
    /// <param name="sshConfig">The lab's OpenSSH configuration.</param>
    public static string Text(Layout layout, string name, int subnet, string sshConfig)
    {
        IPAddress At(int octet) => new([10, 77, (byte)subnet, (byte)octet]);

        var machines = Machines(layout).Select(machine => new NewMachine(machine.Name, At(machine.Octet).ToString(), At(machine.Octet).ToString(), LabRelease.Default.Os, 0, 0, 0));
        return LayoutFile.Write(layout, name, [.. machines], new IPNetwork(At(0), 24), At(VipOctet), sshConfig);
    }
}
