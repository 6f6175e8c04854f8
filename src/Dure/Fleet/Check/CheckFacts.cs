namespace Dure.Fleet.Check;

/// <summary>What is known beyond the fleet's file. Everything but the time may be unknown: then the rules that need it are silent, and the readiness list says so.</summary>
/// <param name="Now">The time that ages are measured against.</param>
internal sealed record CheckFacts(DateTimeOffset Now)
{
    /// <summary>Names of the secrets that are there; null when nobody looked.</summary>
    public IReadOnlySet<string>? Secrets { get; init; }

    /// <summary>Certificates that were read; null when nobody looked.</summary>
    public IReadOnlyList<CertificateFact>? Certificates { get; init; }

    /// <summary>What machines said of themselves; those that were not asked are missing.</summary>
    public IReadOnlyList<MachineFact> Machines { get; init; } = [];

    /// <summary>The last backup and the last restore that was tried; null when nobody looked.</summary>
    public BackupFact? Backup { get; init; }

    /// <summary>The last drill; null when nobody looked.</summary>
    public DrillFact? Drill { get; init; }

    /// <summary>How many machines differ from what the file says; null when nobody looked.</summary>
    public int? Drifted { get; init; }
}

/// <summary>A certificate that clients are shown.</summary>
/// <param name="Where">A file or a host.</param>
/// <param name="Names">The names that it is valid for; <c>*.example.org</c> stands for one label.</param>
internal sealed record CertificateFact(string Where, IReadOnlyList<string> Names, DateTimeOffset NotAfter);

/// <summary>What a machine said of itself. Memory and disk in bytes; 0 where it did not say.</summary>
/// <param name="Versions">Versions of packages that are installed, by package.</param>
internal sealed record MachineFact(string Machine, string Os, int Cores, long Memory, long Disk, IReadOnlyDictionary<string, string> Versions);

/// <summary>Backups as they were found; null means that there never was one.</summary>
internal sealed record BackupFact(DateTimeOffset? Last, DateTimeOffset? RestoreTested);

/// <summary>The last drill; <paramref name="Last"/> is null when there never was one.</summary>
internal sealed record DrillFact(DateTimeOffset? Last, bool Passed);
