using Dure.Fleet.Apply;
using Dure.Fleet.Commands;
using Dure.Fleet.Desired;
using Dure.Fleet.Plan;
using Dure.Fleet.Roles.Server;
using Dure.Host;
using Dure.Host.Terminal;

namespace Dure.Fleet.Upgrade;

/// <summary>What could be upgraded on the machines that were asked about.</summary>
/// <param name="Packages">By machine.</param>
internal sealed record UpgradeOffer(IReadOnlyList<MachineSession> Machines, IReadOnlyDictionary<string, IReadOnlyList<PackageChange>> Packages)
{
    /// <param name="names">Which packages of a machine; null for all that apt would upgrade.</param>
    /// <param name="asked">Names that people gave: each must be installed somewhere.</param>
    public static async Task<Outcome<UpgradeOffer>> AskAsync(IReadOnlyList<MachineSession> machines, Func<MachineSession, IReadOnlyCollection<string>?> names, IReadOnlyList<string> asked, CancellationToken cancel)
    {
        var answers = await Task.WhenAll(machines.Select(machine => PackageChanges.AskAsync(machine, names(machine), cancel)));
        var problems = answers.Where(answer => !answer.Ok).Select(answer => answer.Problem!).ToList();
        if (problems.Count > 0)
            return FleetSource.Together(problems, "cannot say it");
        var nowhere = asked.Except(answers.SelectMany(answer => answer.Value.Has), StringComparer.Ordinal).ToList();
        return nowhere.Count > 0
            ? UpgradeErrors.ChoiceUnclear.With("", [.. nowhere.Select(name => new Fault("--packages", $"{name} is installed on none of {string.Join(", ", machines.Select(machine => machine.Machine.Name))}."))])
            : new UpgradeOffer(machines, machines.Zip(answers).ToDictionary(one => one.First.Machine.Name, one => one.Second.Value.Changes, StringComparer.Ordinal));
    }

    /// <summary>Without asking for packages.</summary>
    public static UpgradeOffer OfDure(IReadOnlyList<MachineSession> machines) => new(machines, new Dictionary<string, IReadOnlyList<PackageChange>>(StringComparer.Ordinal));

    /// <summary>The packages that the roles of a machine want, without those whose version the file decides.</summary>
    public static IReadOnlyCollection<string> OfRoles(MachineSession machine, Func<DesiredPackage, bool> wanted) =>
        machine.Desired.Packages.Where(package => package.Version is null && wanted(package)).Select(package => package.Name).ToHashSet(StringComparer.Ordinal);

    /// <summary>The machine has a Dure, and it is another build than the one that would be put there.</summary>
    public static bool HasOtherDure(MachineSession machine) =>
        machine.Plan.Changes.Any(change => change is { Act: Act.SendTree, Role: ServerRole.Name, Sign: ChangeSign.Change });

    public IReadOnlyList<PackageChange> PackagesOf(MachineSession machine) => Packages.GetValueOrDefault(machine.Machine.Name, []);

    /// <summary>Machines on which something would change, in the order in which it would.</summary>
    public IReadOnlyList<MachineSession> Order(bool withDure, bool withPackages)
    {
        var some = Machines.Where(machine => withDure && HasOtherDure(machine) || withPackages && PackagesOf(machine).Count > 0).ToDictionary(machine => machine.Machine.Name, StringComparer.Ordinal);
        return [.. UpgradeOrder.Of([.. some.Values.Select(machine => new Waiting(machine.Machine.Name, machine.Machine.Zone, machine.Machine.Order, machine.Seen.Leads.Count))]).Select(next => some[next.Machine])];
    }

    public OfferView View(string fleet, IReadOnlyList<MachineSession> order) => new(
        fleet,
        [.. order.Select(machine => machine.Machine.Name)],
        [
            .. Machines.Select(machine => new MachineOfferView(
                machine.Machine.Name,
                machine.Machine.Zone,
                [.. machine.Seen.Leads.Order(StringComparer.Ordinal)],
                HasOtherDure(machine),
                [.. PackagesOf(machine).Select(package => new OfferedPackageView(package.Name, package.Old, package.New))])),
        ]);

    /// <summary>Shows the machines in their order, with what would change on each.</summary>
    public void Write(Screen screen, IReadOnlyList<MachineSession> order, bool withDure)
    {
        foreach (var machine in order)
        {
            var leads = machine.Seen.Leads.Count > 0 ? $", leads {string.Join(", ", machine.Seen.Leads.Order(StringComparer.Ordinal))}" : "";
            screen.Line($"{machine.Machine.Name}  (zone {machine.Machine.Zone}{leads})");
            if (withDure && HasOtherDure(machine))
                screen.Line("  ~ Dure  (another build than the one here)");
            foreach (var package in PackagesOf(machine))
                screen.Line(package.Old is null ? $"  + {package.Name}  {package.New}" : $"  ~ {package.Name}  {package.Old} → {package.New}");
        }

        if (order.Count > 1)
            screen.Line($"In this order: {string.Join(", ", order.Select(machine => machine.Machine.Name))}.");
    }
}
