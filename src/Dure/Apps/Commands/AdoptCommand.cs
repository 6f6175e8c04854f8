using System.CommandLine;
using Dure.Apps.Adopting;
using Dure.Apps.Detect;
using Dure.Edge;
using Dure.Edge.Foreign;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;

namespace Dure.Apps.Commands;

/// <summary><c>dure apps adopt</c>: papers that are served by hand, found and taken over.</summary>
internal static class AdoptCommand
{
    private static readonly Argument<string?> Id = new("id") { Description = "The app, by its id or its service; without, all that are found are listed.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string?> State = new("--state") { Description = "A list of apps and their ports (JSON); without, state.json in the services' folders and above.", HelpName = "FILE" };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Show what would be done, and change nothing." };
    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };

    private sealed record Plan(ByHand One, AppSpec Spec, Project Project, AppSettings Settings);

    public static Verb Make() =>
        new Verb("adopt", "Find papers that are served by hand, by services of systemd and locations of the edge's nginx, and take them over without a gap.",
            ("dure apps adopt", "what is served by hand, and what stands in the way"),
            ("dure apps adopt attention --dry-run", "what would be done"),
            ("dure apps adopt attention", "asks, then takes it over"),
            ("dure apps adopt --state ~/papers/state.json", "with a list of ports that somebody keeps"))
        .With(Id, State, DryRun, Yes)
        .Calls(async (call, client, cancel) =>
        {
            if (PublishCommand.Elsewhere(client) is { } elsewhere)
                return elsewhere;
            var found = await Working.RunAsync(call.Screen, "looking at both machines", _ => client.GetAsync("/api/adoptions", AdoptCommandJson.Default.FoundByHand, cancel));
            if (!found.Ok)
                return found.Problem;
            var state = call.Get(State) is { } file ? StateFiles.Read(file)
                : new Outcome<(IReadOnlyList<StateEntry> Entries, IReadOnlyList<string> Unread)>(StateFiles.Near(found.Value.Units.Select(unit => unit.Folder).OfType<string>()));
            if (!state.Ok)
                return state.Problem;
            foreach (var unread in found.Value.Unread.Concat(state.Value.Unread))
                call.Screen.Warn("not understood: " + unread);
            var all = Adoption.Join(found.Value, state.Value.Entries);
            return call.Get(Id) is { } id ? await AdoptAsync(call, client, found.Value, all, id, cancel) : AdoptPrint.List(call.Screen, all);
        });

    private static async Task<Outcome<int>> AdoptAsync(Call call, DureClient client, FoundByHand found, IReadOnlyList<ByHand> all, string id, CancellationToken cancel)
    {
        if ((all.FirstOrDefault(one => one.Id == id) ?? all.FirstOrDefault(one => one.Unit is not null && (one.Unit == id || one.Unit == id + ".service"))) is not { } one)
        {
            return found.Published.Contains(id, StringComparer.Ordinal) ? AdoptErrors.InTheWay.With($"'{Host.Texts.Shown.Safely(id)}' is published already: dure apps status {id}")
                : AdoptErrors.NotFound.With($"'{Host.Texts.Shown.Safely(id)}' is not among {(all.Count == 0 ? "what was found, which is nothing" : string.Join(", ", all.Select(known => known.Id)))}.");
        }

        var made = one.Ready ? MakePlan(found, one) : AdoptionsApi.Hindered(one);
        if (!made.Ok)
        {
            AdoptPrint.One(call.Screen, one, null, null);
            return made.Problem;
        }

        var plan = made.Value;
        if (call.Get(DryRun) || call.Screen.Format != OutputFormat.Json)
            AdoptPrint.One(call.Screen, plan.One, plan.Spec, found.Locations.FirstOrDefault(location => location.At == one.Location));
        if (call.Get(DryRun))
            return ExitCodes.Ok;
        var confirmed = await call.ConfirmAsync($"Take {one.Unit} over as {one.Id}?", call.Get(Yes), cancel);
        if (!confirmed.Ok)
            return confirmed.Problem;
        var published = await PublishCommand.PublishAsync(call.Screen, client, plan.Project, plan.Settings, plan.Spec, one.Id, replace: false, cancel);
        if (!published.Ok)
            return published.Problem;
        call.Screen.Say($"{one.Unit} is stopped and disabled once nobody is connected to it, in {Host.Texts.Quantities.Duration(TimeSpan.FromSeconds(plan.Spec.DrainSeconds))} at the latest; its file stays");
        return AppPrint.Live(call.Screen, published.Value);
    }

    // What app.yaml in its folder says wins, as when it is published.
    private static Outcome<Plan> MakePlan(FoundByHand found, ByHand one)
    {
        var unit = found.Units.First(known => known.Name == one.Unit);
        var project = Project.At(unit.Folder!);
        if (!project.Ok)
            return project.Problem;
        var settings = project.Value.Settings();
        if (!settings.Ok)
            return settings.Problem;
        var location = found.Locations.First(known => known.At == one.Location);
        var said = unit.Spec! with { KeepsPrefix = location.KeepsPrefix, BodyBytes = location.BodyBytes ?? unit.Spec!.BodyBytes };
        var spec = settings.Value.Command is null ? Detection.Laid(said, settings.Value) : Detection.Find(project.Value, settings.Value);
        if (!spec.Ok)
            return spec.Problem;
        if (spec.Value.Visibility == Visibility.Local)
            return AdoptionsApi.Hindered(one with { Obstacles = [$"{AppYaml.FileName} says visibility: local, which no edge shows"] });
        if (unit.EnvironmentFiles.Count > 0 && settings.Value.Environment is null)
            return AdoptionsApi.Hindered(one with { Obstacles = [.. unit.EnvironmentFiles.Select(file => $"it has its environment from {file}, which does not go along: say in {AppYaml.FileName} of {unit.Folder} what it needs of it, in `environment:`")] });
        string[] notes = [.. one.Notes, "it will run as a user of its own, which sees its folder and its environment, read-only: other folders of homes are not there, and what it keeps it keeps in $HOME"];
        return new Plan(one with { Notes = notes }, spec.Value with { Adopts = new AdoptedUnit(unit.Name, unit.Port!.Value) }, project.Value, settings.Value);
    }
}
