using System.Text.RegularExpressions;
using Dure.Fleet.Model;
using Dure.Host;

namespace Dure.Fleet.Lab;

/// <summary>A machine that a lab should have.</summary>
/// <param name="Octet">The last octet of its address, 2 to 253.</param>
internal sealed record LabMachine(string Name, int Octet)
{
    /// <summary>Shown by status; the lab gives them no meaning.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];
}

/// <summary>A lab as it should be.</summary>
/// <param name="Packages">What machines must be able to install; dependencies come by themselves.</param>
internal sealed partial record LabSpec(string Name, IReadOnlyList<LabMachine> Machines, IReadOnlyList<string> Packages)
{
    /// <summary>Of the package server on the bridge.</summary>
    public const int ServerOctet = 1;

    /// <summary>Of this host on the bridge: where the operator stands.</summary>
    public const int HostOctet = 254;

    public const int MachinesMax = 64;

    /// <summary>Bytes of each machine's disk. The file is sparse: it takes what is written.</summary>
    public long DiskBytes { get; init; } = 8L << 30;

    /// <summary>The distribution, as fleets name it.</summary>
    public string Os { get; init; } = LabRelease.Default.Os;

    /// <summary>Machines n1, n2, ... with addresses from .11 on.</summary>
    public static IReadOnlyList<LabMachine> Numbered(int count) => [.. Enumerable.Range(1, count).Select(n => new LabMachine($"n{n}", 10 + n))];

    /// <summary>What is wrong with it; null when nothing is.</summary>
    public Problem? Check()
    {
        var faults = new List<Fault>();
        if (!FleetReader.NamePattern().IsMatch(Name))
            faults.Add(new("name", $"`{Name}` is no name for a lab."));
        if (Machines.Count is 0 or > MachinesMax)
            faults.Add(new("machines", $"A lab has 1 to {MachinesMax} machines, not {Machines.Count}."));
        faults.AddRange(Machines.Where(machine => !FleetReader.NamePattern().IsMatch(machine.Name)).Select(machine => new Fault(machine.Name, "This is no name for a machine.")));
        faults.AddRange(Machines.Where(machine => machine.Octet is <= ServerOctet or >= HostOctet).Select(machine => new Fault(machine.Name, $"Its address ends in {machine.Octet}.")));
        faults.AddRange(Machines.GroupBy(machine => machine.Name, StringComparer.Ordinal).Where(same => same.Count() > 1).Select(same => new Fault(same.Key, "Two machines have this name.")));
        faults.AddRange(Machines.GroupBy(machine => machine.Octet).Where(same => same.Count() > 1).Select(same => new Fault(same.First().Name, $"{same.Last().Name} has the same address.")));
        faults.AddRange(Packages.Where(package => !PackagePattern().IsMatch(package)).Select(package => new Fault("packages", $"`{package}` is no name of a package.")));
        if (LabRelease.Find(Os) is null)
            faults.Add(new("os", $"There is no image for `{Os}`; there is: {string.Join(", ", LabRelease.All.Select(release => release.Os))}."));
        return faults.Count == 0 ? null : LabErrors.BadSpec.With("", faults);
    }

    [GeneratedRegex("^[a-z0-9][a-z0-9+.-]+$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex PackagePattern();
}

/// <summary>A distribution that machines of a lab can run.</summary>
/// <param name="Os">As fleets name it: <c>debian-12</c>.</param>
/// <param name="Suite">As its mirrors name it: <c>bookworm</c>.</param>
internal sealed record LabRelease(string Os, string Suite)
{
    public static readonly LabRelease Default = new("debian-12", "bookworm");

    public static readonly IReadOnlyList<LabRelease> All = [Default, new("debian-13", "trixie")];

    public static LabRelease? Find(string os) => All.FirstOrDefault(release => release.Os == os);
}
