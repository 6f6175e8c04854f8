using Dure.Fleet.Model;

namespace Dure.Test.Fleet.Roles;

/// <summary>Fleets with Slurm and shared files, for the tests of those roles.</summary>
internal static class HpcFleets
{
    /// <summary>Two controllers with shared state, accounting behind a balancer, three nodes of which one has GPUs.</summary>
    public static FleetModel Slurm(string os = "debian-12", params (string Key, string Value)[] settings)
    {
        var fleet = FleetSamples.Of(
            os,
            settings,
            ("n1", "balancer,slurm-client"),
            ("n2", "gluster,galera,slurm-db,slurm-controller"),
            ("n3", "gluster,galera,slurm-db,slurm-controller,slurm-node"),
            ("n4", "gluster,galera,slurm-node"),
            ("n5", "gluster-client,slurm-node"));
        return With(fleet, "n5", machine => machine with { Hardware = new Hardware(32, 256L << 30, 1L << 40, 4), Labels = ["a100", "big memory"] });
    }

    public static FleetModel With(FleetModel fleet, string name, Func<Machine, Machine> change) =>
        fleet with { Machines = [.. fleet.Machines.Select(machine => machine.Name == name ? change(machine) : machine)] };

    public static FleetModel With(FleetModel fleet, string name, string roles) =>
        With(fleet, name, machine => machine with { Roles = [.. roles.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(role => new MachineRole(role, machine.Place))] });
}
