using System.Globalization;
using Dure.Fleet.Model;

namespace Dure.Fleet.Roles.Slurm;

/// <summary>What only Slurm's own rules find.</summary>
internal static class SlurmChecks
{
    public static IEnumerable<Finding> Controllers(FleetModel fleet) => [.. State(fleet), .. Times(fleet), .. Versions(fleet)];

    public static IEnumerable<Finding> Accounting(FleetModel fleet)
    {
        var members = fleet.With(SlurmDbRole.Name);
        if (members.Count > 2)
        {
            yield return new(
                "slurm-db-backups",
                Severity.Error,
                members[2].Place,
                string.Create(CultureInfo.InvariantCulture, $"slurm-db is on {members.Count} machines; slurmdbd knows one that works and one that waits."),
                $"Leave it on {members[0].Name} and {members[1].Name}.");
        }

        if (members.Count > 0 && SlurmDbRole.Storage(fleet) is null)
        {
            yield return new(
                "slurm-db-storage",
                Severity.Error,
                members[0].Place,
                $"slurm-db is on {members[0].Name}, and there is no MariaDB for it: no machine has galera, and slurm-db.host is empty.",
                "Give galera to three machines, or name a MariaDB server in slurm-db.host.");
        }

        if (members.Count > 1 && fleet.Get(SlurmSettings.DbHost) is "localhost" or "127.0.0.1" or "::1")
        {
            yield return new(
                "slurm-db-split",
                Severity.Error,
                members[0].Place,
                $"slurm-db.host is {fleet.Get(SlurmSettings.DbHost)}: {members[0].Name} and {members[1].Name} would each write into a database of their own, and after a failure half of the history is missing.",
                "Name one address that both reach, or leave slurm-db.host empty to use galera.");
        }
    }

    public static IEnumerable<Finding> Nodes(FleetModel fleet)
    {
        foreach (var node in SlurmConfiguration.Nodes(fleet).Where(node => node.Hardware.Cores == 0 || node.Hardware.Memory == 0))
        {
            yield return new(
                "slurm-hardware",
                Severity.Warning,
                node.Place,
                $"{node.Name} runs jobs and the file does not say its {(node.Hardware.Cores == 0 ? "cores" : "memory")}: Slurm takes it for a machine with one core and 1 MiB.",
                $"Give {node.Name} its hardware; dure init reads it from the machine.");
        }

        var partition = fleet.Get(SlurmSettings.Partition);
        if (partition == "gpu" && SlurmConfiguration.Nodes(fleet).FirstOrDefault(node => node.Hardware.Gpus > 0) is { } gpu)
            yield return new("slurm-partition", Severity.Error, gpu.Place, "slurm-controller.partition is gpu, which is the partition of the nodes with GPUs already.", "Choose another name for the partition with all nodes.");
    }

    private static IEnumerable<Finding> State(FleetModel fleet)
    {
        var controllers = SlurmConfiguration.Controllers(fleet);
        var state = fleet.Get(SlurmSettings.State);
        var folders = controllers.Select(controller => (Machine: controller, Folder: StateFolder.Of(fleet, controller, state))).ToList();
        if (controllers.Count > 1 && folders.Select(of => of.Folder.What).Distinct(StringComparer.Ordinal).Count() > 1)
        {
            var lonely = folders.First(of => of.Folder.Source == FolderSource.Local || of.Folder.What != folders[0].Folder.What);
            yield return new(
                "slurm-state-local",
                Severity.Error,
                lonely.Machine.Place,
                $"Slurm's state ({state}) is on {lonely.Machine.Name} alone: {string.Join(" and ", controllers.Select(controller => controller.Name))} do not see the same files, and the one that takes over would begin with an empty queue.",
                "Give the controllers gluster (or gluster-client, or nfs-client), or declare the same network disk on each, and set slurm-controller.state to a folder on it.");
        }
        else if (controllers.Count > 1 && folders.Exists(of => of.Folder.Source == FolderSource.Nfs))
        {
            yield return new(
                "slurm-state-server",
                Severity.Warning,
                controllers[0].Place,
                $"Slurm's state ({state}) is on one NFS server: when {string.Join(", ", fleet.With(Nfs.NfsRole.Name).Select(server => server.Name))} is lost, both controllers wait for it.",
                "Keep it on gluster, which has three copies.");
        }
    }

    private static IEnumerable<Finding> Times(FleetModel fleet)
    {
        var timeout = fleet.Get(SlurmSettings.ControllerTimeout);
        var expected = timeout + TakeOver;
        if (fleet.Objectives.FirstOrDefault(objective => objective.Tier == "slurmctld") is { } objective && expected > objective.Recovery)
        {
            yield return new(
                "slurm-objective",
                Severity.Warning,
                objective.Place,
                string.Create(CultureInfo.InvariantCulture, $"The objective of slurmctld is {objective.Recovery.TotalSeconds} s; with slurm-controller.timeout {timeout.TotalSeconds} s a takeover needs about {expected.TotalSeconds} s."),
                "Lower slurm-controller.timeout (10s gives about 17 s), or raise the objective.");
        }
    }

    /// <summary>From the time-out to the first answer of the one that takes over, as measured on the lab.</summary>
    private static readonly TimeSpan TakeOver = TimeSpan.FromSeconds(7);

    private static IEnumerable<Finding> Versions(FleetModel fleet)
    {
        var controllers = SlurmConfiguration.Controllers(fleet);
        var below = fleet.Machines.Where(machine => machine.Has(SlurmNodeRole.Name) || machine.Has(SlurmClientRole.Name)).ToList();
        foreach (var fault in Pairs(controllers, below).Concat(Pairs(fleet.With(SlurmDbRole.Name), [.. controllers, .. below])).Concat(Same(controllers)).DistinctBy(fault => fault.Below.Name, StringComparer.Ordinal))
        {
            yield return new(
                "slurm-versions",
                Severity.Error,
                fault.Below.Place,
                $"{fault.Above.Name} ({fault.Above.Os}, Slurm {SlurmVersions.Of(fault.Above.Os)}) does not understand {fault.Below.Name} ({fault.Below.Os}, Slurm {SlurmVersions.Of(fault.Below.Os)}): a daemon speaks with its own release and the two before it, never with a newer one.",
                "Put slurm-db and slurm-controller on the machines with the newest system, and keep the others at most two releases behind.");
        }
    }

    private static IEnumerable<(Machine Above, Machine Below)> Pairs(IReadOnlyList<Machine> above, IReadOnlyList<Machine> below) =>
        from up in above
        from down in below
        where SlurmVersions.Of(up.Os) is { } upper && SlurmVersions.Of(down.Os) is { } lower && !SlurmVersions.Understands(upper, lower)
        select (up, down);

    /// <summary>Controllers read each other's state, which an older one cannot.</summary>
    private static IEnumerable<(Machine Above, Machine Below)> Same(IReadOnlyList<Machine> controllers) =>
        controllers.Skip(1).Where(other => SlurmVersions.Of(other.Os) != SlurmVersions.Of(controllers[0].Os)).Select(other => (other, controllers[0]));
}
