using Dure.Host.Configuration;

namespace Dure.Fleet.Roles.Slurm;

/// <summary>What can be set about Slurm, by the role that it belongs to.</summary>
internal static class SlurmSettings
{
    public static readonly Setting<string> Cluster = SettingKinds.Text("slurm-controller.cluster", "",
        "The cluster's name in Slurm and in its accounting; empty takes the fleet's name. It cannot be changed later without losing the accounting's history.");

    public static readonly Setting<TimeSpan> ControllerTimeout = SettingKinds.Duration("slurm-controller.timeout", "7s", "5s", "10m",
        "A controller that was not heard of for this long is replaced by the next one, which takes some 6 s more.");

    public static readonly Setting<string> State = SettingKinds.Folder("slurm-controller.state", "/srv/shared/slurm-state",
        "Where the controllers keep the queue: a folder that all of them see (gluster, nfs, or a network disk declared on each).");

    public static readonly Setting<string> Partition = SettingKinds.Text("slurm-controller.partition", "main",
        "Name of the partition with all nodes, which jobs go to when they name none. Nodes with GPUs form the partition gpu too.");

    public static readonly Setting<TimeSpan> NodeTimeout = SettingKinds.Duration("slurm-node.timeout", "2m", "10s", "1h",
        "A node that was not heard of for this long counts as lost, and its jobs start again elsewhere.");

    public static readonly Setting<DiskAmount> NodeReserve = SettingKinds.Disk("slurm-node.reserve", "10%",
        "Memory of a node that jobs do not get: a share of it or bytes.");

    public static readonly Setting<TimeSpan> NodeHealth = SettingKinds.Duration("slurm-node.health_every", "1m", "10s", "1h",
        "How often a node looks at itself: with a full disk or without the shared files it takes no jobs until that is mended.");

    public static readonly Setting<string> DbHost = SettingKinds.Text("slurm-db.host", "",
        "The MariaDB server of the accounting; empty takes galera's, through the virtual address where a balancer holds one.");

    public static readonly Setting<int> DbPort = SettingKinds.Number("slurm-db.port", 3306, 1, 65535, "Its port.");

    public static readonly Setting<string> DbName = SettingKinds.Text("slurm-db.database", "slurm_acct_db", "The accounting's database.");

    public static readonly Setting<string> DbUser = SettingKinds.Text("slurm-db.user", "slurm", "The user who owns it; the password is the secret slurm_db_password.");
}
