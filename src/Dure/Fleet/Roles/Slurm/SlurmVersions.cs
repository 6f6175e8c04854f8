namespace Dure.Fleet.Roles.Slurm;

/// <summary>The Slurm of each distribution, and which of them understand each other.</summary>
internal static class SlurmVersions
{
    /// <summary>Slurm's releases in order. A daemon understands those of its own release and of the two before it.</summary>
    private static readonly string[] Releases = ["20.11", "21.08", "22.05", "23.02", "23.11", "24.05", "24.11", "25.05"];

    /// <summary>The release that a distribution has; null for one that is not known.</summary>
    public static string? Of(string os) => os switch
    {
        "ubuntu-22.04" => "21.08",
        "debian-12" => "22.05",
        "ubuntu-24.04" => "23.11",
        "debian-13" => "24.11",
        _ => null,
    };

    /// <summary>Whether the daemon above (slurmdbd, slurmctld) understands the one below it (slurmctld, slurmd, commands).</summary>
    public static bool Understands(string above, string below)
    {
        var behind = Array.IndexOf(Releases, above) - Array.IndexOf(Releases, below);
        return behind is >= 0 and <= 2;
    }
}
