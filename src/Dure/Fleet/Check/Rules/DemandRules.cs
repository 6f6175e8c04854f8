using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Host.Terminal;

namespace Dure.Fleet.Check.Rules;

/// <summary>What roles ask of machines against what machines have.</summary>
internal static class DemandRules
{
    // Above this share, the page cache and a restart beside the running process have no room.
    private const double TightShare = 0.9;

    public static IEnumerable<Finding> Find(CheckScope scope)
    {
        foreach (var same in scope.Fleet.Machines.GroupBy(machine => (Asked: scope.Asked(machine), machine.Hardware.Cores, machine.Hardware.Memory, machine.Hardware.Disk)))
        {
            var (names, place, one, asked) = (Words.Names(same), same.First().Place, !same.Skip(1).Any(), same.Key.Asked);
            if (same.Key.Memory > 0 && asked.Memory > same.Key.Memory)
                yield return CheckRules.MemoryShort.At(place, $"The roles of {names} ask for {Phrase.Size(asked.Memory)} of memory; {Have(one)} {Phrase.Size(same.Key.Memory)}.");
            else if (same.Key.Memory > 0 && asked.Memory > same.Key.Memory * TightShare)
                yield return CheckRules.MemoryTight.At(place, $"The roles of {names} ask for {Phrase.Size(asked.Memory)} of memory; {Have(one)} {Phrase.Size(same.Key.Memory)}.");
            if (same.Key.Disk > 0 && asked.Disk > same.Key.Disk)
                yield return CheckRules.DiskShort.At(place, $"The roles of {names} ask for {Phrase.Size(asked.Disk)} of disk; {Have(one)} {Phrase.Size(same.Key.Disk)}.");
            if (same.Key.Cores > 0 && asked.Cores > same.Key.Cores)
                yield return CheckRules.CoresShort.At(place, Words.Text($"The roles of {names} ask for {asked.Cores:0.#} cores; {Have(one)} {same.Key.Cores}."));
        }
        var unknown = scope.Fleet.Machines.Where(machine => machine.Hardware.Memory == 0 || machine.Hardware.Cores == 0 || machine.Hardware.Disk == 0).ToList();
        if (unknown.Count > 0)
            yield return CheckRules.HardwareUnknown.At(unknown[0].Place, $"The file does not give cores, memory and disk of {Words.Names(unknown)}.");
        foreach (var finding in Facts(scope))
            yield return finding;
    }

    private static IEnumerable<Finding> Facts(CheckScope scope)
    {
        var machines = scope.Fleet.Machines.ToLookup(machine => machine.Name, StringComparer.Ordinal);
        foreach (var (fact, machine) in scope.Facts.Machines.SelectMany(fact => machines[fact.Machine].Select(machine => (fact, machine))))
        {
            var less = new List<string>();
            if (fact.Cores > 0 && fact.Cores < machine.Hardware.Cores)
                less.Add(Words.Text($"{fact.Cores} cores, not {machine.Hardware.Cores}"));
            // A kernel keeps some of the memory, and file systems some of the disk: a tenth less is no lie.
            if (fact.Memory > 0 && fact.Memory < machine.Hardware.Memory * 0.9)
                less.Add($"{Phrase.Size(fact.Memory)} of memory, not {Phrase.Size(machine.Hardware.Memory)}");
            if (fact.Disk > 0 && fact.Disk < machine.Hardware.Disk * 0.9)
                less.Add($"{Phrase.Size(fact.Disk)} of disk, not {Phrase.Size(machine.Hardware.Disk)}");
            if (less.Count > 0)
                yield return CheckRules.HardwareLess.At(machine.Place, $"{machine.Name} has {Words.List(less)}.");
        }
    }

    private static string Have(bool one) => one ? "it has" : "each has";
}
