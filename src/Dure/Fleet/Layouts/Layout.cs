namespace Dure.Fleet.Layouts;

/// <summary>A machine as it goes into a new fleet file.</summary>
/// <param name="Target">What OpenSSH is given.</param>
/// <param name="Address">Its address on the fleet's network.</param>
/// <param name="Os">Empty when it is not known.</param>
/// <param name="Memory">Bytes; 0 when not known, as the others.</param>
internal sealed record NewMachine(string Name, string Target, string Address, string Os, int Cores, long Memory, long Disk);

/// <summary>A starting point for a fleet: which roles go where, and why.</summary>
internal sealed record Layout(string Name, string Purpose, IReadOnlyList<Placement> Placements, IReadOnlyList<string> Objectives)
{
    /// <summary>All layouts, the smallest first.</summary>
    public static IReadOnlyList<Layout> All { get; } =
    [
        new("one", "One machine with everything: functions, papers, experiments.", [new("n1", "a", "Everything.", ["dure"])], []),
        new("two", "A GPU machine that computes and a small public machine that faces the world.",
            [
                new("gpu", "a", "Computes; nothing of it is reachable from outside.", ["firewall", "dure"]),
                new("edge", "b", "The only door to the world: TLS, papers, the portal.", ["firewall", "edge"]),
            ], []),
        new("four", "The least that survives the loss of any one machine: two doors, three that vote.",
            [
                new("n1", "a", "A door. Holds no data, so that it may be switched off at any time.", ["firewall", "balancer", "web", "dure", "monitor"]),
                new("n2", "b", "A door, and the third vote of every quorum.", ["firewall", "balancer", "web", "etcd", "redis", "galera", "gluster"]),
                new("n3", "c", "Data and Slurm.", ["firewall", "etcd", "postgres", "redis", "galera", "gluster", "slurm-db", "slurm-controller", "slurm-node"]),
                new("n4", "d", "Data and Slurm.", ["firewall", "etcd", "postgres", "redis", "galera", "gluster", "slurm-db", "slurm-controller", "slurm-node"]),
            ], Tiers),
        new("seven", "Doors, web, data and computing on machines of their own.",
            [
                new("n1", "a", "A door.", ["firewall", "balancer"]),
                new("n2", "b", "A door.", ["firewall", "balancer"]),
                new("n3", "a", "Web and data: one of three votes, in the first zone.", ["firewall", "web", "etcd", "redis", "galera", "gluster", "monitor"]),
                new("n4", "b", "Web and data: one of three votes, in the second zone.", ["firewall", "web", "etcd", "postgres", "redis", "galera", "gluster", "slurm-db", "slurm-controller"]),
                new("n5", "c", "Data: one of three votes, in the third zone.", ["firewall", "etcd", "postgres", "redis", "galera", "gluster", "slurm-db", "slurm-controller"]),
                new("n6", "a", "Computes; Dure's controller.", ["firewall", "dure", "slurm-node"]),
                new("n7", "b", "Computes; the second monitor.", ["firewall", "slurm-node", "monitor"]),
            ], Tiers),
    ];

    /// <summary>The objectives that the defaults of the roles are made for.</summary>
    private static IReadOnlyList<string> Tiers =>
    [
        "vip: {machine: 1s, process: 1s}",
        "web: {machine: 1500ms, process: 1500ms}",
        "postgres: {machine: 25s, process: 2s, lost: 0}",
        "redis: {machine: 5s, process: 5s, lost: 0}",
        "galera: {machine: 5s, process: 5s, lost: 0}",
        "slurmctld: {machine: 20s, process: 20s}",
    ];

    public static Layout? Find(string name) => All.FirstOrDefault(layout => layout.Name == name);
}

/// <summary>What one machine of a layout does.</summary>
/// <param name="Why">One sentence, which stands as a comment in the file.</param>
internal sealed record Placement(string Machine, string Zone, string Why, IReadOnlyList<string> Roles);
