using Dure.Fleet.Roles.Munge;

namespace Dure.Fleet.Roles.Slurm;

/// <summary>Slurm's commands and its files. Every other role of Slurm brings it with it; alone it makes a machine that jobs are submitted from.</summary>
internal static class SlurmClientRole
{
    public const string Name = "slurm-client";

    /// <summary>All roles that speak Slurm, for who may reach whom.</summary>
    public static readonly IReadOnlyList<string> Speakers = [Name, SlurmControllerRole.Name, SlurmNodeRole.Name, SlurmDbRole.Name];

    /// <summary>Where srun waits for the nodes to call back.</summary>
    public static readonly IReadOnlyList<Port> SubmitPorts =
    [
        new(SlurmConfiguration.SrunPort, "tcp", "srun", Reach.Roles) { Through = SlurmConfiguration.SrunPortLast, From = [SlurmNodeRole.Name] },
    ];

    public static readonly RoleKind Kind = new(Name, "A machine that Slurm jobs are submitted and watched from: sbatch, srun, squeue, sacct.", Build)
    {
        Secrets = static _ => [MungeRole.Key],
        Ports = static _ => SubmitPorts,
        Needs = [SlurmControllerRole.Name],
        Includes = [MungeRole.Name],
        Demand = static _ => new(0, 32L << 20, 0),
    };

    private static void Build(RoleScope scope)
    {
        scope.Package("slurm-client");
        scope.File(SlurmConfiguration.Main, SlurmConfiguration.MainText(scope.Fleet), static file => file with { Check = Parses("sed '/^Include /d' \"$new\"") });
        scope.File(SlurmConfiguration.Tuning, SlurmConfiguration.TuningText(scope.Fleet), static file => file with
        {
            Check = Parses("printf 'ClusterName=new\\nSlurmctldHost=new\\n' | cat - \"$new\""),
        });
        if (SlurmConfiguration.GresText(scope.Fleet) is { Length: > 0 } gres)
            scope.File(SlurmConfiguration.Gres, gres);
        if (SlurmConfiguration.CgroupText(scope.Machine) is { Length: > 0 } cgroup)
            scope.File(SlurmConfiguration.Cgroup, cgroup);
    }

    /// <summary>A command that lets Slurm read what another command prints, and asks no daemon. Each of the two files is read without the other, so that their order does not matter.</summary>
    private static string Parses(string print) =>
        $"at=$(mktemp) && {print} > \"$at\" && SLURM_CONF=$at timeout 20 scontrol show aliases nobody; rc=$?; rm -f \"$at\"; exit $rc";
}
