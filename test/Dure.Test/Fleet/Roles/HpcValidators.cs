namespace Dure.Test.Fleet.Roles;

/// <summary>Slurm's, munge's and NFS's own programs, to read what the roles generate.</summary>
internal static class HpcValidators
{
    public static ValidatorRoot Hpc { get; } = ValidatorRoot.Of(
        "hpc",
        ["slurm-client", "slurmctld", "slurmd", "slurmdbd", "munge", "nfs-kernel-server", "bash", "systemd"],
        ["slurm", "munge"]);
}
