using System.CommandLine;
using Dure.Fleet.Commands;
using Dure.Fleet.Drill.Ground;
using Dure.Fleet.Drill.Reports;
using Dure.Fleet.Lab;
using Dure.Fleet.Model;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Host.Terminal;
using Dure.Host.Texts;
using Spectre.Console;

namespace Dure.Fleet.Drill;

/// <summary><c>dure drill</c>: takes away machines and processes, and says what anyone noticed.</summary>
internal static class DrillCommands
{
    private static readonly Argument<string[]> Names = new("name") { Description = "Drills, as `dure drill list` names them.", Arity = ArgumentArity.OneOrMore };

    private static readonly Option<int> Seed = new("--seed") { Description = "Decides the order of drills, and which machine of several that are alike.", HelpName = "N", DefaultValueFactory = _ => 1 };

    private static readonly Option<bool> Full = new("--full") { Description = "Every fault against every tier, at its leader and at a stand-by; without, every two of these meet at least once." };

    private static readonly Option<string?> Report = new("--report") { Description = "Also write the report, with timelines, as one HTML page.", HelpName = "FILE" };

    private static readonly Option<string?> LabName = new("--lab") { Description = "The lab that the fleet's machines stand in. Without, they are real.", HelpName = "NAME" };

    private static readonly Option<string?> Confirm = new("--confirm") { Description = "The fleet's name, instead of being asked for it.", HelpName = "FLEET" };

    public static Verb Make() => new Verb("drill", "Take away machines and processes, and measure what anyone noticed and what was lost.").With(MakeList(), MakeRun(), MakeAll());

    private static Verb MakeList() =>
        new Verb("list", "Show the drills that this fleet can have.",
            ("dure drill list", "what can be done over SSH"),
            ("dure drill list --lab lab", "and with the power, cables and disks of a lab"))
        .With(LabName, Seed)
        .Runs(async (call, cancel) =>
        {
            var loaded = await FleetSource.LoadAsync(call, cancel);
            if (!loaded.Ok)
                return loaded.Problem;
            var possible = PlannedDrill.Possible(loaded.Value, call.Get(LabName) is not null);
            var chosen = Covering.Choose(possible, call.Get(Seed)).ToHashSet();
            IReadOnlyList<DrillLine> lines = [.. possible.Select(drill => new DrillLine(
                drill.Name, drill.Tier.Name, FaultKinds.Word(drill.Fault), drill.Position == Position.Leader ? "leader" : "stand-by", drill.Purpose, chosen.Contains(drill)))];
            if (call.Screen.Format == OutputFormat.Json)
                call.Screen.Json(lines, DrillJson.Default.IReadOnlyListDrillLine);
            else
                call.Screen.Table([new("Drill"), new("In all"), new("What happens", 30)], [.. lines.Select(line => (IReadOnlyList<string>)[line.Name, line.InAll ? "yes" : "-", line.Purpose])]);
            return ExitCodes.Ok;
        });

    private static Verb MakeRun() =>
        new Verb("run", "Run drills by name, after a control run without a fault.",
            ("dure drill run redis-process-kill", "on the real fleet, after you typed its name"),
            ("dure drill run postgres-power-cut vip-power-cut --lab lab", "on a lab"))
        .With(Names, LabName, Seed, Report, Confirm)
        .Runs((call, cancel) => RunAsync(call, possible => Named(possible, call.Get(Names)!), pairwise: false, full: false, cancel));

    private static Verb MakeAll() =>
        new Verb("all", "Drill every tier with every fault, after a control run without one. Minutes.",
            ("dure drill all --lab lab --seed 1 --report drills.html", "on a lab; the seed gives the same order again"),
            ("dure drill all --lab lab --full", "every fault at every place"))
        .With(LabName, Seed, Full, Report, Confirm)
        .Runs((call, cancel) => RunAsync(
            call,
            possible => new Outcome<IReadOnlyList<PlannedDrill>>(call.Get(Full) ? Covering.Shuffled(possible, call.Get(Seed)) : Covering.Choose(possible, call.Get(Seed))),
            pairwise: !call.Get(Full),
            full: call.Get(Full),
            cancel));

    private static Outcome<IReadOnlyList<PlannedDrill>> Named(IReadOnlyList<PlannedDrill> possible, string[] names)
    {
        var faults = names.Where(name => possible.All(drill => drill.Name != name))
            .Select(name => new Fault("name", $"there is no drill {Shown.Safely(name)} here.{Spelling.DidYouMean(name, possible.Select(drill => drill.Name))}")).ToList();
        return faults.Count > 0 ? DrillErrors.Unknown.With("", faults) : new Outcome<IReadOnlyList<PlannedDrill>>([.. names.Select(name => possible.First(drill => drill.Name == name))]);
    }

    private static async Task<Outcome<int>> RunAsync(Call call, Func<IReadOnlyList<PlannedDrill>, Outcome<IReadOnlyList<PlannedDrill>>> choose, bool pairwise, bool full, CancellationToken cancel)
    {
        var loaded = await FleetSource.LoadAsync(call, cancel);
        if (!loaded.Ok)
            return loaded.Problem;
        var fleet = loaded.Value;
        var secrets = await FleetSecrets.ReadAsync(fleet, cancel);
        if (!secrets.Ok)
            return secrets.Problem;
        var lab = call.Get(LabName) is { } name ? OpenLab(fleet, name) : new Outcome<RunningLab?>((RunningLab?)null);
        if (!lab.Ok)
            return lab.Problem;
        var drills = choose(PlannedDrill.Possible(fleet, lab.Value is not null));
        if (!drills.Ok)
            return drills.Problem;
        if (lab.Value is null && await ConfirmAsync(call, fleet, drills.Value, cancel) is { } refused)
            return refused;
        // Some libraries of the clients block a thread on a machine that is gone: the others must not wait for it, for they would take that for the fleet's silence.
        ThreadPool.SetMinThreads(32, 32);
        var report = await Working.RunAsync(call.Screen, "is the fleet whole?", async working =>
        {
            await using var ground = new DrillGround(fleet, secrets.Value.Of, lab.Value, call.Time);
            return await new DrillSeries(ground, call.Get(Seed), working.Log).RunAsync(drills.Value, pairwise, full, cancel);
        });
        if (!report.Ok)
            return report.Problem;
        if (pairwise || full)
            await DrillRecords.KeepAsync(report.Value, cancel);
        if (call.Get(Report) is { } path)
            await File.WriteAllTextAsync(path, DrillHtml.Render(report.Value), cancel);
        if (call.Screen.Format == OutputFormat.Json)
            call.Screen.Json(report.Value, DrillJson.Default.DrillReport);
        else
            DrillText.Write(call.Screen, report.Value);
        return report.Value.Ok ? ExitCodes.Ok : ExitCodes.Failed;
    }

    // Faults go to the lab by name: each name must be the same machine in both.
    private static Outcome<RunningLab?> OpenLab(FleetModel fleet, string name)
    {
        var opened = RunningLab.Open(LabPlaces.Default, name);
        if (!opened.Ok)
            return opened.Problem;
        var record = opened.Value.Record();
        if (!record.Ok)
            return record.Problem;
        var strangers = fleet.Machines.Where(machine => record.Value.Machines.All(known => known.Name != machine.Name || !record.Value.AddressOf(known).Equals(fleet.AddressOf(machine)))).ToList();
        return strangers.Count > 0
            ? DrillErrors.LabDiffers.With($"The lab {name} has no {string.Join(", ", strangers.Select(machine => $"{machine.Name} at {fleet.AddressOf(machine)}"))}.")
            : new Outcome<RunningLab?>(opened.Value);
    }

    private static async Task<Problem?> ConfirmAsync(Call call, FleetModel fleet, IReadOnlyList<PlannedDrill> drills, CancellationToken cancel)
    {
        var typed = call.Get(Confirm);
        if (typed is null && call.Screen.Traits is { InIsTerminal: true, ErrIsTerminal: true })
        {
            call.Screen.Say($"These are real machines. {Phrase.Count(drills.Count, "drill")}: {string.Join(", ", drills.Select(drill => drill.Name))}.");
            typed = await new TextPrompt<string>(Markup.Escape($"Type the fleet's name, {fleet.Name}, to go on:")) { AllowEmpty = true }.ShowAsync(call.Screen.Talk, cancel);
        }

        return typed?.Trim() == fleet.Name ? null : DrillErrors.NotNamed.With(typed is null ? "Nobody was asked." : $"It is {fleet.Name}, not {Shown.Safely(typed)}.");
    }
}
