using System.Globalization;
using System.Text;
using Dure.Fleet.Model;
using Dure.Fleet.Roles.Munge;

namespace Dure.Fleet.Roles.Slurm;

/// <summary>Slurm's files, from the fleet. They are the same on every Slurm machine, because slurmctld compares them.</summary>
internal static class SlurmConfiguration
{
    public const string Main = "/etc/slurm/slurm.conf";

    /// <summary>The part that a running Slurm reads again without a restart.</summary>
    public const string Tuning = "/etc/slurm/slurm-tuning.conf";

    public const string Gres = "/etc/slurm/gres.conf";

    public const string Cgroup = "/etc/slurm/cgroup.conf";

    public const string HealthScript = "/usr/local/lib/dure/slurm-node-health";

    /// <summary>Where srun waits for its tasks: 64 runs at a time from one machine.</summary>
    public const int SrunPort = 60001;

    public const int SrunPortLast = 60256;

    public static IReadOnlyList<Machine> Controllers(FleetModel fleet) => fleet.With(SlurmControllerRole.Name);

    public static IReadOnlyList<Machine> Nodes(FleetModel fleet) => fleet.With(SlurmNodeRole.Name);

    /// <summary>Slurm's own name for the cluster: small letters, digits, <c>-</c> and <c>_</c>.</summary>
    public static string Cluster(FleetModel fleet)
    {
        var given = fleet.Get(SlurmSettings.Cluster) is { Length: > 0 } name ? name : fleet.Name;
        return string.Concat(given.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' ? char.ToLowerInvariant(letter) : '-'));
    }

    /// <summary>Memory that jobs get on a node, MiB; 0 where the file does not say how much it has.</summary>
    public static long Memory(FleetModel fleet, Machine node)
    {
        var reserve = fleet.Get(SlurmSettings.NodeReserve).On(node.Hardware.Memory);
        return Math.Max(0, node.Hardware.Memory - reserve) >> 20;
    }

    /// <summary>What only a restart of the daemons takes in.</summary>
    public static string MainText(FleetModel fleet)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"ClusterName={Cluster(fleet)}\n");
        foreach (var controller in Controllers(fleet))
            text.Append(CultureInfo.InvariantCulture, $"SlurmctldHost={controller.Name}({fleet.AddressOf(controller)})\n");
        text.Append(CultureInfo.InvariantCulture, $"""
            SlurmUser=slurm
            AuthType=auth/munge
            SlurmctldPort={SlurmControllerRole.Port}
            SlurmdPort={SlurmNodeRole.Port}
            SrunPortRange={SrunPort}-{SrunPortLast}
            StateSaveLocation={fleet.Get(SlurmSettings.State)}
            SlurmdSpoolDir=/var/lib/slurm/slurmd
            SlurmctldPidFile=/run/slurmctld.pid
            SlurmdPidFile=/run/slurmd.pid

            # Processes are followed by their parents, so that nodes need no control groups of a certain kind.
            ProctrackType=proctrack/linuxproc
            TaskPlugin=task/none
            JobAcctGatherType=jobacct_gather/linux
            SelectType=select/cons_tres
            SelectTypeParameters=CR_Core_Memory

            """);
        Accounting(fleet, text);
        NodeLines(fleet, text);
        text.Append(CultureInfo.InvariantCulture, $"\nInclude {Tuning}\n");
        return text.ToString();
    }

    /// <summary>What a running Slurm takes in by <c>scontrol reconfigure</c>.</summary>
    public static string TuningText(FleetModel fleet)
    {
        var nodes = Nodes(fleet);
        var timeout = fleet.Get(SlurmSettings.ControllerTimeout);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            # A controller is replaced when it was silent for SlurmctldTimeout.
            SlurmctldTimeout={Seconds(timeout)}
            MessageTimeout={Math.Clamp(Seconds(timeout) / 2, 5, 100)}
            SlurmdTimeout={Seconds(fleet.Get(SlurmSettings.NodeTimeout))}
            # A node that comes back takes jobs again.
            ReturnToService=2
            HealthCheckProgram={HealthScript}
            HealthCheckInterval={Seconds(fleet.Get(SlurmSettings.NodeHealth))}
            HealthCheckNodeState=ANY

            """);
        var share = nodes.Where(node => node.Hardware is { Cores: > 0, Memory: > 0 }).Select(node => Memory(fleet, node) / node.Hardware.Cores).DefaultIfEmpty(0).Min();
        if (share > 0)
            text.Append(CultureInfo.InvariantCulture, $"# What a job gets for each core when it does not ask; without it one job would take a node's whole memory.\nDefMemPerCPU={share}\n");
        text.Append('\n');
        if (nodes.Count > 0)
            text.Append(CultureInfo.InvariantCulture, $"PartitionName={fleet.Get(SlurmSettings.Partition)} Nodes={Names(nodes)} Default=YES MaxTime=INFINITE State=UP\n");
        if (nodes.Where(node => node.Hardware.Gpus > 0).ToList() is { Count: > 0 } gpu)
            text.Append(CultureInfo.InvariantCulture, $"PartitionName=gpu Nodes={Names(gpu)} MaxTime=INFINITE State=UP\n");
        return text.ToString();
    }

    /// <summary>The GPUs of all nodes; empty when there are none.</summary>
    public static string GresText(FleetModel fleet)
    {
        var lines = Nodes(fleet).Where(node => node.Hardware.Gpus > 0).Select(node => string.Create(
            CultureInfo.InvariantCulture,
            $"NodeName={node.Name} Name=gpu File=/dev/nvidia{(node.Hardware.Gpus == 1 ? "0" : $"[0-{node.Hardware.Gpus - 1}]")}\n"));
        return string.Concat(lines);
    }

    /// <summary>Slurm since 24.05 wants to be told when it shall leave control groups alone; before, it knows no such word.</summary>
    public static string CgroupText(Machine machine) =>
        SlurmVersions.Of(machine.Os) is { } version && string.CompareOrdinal(version, "24.05") >= 0 ? "CgroupPlugin=disabled\n" : "";

    public static IEnumerable<SecretNeed> Secrets(FleetModel fleet) =>
        fleet.With(SlurmDbRole.Name).Count > 0 ? [MungeRole.Key, SlurmDbRole.Password] : [MungeRole.Key];

    public static int Seconds(TimeSpan time) => (int)Math.Ceiling(time.TotalSeconds);

    private static void Accounting(FleetModel fleet, StringBuilder text)
    {
        var databases = SlurmDbRole.Order(fleet);
        if (databases.Count == 0)
            return;
        text.Append(CultureInfo.InvariantCulture, $"""

            AccountingStorageType=accounting_storage/slurmdbd
            AccountingStorageHost={databases[0].Name}
            {(databases.Count > 1 ? $"AccountingStorageBackupHost={databases[1].Name}\n" : "")}AccountingStoragePort={SlurmDbRole.Port}
            AccountingStoreFlags=job_comment

            """);
    }

    private static void NodeLines(FleetModel fleet, StringBuilder text)
    {
        var nodes = Nodes(fleet);
        text.Append('\n');
        if (nodes.Any(node => node.Hardware.Gpus > 0))
            text.Append("GresTypes=gpu\n");
        foreach (var node in nodes)
        {
            text.Append(CultureInfo.InvariantCulture, $"NodeName={node.Name} NodeAddr={fleet.AddressOf(node)}");
            if (node.Hardware.Cores > 0)
                text.Append(CultureInfo.InvariantCulture, $" CPUs={node.Hardware.Cores}");
            if (Memory(fleet, node) is > 0 and var memory)
                text.Append(CultureInfo.InvariantCulture, $" RealMemory={memory}");
            if (node.Hardware.Gpus > 0)
                text.Append(CultureInfo.InvariantCulture, $" Gres=gpu:{node.Hardware.Gpus}");
            var features = node.Labels.Append(node.Zone).Where(label => label.Length > 0 && label.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.')).Distinct(StringComparer.Ordinal);
            if (string.Join(',', features) is { Length: > 0 } joined)
                text.Append(CultureInfo.InvariantCulture, $" Feature={joined}");
            text.Append(" State=UNKNOWN\n");
        }
    }

    private static string Names(IEnumerable<Machine> machines) => string.Join(',', machines.Select(machine => machine.Name));
}
