namespace Dure.Fleet.Drill;

/// <summary>What can happen to a machine or a process.</summary>
internal enum FaultKind
{
    /// <summary>The tier's main process gets SIGKILL.</summary>
    ProcessKill,

    /// <summary>The machine has no power, until the clients are served again.</summary>
    PowerCut,

    /// <summary>The machine's cable is pulled; the machine itself goes on.</summary>
    NetworkCut,

    /// <summary>No byte more fits on the machine's disk.</summary>
    DiskFull,

    /// <summary>The machine's network is slow and loses frames.</summary>
    SlowNetwork,

    /// <summary>The balancer with the virtual address lets it go: Keepalived is stopped.</summary>
    HolderGone,

    /// <summary>Every machine is shut down cleanly and started again, one after another, leaders last.</summary>
    RollingReboot,
}

/// <summary>Where in its tier a fault strikes.</summary>
internal enum Position
{
    /// <summary>The machine that leads; where all serve alike, one of them.</summary>
    Leader,

    /// <summary>A machine that does not lead.</summary>
    StandBy,
}

/// <summary>What is known of each kind of fault.</summary>
internal static class FaultKinds
{
    /// <summary>Those that are aimed at one machine of any tier.</summary>
    public static IReadOnlyList<FaultKind> Aimed { get; } = [FaultKind.ProcessKill, FaultKind.PowerCut, FaultKind.NetworkCut, FaultKind.DiskFull, FaultKind.SlowNetwork];

    /// <summary>As in the name of a drill.</summary>
    public static string Word(FaultKind fault) => fault switch
    {
        FaultKind.ProcessKill => "process-kill",
        FaultKind.PowerCut => "power-cut",
        FaultKind.NetworkCut => "network-cut",
        FaultKind.DiskFull => "disk-full",
        FaultKind.SlowNetwork => "slow-network",
        FaultKind.HolderGone => "holder-gone",
        _ => "rolling-reboot",
    };

    /// <summary>It can be done with nothing but SSH.</summary>
    public static bool OverSsh(FaultKind fault) => fault is FaultKind.ProcessKill or FaultKind.RollingReboot;

    /// <summary>Everything on the machine suffers it, not one process.</summary>
    public static bool HitsMachine(FaultKind fault) => fault is FaultKind.PowerCut or FaultKind.NetworkCut or FaultKind.DiskFull or FaultKind.SlowNetwork;

    /// <summary>Nothing on the machine serves anybody while it lasts.</summary>
    public static bool Removes(FaultKind fault) => fault is FaultKind.PowerCut or FaultKind.NetworkCut;

    /// <summary>An objective is about it: the loss of a machine or of a process. A full disk and a slow network are measured, and only losses are judged.</summary>
    public static bool HasTimeObjective(FaultKind fault) => fault is not (FaultKind.DiskFull or FaultKind.SlowNetwork);

    /// <summary>How long it lasts at least, and at most when clients stay unserved.</summary>
    public static (TimeSpan Least, TimeSpan Most) Lasts(FaultKind fault) => fault switch
    {
        FaultKind.ProcessKill => (TimeSpan.Zero, TimeSpan.FromSeconds(30)),
        FaultKind.PowerCut or FaultKind.NetworkCut => (TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(45)),
        FaultKind.HolderGone => (TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10)),
        _ => (TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(15)),
    };
}
