using Dure.Fleet.Apply;
using Dure.Fleet.Model;

namespace Dure.Fleet.Upgrade;

/// <summary>A fleet with a session to every one of its machines.</summary>
internal sealed record FleetMembers(FleetModel Model, IReadOnlyList<MachineSession> Machines)
{
    /// <summary>The machines with a role, in the order of the file.</summary>
    public IReadOnlyList<MachineSession> With(string role) => [.. Machines.Where(machine => machine.Machine.Has(role))];
}
