using Dure.Fleet.Model;

namespace Dure.Fleet.Drill;

/// <summary>One fault against one tier.</summary>
internal sealed record PlannedDrill(DrillTier Tier, FaultKind Fault, Position Position)
{
    /// <summary>As it is asked for: <c>postgres-power-cut</c>, <c>redis-process-kill-standby</c>.</summary>
    public string Name => $"{Tier.Name}-{FaultKinds.Word(Fault)}{(Position == Position.StandBy ? "-standby" : "")}";

    /// <summary>What it does, in a line.</summary>
    public string Purpose
    {
        get
        {
            var whom = Position == Position.StandBy ? $"a {Tier.Name} machine that does not lead" : Tier.Leads ? $"the {Tier.Name} machine that leads" : $"a {Tier.Name} machine";
            return Fault switch
            {
                FaultKind.ProcessKill => $"kill -9 of the main process on {whom}",
                FaultKind.PowerCut => $"no power for {whom}",
                FaultKind.NetworkCut => $"the cable of {whom} is pulled",
                FaultKind.DiskFull => $"the disk of {whom} is full",
                FaultKind.SlowNetwork => $"100 ms and 2 % loss on the network of {whom}",
                FaultKind.HolderGone => "Keepalived is stopped on the balancer that holds the virtual address",
                _ => "every machine reboots, one after another, leaders last",
            };
        }
    }

    /// <summary>Every drill that a fleet can have.</summary>
    public static IReadOnlyList<PlannedDrill> Possible(FleetModel fleet, bool lab)
    {
        var drills = new List<PlannedDrill>();
        foreach (var tier in DrillTiers.Of(fleet).Where(tier => tier.Shares is null))
        {
            foreach (var fault in FaultKinds.Aimed)
            {
                drills.Add(new(tier, fault, Position.Leader));
                if (tier.Members(fleet).Count > 1)
                    drills.Add(new(tier, fault, Position.StandBy));
            }

            if (tier.Name == "vip" && tier.Members(fleet).Count > 1)
                drills.Add(new(tier, FaultKind.HolderGone, Position.Leader));
        }

        drills.Add(new(DrillTiers.Fleet, FaultKind.RollingReboot, Position.Leader));
        return [.. drills.Where(drill => lab || FaultKinds.OverSsh(drill.Fault))];
    }
}
