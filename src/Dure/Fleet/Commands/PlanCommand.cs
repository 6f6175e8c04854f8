using System.CommandLine;
using Dure.Fleet.Apply;
using Dure.Fleet.Plan;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Fleet.Commands;

/// <summary><c>dure plan</c> and <c>dure drift</c>: what differs. Both change nothing.</summary>
internal static class PlanCommand
{
    private static readonly Option<bool> Brief = new("--brief") { Description = "Without the differences of files." };

    private static readonly Option<bool> ExitCode = new("--exit-code") { Description = "Exit with 1 when there is something to do, for scripts and monitors." };

    public static Verb Make() =>
        new Verb("plan", "Show what apply would change on the machines of dure.yaml. Nothing is changed.",
            ("dure plan", "every machine"),
            ("dure plan --machine n1 --only balancer", "one machine, one role"),
            ("dure plan --exit-code --quiet", "for a monitor: 1 when there is something to do"))
        .With(FleetSource.Machines, FleetSource.Only, Brief, ExitCode)
        .Runs((call, cancel) => ShowAsync(call, static _ => true, PlanText.Summary, cancel));

    public static Verb MakeDrift() =>
        new Verb("drift", "Show what was changed on the machines since the last apply, by hand or by a program. Exit code 1 when something was.",
            ("dure drift", "every machine"),
            ("dure drift --machine n1 --format json", "one machine, for a program"))
        .With(FleetSource.Machines, FleetSource.Only, Brief)
        .Runs((call, cancel) => ShowAsync(call, static change => change.Drift, Drifted, cancel));

    private static string Drifted(IReadOnlyList<MachineSession> machines)
    {
        var count = machines.Sum(machine => machine.Plan.Changes.Count);
        return count == 0 ? $"{Phrase.Count(machines.Count, "machine")}: as applied." : $"{Phrase.Count(count, "difference")} from what was applied; `dure apply` puts it back.";
    }

    private static async Task<Outcome<int>> ShowAsync(Call call, Func<Change, bool> wanted, Func<IReadOnlyList<MachineSession>, string> summary, CancellationToken cancel)
    {
        var fleet = await FleetSource.LoadAsync(call, cancel);
        if (!fleet.Ok)
            return fleet.Problem;
        var opened = await Working.RunAsync(call.Screen, "asking the machines", _ => FleetSource.OpenAsync(call, fleet.Value, withHealth: false, cancel));
        if (!opened.Ok)
            return opened.Problem;
        var machines = opened.Value;
        try
        {
            foreach (var machine in machines)
                machine.Keep(wanted);
            var diffs = await DiffsAsync(machines, cancel);
            if (!diffs.Ok)
                return diffs.Problem;
            if (call.Screen.Format == OutputFormat.Json)
                call.Screen.Json(FleetViews.Of(fleet.Value.Name, machines, diffs.Value), FleetJson.Default.PlanView);
            else
                Print(call, machines, diffs.Value, summary);
            var any = machines.Any(machine => !machine.Plan.IsEmpty);
            return any && (call.Get(ExitCode) || summary == Drifted) ? ExitCodes.Failed : ExitCodes.Ok;
        }
        finally
        {
            await CloseAsync(machines);
        }
    }

    private static void Print(Call call, IReadOnlyList<MachineSession> machines, IReadOnlyDictionary<Change, string> diffs, Func<IReadOnlyList<MachineSession>, string> summary)
    {
        foreach (var machine in machines)
            PlanText.Write(call.Screen, machine, diffs, call.Get(Brief));
        call.Screen.Line(summary(machines));
    }

    /// <summary>The differences of all machines' files, asked for at the same time.</summary>
    public static async Task<Outcome<IReadOnlyDictionary<Change, string>>> DiffsAsync(IReadOnlyList<MachineSession> machines, CancellationToken cancel)
    {
        var all = new Dictionary<Change, string>(ReferenceEqualityComparer.Instance);
        foreach (var diffs in await Task.WhenAll(machines.Select(machine => machine.DiffsAsync(cancel))))
        {
            if (!diffs.Ok)
                return diffs.Problem;
            foreach (var (change, diff) in diffs.Value)
                all[change] = diff;
        }

        return new Outcome<IReadOnlyDictionary<Change, string>>(all);
    }

    public static Task CloseAsync(IReadOnlyList<MachineSession> machines) => Task.WhenAll(machines.Select(machine => machine.DisposeAsync().AsTask()));
}
