namespace Dure.Fleet.Check.Estimates;

/// <summary>What the roles ask of the fleet against what is there, with all machines and without the largest. Memory and disk in bytes.</summary>
/// <param name="Unknown">Machines whose hardware the file does not give; they count as nothing.</param>
internal sealed record CapacityEstimate(Amounts Asked, Amounts There, IReadOnlyList<Headroom> WithoutLargest, IReadOnlyList<string> Unknown)
{
    public static CapacityEstimate Of(CheckScope scope)
    {
        var machines = scope.Fleet.Machines;
        var asked = machines.Select(scope.Asked).Aggregate(new Amounts(0, 0, 0), (sum, more) => new(sum.Cores + more.Cores, sum.Memory + more.Memory, sum.Disk + more.Disk));
        var there = new Amounts(machines.Sum(machine => machine.Hardware.Cores), machines.Sum(machine => machine.Hardware.Memory), machines.Sum(machine => machine.Hardware.Disk));
        return new(
            asked,
            there,
            machines.Count < 2 ? [] :
            [
                Headroom.Of("cores", machines.MaxBy(machine => machine.Hardware.Cores)!.Name, machines.Max(machine => machine.Hardware.Cores), there.Cores, asked.Cores),
                Headroom.Of("memory", machines.MaxBy(machine => machine.Hardware.Memory)!.Name, machines.Max(machine => machine.Hardware.Memory), there.Memory, asked.Memory),
                Headroom.Of("disk", machines.MaxBy(machine => machine.Hardware.Disk)!.Name, machines.Max(machine => machine.Hardware.Disk), there.Disk, asked.Disk),
            ],
            [.. machines.Where(machine => machine.Hardware.Cores == 0 || machine.Hardware.Memory == 0 || machine.Hardware.Disk == 0).Select(machine => machine.Name)]);
    }
}

/// <summary>Cores, and bytes of memory and disk.</summary>
internal sealed record Amounts(double Cores, double Memory, double Disk);

/// <summary>What is left of a resource when the machine with most of it is lost and all that the roles ask for, that machine's roles included, had to fit on the others.</summary>
/// <param name="Lost">The machine with most of it.</param>
/// <param name="Left">What the others have.</param>
/// <param name="Free">What would be free of it; negative when it does not fit.</param>
internal sealed record Headroom(string Resource, string Lost, double Left, double Free)
{
    public static Headroom Of(string resource, string lost, double largest, double there, double asked) => new(resource, lost, there - largest, there - largest - asked);
}
