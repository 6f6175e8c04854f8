using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dure.Host;

namespace Dure.Fleet.Lab;

/// <summary>What a lab has made and may therefore touch: the content of its <c>lab.json</c>. It is written before each thing is made.</summary>
/// <param name="Version">Of this format.</param>
/// <param name="Root">The base root file system, read-only below every machine.</param>
/// <param name="Subnet">The third octet of 10.77.N.0/24.</param>
/// <param name="Namespace">The network namespace of the bridge and of all machines' links.</param>
/// <param name="HostLink">This host's interface in the lab.</param>
/// <param name="Cgroup">The control group under which everything of the lab runs.</param>
/// <param name="Server">The package server; null while it does not run.</param>
internal sealed record LabRecord(
    int Version,
    string Name,
    string Os,
    string Root,
    int Subnet,
    string Namespace,
    string HostLink,
    string Cgroup,
    long DiskBytes,
    ProcessMark? Server,
    IReadOnlyList<MachineRecord> Machines)
{
    public const int CurrentVersion = 1;

    public IPNetwork Range => new(IPAddress.Parse(Text($"10.77.{Subnet}.0")), 24);

    public IPAddress ServerAddress => Address(LabSpec.ServerOctet);

    public IPAddress Address(int octet) => IPAddress.Parse(Text($"10.77.{Subnet}.{octet}"));

    public IPAddress AddressOf(MachineRecord machine) => Address(machine.Octet);

    /// <summary>A machine of the lab, or DURE0842.</summary>
    public Outcome<MachineRecord> Find(string machine) =>
        Machines.FirstOrDefault(known => known.Name == machine) is { } found
            ? found
            : LabErrors.NoSuchMachine.With($"`{machine}` is not in the lab {Name}. It has: {string.Join(", ", Machines.Select(known => known.Name))}.");

    public LabRecord With(string machine, Func<MachineRecord, MachineRecord> change) =>
        this with { Machines = [.. Machines.Select(known => known.Name == machine ? change(known) : known)] };

    public static Outcome<LabRecord> Parse(byte[] text, string file)
    {
        try
        {
            return JsonSerializer.Deserialize(text, LabJson.Default.LabRecord) is { Version: CurrentVersion } record
                ? record
                : LabErrors.NotOurs.With($"{file} is of another version than {CurrentVersion.ToString(CultureInfo.InvariantCulture)}.");
        }
        catch (JsonException broken)
        {
            return LabErrors.NotOurs.With($"{file} cannot be read: {broken.Message}");
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What one machine of a lab is.</summary>
/// <param name="Id">Its name among all machines on this host, short enough for the name of an interface.</param>
/// <param name="Process">What keeps it running: it starts systemd-nspawn, and again after a reboot. Null while the machine is off.</param>
/// <param name="Ballast">Files that fill its disk.</param>
internal sealed record MachineRecord(string Name, int Octet, string Id, IReadOnlyList<string> Roles, ProcessMark? Process, IReadOnlyList<string> Ballast)
{
    /// <summary>The end of its link that is in the bridge.</summary>
    public string Link => "vb-" + Id;

    /// <summary>The control group of <see cref="Process"/>; all that is inside the machine is in the group of its name.</summary>
    public string PowerMember => "_power-" + Name;

    /// <summary>The first process inside; null while the machine is off.</summary>
    public ProcessMark? Leader() =>
        Process?.Children().Select(ProcessMark.Of).OfType<ProcessMark>().SelectMany(nspawn => nspawn.Children()).Where(IsFirst).Select(ProcessMark.Of).FirstOrDefault();

    // systemd-nspawn has other children for a moment; the machine's first process is number 1 in its own namespace.
    private static bool IsFirst(int pid) =>
        ProcessMark.Text($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/status").Split('\n')
            .FirstOrDefault(line => line.StartsWith("NSpid:", StringComparison.Ordinal))?.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [_, _, .., "1"];
}

/// <summary>JSON of the lab's files and answers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, IgnoreReadOnlyProperties = true, WriteIndented = true)]
[JsonSerializable(typeof(LabRecord))]
[JsonSerializable(typeof(LabView))]
[JsonSerializable(typeof(PackageIndex))]
internal sealed partial class LabJson : JsonSerializerContext;
