using System.Globalization;
using Dure.Fleet.Desired;
using Dure.Fleet.Model;
using Dure.Fleet.Roles.Gluster;

namespace Dure.Fleet.Roles.Slurm;

/// <summary>slurmd: the machine runs jobs. Its cores, memory and GPUs are what the fleet's file says.</summary>
internal static class SlurmNodeRole
{
    public const string Name = "slurm-node";

    public const int Port = 6818;

    public static readonly RoleKind Kind = new(Name, "Runs Slurm's jobs: slurmd, with the cores, memory and GPUs that the file gives the machine.", Build)
    {
        Settings = [SlurmSettings.NodeTimeout, SlurmSettings.NodeReserve, SlurmSettings.NodeHealth],
        Secrets = SlurmConfiguration.Secrets,
        Ports = static _ => [new(Port, "tcp", "slurmd", Reach.Roles) { From = SlurmClientRole.Speakers }, .. SlurmClientRole.SubmitPorts],
        Services = static _ =>
        [
            new("Slurm jobs", "slurm-node", new Condition.Both(new Condition.AnyOf(Name), new Condition.Needs("Slurm"))) { Note = "Jobs of a lost node start again on another." },
        ],
        Needs = [SlurmControllerRole.Name],
        Includes = [SlurmClientRole.Name],
        Demand = static _ => new(0.1, 64L << 20, 1L << 30),
        Data = ["/var/lib/slurm/slurmd"],
        Check = SlurmChecks.Nodes,
        Leave = """
            node=$(hostname -s)
            scontrol update NodeName="$node" State=DRAIN Reason='leaves the fleet'
            left=60
            while [ -n "$(squeue -h -w "$node" -t RUNNING,COMPLETING,SUSPENDED)" ]; do
              left=$((left - 1))
              if [ "$left" -le 0 ]; then echo "jobs still run on $node; it takes no new ones"; squeue -w "$node"; exit 1; fi
              sleep 1
            done
            """,
    };

    private const string Options = "/etc/default/slurmd";
    private const string Unit = "/etc/systemd/system/slurmd.service.d/dure.conf";

    private static void Build(RoleScope scope)
    {
        var name = scope.Machine.Name;
        scope
            .Package("slurmd")
            .File(Options, $"SLURMD_OPTIONS=\"-N {name}\"\n")
            .File(Unit, "[Unit]\nStartLimitIntervalSec=0\n\n[Service]\nRestart=on-failure\nRestartSec=1\n")
            .File(SlurmConfiguration.HealthScript, Health(scope.Fleet, scope.Machine), static file => file with { Mode = "0755" })
            .Unit("slurmd.service", with: static unit => unit with
            {
                RestartOn = [SlurmConfiguration.Main, SlurmConfiguration.Gres, SlurmConfiguration.Cgroup, Options, Unit],
                ReloadOn = [SlurmConfiguration.Tuning],
            })
            .Healthy(
                "the node takes jobs",
                $"state=$(timeout 20 sinfo -h -N -n {name} -o %T | head -n 1); case \"$state\" in idle|mixed|allocated|completing) ;; *) echo \"Slurm says that {name} is ${{state:-unknown}}\"; timeout 20 scontrol show node {name} | grep Reason; exit 1 ;; esac",
                180);
    }

    /// <summary>What the node asks itself: slurmd runs it as root. It takes back only what it said itself.</summary>
    private static string Health(FleetModel fleet, Machine machine)
    {
        var shared = StateFolder.Of(fleet, machine, fleet.Get(GlusterRole.Mount)).Source == FolderSource.Gluster
            ? string.Create(CultureInfo.InvariantCulture, $"timeout 10 mountpoint -q {fleet.Get(GlusterRole.Mount)} || bad='no shared files'\n")
            : "";
        return string.Create(CultureInfo.InvariantCulture, $$"""
            #!/bin/sh
            # Takes the node out of the queue while jobs would fail on it, and back when that is over. slurmd asks once in a while; a node that is out asks
            # itself every five seconds, as "again".
            node={{machine.Name}}
            bad=''
            for folder in / /tmp /var/lib/slurm; do
              used=$(df --output=pcent "$folder" | tail -n 1 | tr -dc 0-9)
              [ "${used:-0}" -lt 98 ] || bad="$folder is full"
            done
            {{shared}}said=$(scontrol -o show node "$node" | sed -n 's/.* Reason=health: \([^[]*\).*/\1/p')
            if [ -n "$bad" ]; then
              [ -n "$said" ] || scontrol update NodeName="$node" State=DRAIN Reason="health: $bad"
              [ "${1-}" != again ] || exit 1
              setsid -f flock -n /run/slurm-node-health sh -c 'while sleep 5 && ! "$0" again; do :; done' "$0" </dev/null >/dev/null 2>&1
            elif [ -n "$said" ]; then
              scontrol update NodeName="$node" State=RESUME
            fi

            """);
    }
}
