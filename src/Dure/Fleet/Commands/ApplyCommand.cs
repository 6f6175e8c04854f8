using System.CommandLine;
using System.Globalization;
using Dure.Fleet.Apply;
using Dure.Fleet.Model;
using Dure.Fleet.Plan;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Fleet.Commands;

/// <summary><c>dure apply</c>: makes the machines what dure.yaml says.</summary>
internal static class ApplyCommand
{
    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };

    private static readonly Option<bool> Brief = new("--brief") { Description = "Without the differences of files." };

    public static Verb Make() =>
        new Verb("apply", "Make the machines what dure.yaml says: shows the plan, asks, changes what differs, and waits until every role is healthy.",
            ("dure apply", "every machine, after a look at the plan"),
            ("dure apply --yes --machine n1", "one machine, without a question"),
            ("dure apply --only balancer", "what one role asks for, wherever it is"))
        .With(FleetSource.Machines, FleetSource.Only, Brief, Yes)
        .Runs(RunAsync);

    private static async Task<Outcome<int>> RunAsync(Call call, CancellationToken cancel)
    {
        var fleet = await FleetSource.LoadAsync(call, cancel);
        if (!fleet.Ok)
            return fleet.Problem;
        var opened = await Working.RunAsync(call.Screen, "asking the machines", _ => FleetSource.OpenAsync(call, fleet.Value, withHealth: true, cancel));
        if (!opened.Ok)
            return opened.Problem;
        try
        {
            return await ApplyAsync(call, fleet.Value, opened.Value, cancel);
        }
        finally
        {
            await PlanCommand.CloseAsync(opened.Value);
        }
    }

    private static async Task<Outcome<int>> ApplyAsync(Call call, FleetModel fleet, IReadOnlyList<MachineSession> machines, CancellationToken cancel)
    {
        var (began, at) = (call.Time.GetTimestamp(), call.Time.GetUtcNow());
        var diffs = await PlanCommand.DiffsAsync(machines, cancel);
        if (!diffs.Ok)
            return diffs.Problem;
        var json = call.Screen.Format == OutputFormat.Json;
        if (!json)
        {
            foreach (var machine in machines)
                PlanText.Write(call.Screen, machine, diffs.Value, call.Get(Brief));
            call.Screen.Line(PlanText.Summary(machines));
        }

        var nothing = machines.All(machine => machine.Plan.IsEmpty);
        if (!nothing && await call.ConfirmAsync("Apply this?", call.Get(Yes), cancel) is { Ok: false } refused)
            return refused.Problem;
        var id = ApplyRecords.NewId(at);
        var who = ApplyRecords.Who;
        var outcomes = await Working.RunAsync(call.Screen, "applying", working =>
        {
            var run = new ApplyRun(machines, id, $"{who} since {at:yyyy-MM-dd HH:mm:ss} UTC", call.Time, progress => working.Say(string.Create(CultureInfo.InvariantCulture, $"{progress.Machine} {Math.Min(progress.Done + 1, progress.Of)}/{progress.Of}: {progress.What}")));
            return run.RunAsync(cancel);
        });
        var view = new ApplyView(id, fleet.Name, who, at, (long)call.Time.GetElapsedTime(began).TotalMilliseconds, outcomes.All(outcome => outcome.Ok), [.. outcomes.Select(outcome => FleetViews.Of(outcome, diffs.Value))]);
        if (!nothing)
            await ApplyRecords.KeepAsync(view, cancel);
        if (json)
            call.Screen.Json(view, FleetJson.Default.ApplyView);
        else
            Print(call.Screen, view, outcomes);
        return Ended(call.Screen, outcomes);
    }

    private static void Print(Screen screen, ApplyView view, IReadOnlyList<MachineOutcome> outcomes)
    {
        foreach (var check in outcomes.SelectMany(outcome => outcome.Health.Where(check => !check.Healthy).Select(check => (outcome.Machine, Check: check))))
            screen.Warn($"{check.Machine}: {check.Check.Name} is not so: {(check.Check.Text.Length > 0 ? check.Check.Text : "no answer")}");
        foreach (var idle in outcomes.Where(outcome => outcome.End == MachineEnd.NotBegun))
            screen.Warn($"{idle.Machine}: not begun, because another machine failed first");
        var (applied, healthy, checks) = (outcomes.Count(outcome => outcome.End == MachineEnd.Applied), outcomes.Sum(outcome => outcome.Health.Count(check => check.Healthy)), outcomes.Sum(outcome => outcome.Health.Count));
        if (applied > 0)
            screen.Line($"{Phrase.Count(applied, "machine")} changed in {Phrase.Took(view.TookMs)}, apply {view.Id}.");
        if (checks > 0)
            screen.Line(healthy == checks ? $"All {checks} health checks pass." : $"{healthy} of {checks} health checks pass.");
    }

    private static Outcome<int> Ended(Screen screen, IReadOnlyList<MachineOutcome> outcomes)
    {
        var problems = outcomes.Where(outcome => outcome.Problem is not null).Select(outcome => outcome.Problem!).ToList();
        foreach (var problem in problems.Skip(1))
            screen.Problem(problem);
        return problems.Count > 0 ? problems[0] : outcomes.All(outcome => outcome.Ok) ? ExitCodes.Ok : ExitCodes.Failed;
    }
}
