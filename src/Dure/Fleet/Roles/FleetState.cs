using Dure.Fleet.Desired;
using Dure.Fleet.Model;

namespace Dure.Fleet.Roles;

/// <summary>From a fleet to what each of its machines should be.</summary>
internal static class FleetState
{
    /// <summary>What a machine should be. Pure but for the secrets, which the caller has read.</summary>
    public static DesiredMachine Of(FleetModel fleet, Machine machine, Func<string, string> secret)
    {
        var desired = new DesiredMachine(machine.Name);
        foreach (var role in RoleKinds.On(fleet, machine))
            role.Build(new RoleScope(fleet, machine, role, desired, secret));
        return desired;
    }
}
