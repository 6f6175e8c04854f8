using System.CommandLine;
using System.Globalization;
using Dure.Fleet.Apply;
using Dure.Fleet.Commands;
using Dure.Fleet.Model;
using Dure.Fleet.Roles.Balancer;
using Dure.Fleet.Roles.Server;
using Dure.Fleet.Roles.Web;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Host.Terminal;

namespace Dure.Fleet.Upgrade;

/// <summary><c>dure upgrade</c>: rolls a new Dure or new packages through the fleet, with a way back.</summary>
internal static class UpgradeCommand
{
    private static readonly Option<bool> Dure = new("--dure") { Description = "Put the build of Dure that dure.build names on the machines that run another." };

    private static readonly Option<string[]> Packages = new("--packages")
    {
        Description = "Upgrade these packages; without names, all that apt-get upgrade would change.", HelpName = "NAME", Arity = ArgumentArity.ZeroOrMore, AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<bool> BlueGreen = new("--blue-green") { Description = "Web machines in two halves: upgrade one half without requests, switch all requests to it at once, and back if it is not well." };

    private static readonly Option<string> Watch = new("--watch") { Description = "With --blue-green: how long the first half has all requests before the other is touched.", HelpName = "TIME", DefaultValueFactory = static _ => "30s" };

    private static readonly Option<string> Drain = new("--drain") { Description = "Longest wait for the open requests of a web machine before it is upgraded.", HelpName = "TIME", DefaultValueFactory = static _ => "60s" };

    private static readonly Option<bool> NoWayBack = new("--no-way-back") { Description = "Also upgrade packages whose installed version nobody has any more; these stay new if the upgrade fails." };

    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Show what would be upgraded, in which order, and change nothing." };

    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };

    public static Verb Make() =>
        new Verb("upgrade", "Roll a new Dure or new packages through the fleet: zone by zone, those that lead last, each machine healthy before the next, and back to the old version when it is not.",
            ("dure upgrade", "what could be upgraded; nothing is changed"),
            ("dure upgrade --dure", "Dure itself, wherever another build runs"),
            ("dure upgrade --packages", "all packages that have a newer version"),
            ("dure upgrade --packages nginx --blue-green", "one package, on the web machines in two halves"))
        .With(FleetSource.Machines, Dure, Packages, BlueGreen, Watch, Drain, NoWayBack, DryRun, Yes)
        .Runs(RunAsync);

    private static async Task<Outcome<int>> RunAsync(Call call, CancellationToken cancel)
    {
        if (call.Get(Dure) && call.Has(Packages))
            return UpgradeErrors.ChoiceUnclear.With("--dure and --packages are two upgrades: one, and then the other.");
        if (call.Get(BlueGreen) && !call.Has(Packages))
            return UpgradeErrors.ChoiceUnclear.With("--blue-green is for packages of web machines: give --packages too.");
        foreach (var (option, name) in new[] { (Watch, "--watch"), (Drain, "--drain") })
        {
            if (Units.ReadDuration(call.Get(option)!).Error is { } error)
                return CommandErrors.Usage.With($"{name}: {error}");
        }

        var fleet = await FleetSource.LoadAsync(call, cancel);
        if (!fleet.Ok)
            return fleet.Problem;
        var part = FleetSource.Part(call, fleet.Value);
        if (!part.Ok)
            return part.Problem;
        if (call.Get(BlueGreen) && (part.Value.Machines.Count(machine => machine.Has(WebRole.Name)) < 2 || fleet.Value.With(BalancerRole.Name).Count == 0))
            return UpgradeErrors.NotShared.With("");

        // The checks of all machines count, whichever are upgraded.
        var opened = await Working.RunAsync(call.Screen, "asking the machines", _ => FleetSource.OpenAsync(call, fleet.Value, (fleet.Value.Machines, null), withHealth: false, cancel));
        if (!opened.Ok)
            return opened.Problem;
        try
        {
            var asked = part.Value.Machines.Select(machine => machine.Name).ToHashSet(StringComparer.Ordinal);
            return await OfferAsync(call, new(fleet.Value, opened.Value), [.. opened.Value.Where(machine => asked.Contains(machine.Machine.Name))], cancel);
        }
        finally
        {
            await PlanCommand.CloseAsync(opened.Value);
        }
    }

    /// <summary>Asks what could be upgraded and shows it; goes on when an upgrade was asked for.</summary>
    private static async Task<Outcome<int>> OfferAsync(Call call, FleetMembers fleet, IReadOnlyList<MachineSession> machines, CancellationToken cancel)
    {
        var (withDure, withPackages) = (!call.Has(Packages), !call.Get(Dure));
        var names = call.Get(Packages) ?? [];
        if (call.Get(BlueGreen))
            machines = [.. machines.Where(machine => machine.Machine.Has(WebRole.Name))];
        IReadOnlyCollection<string>? Wanted(MachineSession machine) =>
            names.Length > 0 ? names
            : call.Get(BlueGreen) ? UpgradeOffer.OfRoles(machine, static package => package.Role == WebRole.Name)
            : call.Has(Packages) ? null
            : UpgradeOffer.OfRoles(machine, static _ => true);
        var offer = withPackages
            ? await Working.RunAsync(call.Screen, "asking for newer packages", _ => UpgradeOffer.AskAsync(machines, Wanted, names, cancel))
            : UpgradeOffer.OfDure(machines);
        if (!offer.Ok)
            return offer.Problem;
        var order = offer.Value.Order(withDure, withPackages);
        var (json, looks) = (call.Screen.Format == OutputFormat.Json, withDure == withPackages || call.Get(DryRun));
        if (json && (looks || order.Count == 0))
            call.Screen.Json(offer.Value.View(fleet.Model.Name, order), UpgradeJson.Default.OfferView);
        if (!json)
            Show(call.Screen, offer.Value, order, withDure, withPackages, looks);
        return looks || order.Count == 0 ? ExitCodes.Ok : await UpgradeAsync(call, fleet, offer.Value, order, cancel);
    }

    private static void Show(Screen screen, UpgradeOffer offer, IReadOnlyList<MachineSession> order, bool withDure, bool withPackages, bool looks)
    {
        offer.Write(screen, order, withDure);
        if (order.Count == 0)
            screen.Line($"{Phrase.Count(offer.Machines.Count, "machine")}: nothing to upgrade{(withDure && withPackages ? " of Dure and of the packages of the roles" : "")}.");
        else if (looks)
            screen.Line(withDure && withPackages ? "Nothing was changed. `dure upgrade --dure` upgrades Dure, `dure upgrade --packages` all packages, `dure upgrade --packages NAME...` some." : "Nothing was changed.");
    }

    private static async Task<Outcome<int>> UpgradeAsync(Call call, FleetMembers fleet, UpgradeOffer offer, IReadOnlyList<MachineSession> order, CancellationToken cancel)
    {
        if (await call.ConfirmAsync(call.Get(BlueGreen) ? "Upgrade this, one half after the other?" : "Upgrade this, one machine after another?", call.Get(Yes), cancel) is { Ok: false } refused)
            return refused.Problem;
        var (began, at) = (call.Time.GetTimestamp(), call.Time.GetUtcNow());
        var id = ApplyRecords.NewId(at);
        var who = ApplyRecords.Who;
        if (call.Get(Dure))
        {
            foreach (var machine in order)
                machine.Only(new HashSet<string>(StringComparer.Ordinal) { ServerRole.Name });
        }

        UpgradeWork? work = null;
        var report = await Working.RunAsync(call.Screen, "upgrading", working =>
        {
            void Say(string line)
            {
                working.Say(line);
                // On a terminal the step is drawn over by the next one; what happened stays.
                if (call.Screen.Chatty)
                    working.Log($"  {line}");
            }

            var since = $"{who} since {at:yyyy-MM-dd HH:mm:ss} UTC";
            work = call.Get(Dure) ? new DureUpgrade(id, since, call.Time, Say) : new PackageUpgrade(offer.Packages, call.Get(NoWayBack), id, since, call.Time, Say);
            var door = new WebDoor(fleet, Units.ReadDuration(call.Get(Drain)!).Value, Say);
            return call.Get(BlueGreen)
                ? new BlueGreenRun(fleet, order, work, door, Units.ReadDuration(call.Get(Watch)!).Value, call.Time, Say).RunAsync(cancel)
                : new UpgradeRun(fleet, order, work, door, Say).RunAsync(cancel);
        });
        var view = new ApplyView(id, fleet.Model.Name, who, at, (long)call.Time.GetElapsedTime(began).TotalMilliseconds, report.Ok, [.. report.Machines.Select(one => UpgradeViews.Of(one, work!))]);
        await ApplyRecords.KeepAsync(view, cancel);
        if (call.Screen.Format == OutputFormat.Json)
            call.Screen.Json(view, FleetJson.Default.ApplyView);
        else
            Print(call.Screen, view, report);
        var problems = report.Problems.ToList();
        foreach (var problem in problems.Skip(1))
            call.Screen.Problem(problem);
        return problems.Count > 0 ? problems[0] : ExitCodes.Ok;
    }

    private static void Print(Screen screen, ApplyView view, UpgradeReport report)
    {
        foreach (var one in report.Machines)
        {
            screen.Line(one.End switch
            {
                UpgradeEnd.Upgraded => $"{one.Name}: upgraded in {Phrase.Took(one.Took.TotalMilliseconds)}",
                UpgradeEnd.Returned => $"{one.Name}: runs the old version again",
                UpgradeEnd.Failed => $"{one.Name}: failed",
                _ => $"{one.Name}: not begun, as it was",
            });
        }

        var upgraded = report.Machines.Count(one => one.End == UpgradeEnd.Upgraded);
        screen.Line($"{Phrase.Count(upgraded, "machine")} of {report.Machines.Count} upgraded in {Phrase.Took(view.TookMs)}, upgrade {view.Id}.{(report.Checks > 0 ? $" All {report.Checks} health checks of the fleet pass." : "")}");
    }
}
