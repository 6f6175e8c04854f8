namespace Dure.Fleet.Roles.Munge;

/// <summary>Signs what Slurm's machines say to each other. Slurm's roles bring it with them; it is named only for machines that want it alone.</summary>
internal static class MungeRole
{
    public const string Name = "munge";

    public static readonly SecretNeed Key = new("munge_key", "What the Slurm machines sign their messages with; the same on all of them.", SecretKind.Key);

    public static readonly RoleKind Kind = new(Name, "Signatures between Slurm's machines: munged, with one key for the fleet.", Build)
    {
        Secrets = static _ => [Key],
        Demand = static _ => new(0.05, 16L << 20, 0),
    };

    private static void Build(RoleScope scope) => scope
        .Package("munge")
        // munged takes any 32 bytes or more as its key and digests them, so the secret's own characters do.
        .File("/etc/munge/munge.key", scope.Secret(Key.Name).Trim() + "\n", file => file with { Mode = "0400", Owner = "munge", Group = "munge", Secret = true })
        .Unit("munge.service", with: unit => unit with { RestartOn = ["/etc/munge/munge.key"] })
        .Healthy("munge signs and reads", "munge -n | unmunge > /dev/null", 20);
}
