using System.CommandLine;
using Dure.Fleet.Apply;
using Dure.Fleet.Check;
using Dure.Fleet.Check.Rules;
using Dure.Fleet.Drill;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Fleet.Roles.Firewall;
using Dure.Host.Ssh;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;

namespace Dure.Fleet.Commands;

/// <summary>The fleet that a verb is about, and the part of it that was asked for.</summary>
internal static class FleetSource
{
    public static readonly Option<string[]> Machines = new("--machine") { Description = "Only these machines; may be given several times.", HelpName = "NAME", AllowMultipleArgumentsPerToken = true };

    public static readonly Option<string[]> Only = new("--only") { Description = "Only what these roles ask for; may be given several times.", HelpName = "ROLE", AllowMultipleArgumentsPerToken = true };

    /// <summary>From --config, DURE_CONFIG, ./dure.yaml or /etc/dure/dure.yaml.</summary>
    public static Task<Outcome<FleetModel>> LoadAsync(Call call, CancellationToken cancel) => LoadAsync(call, null, cancel);

    /// <param name="path">The file that was named; null for those above.</param>
    public static Task<Outcome<FleetModel>> LoadAsync(Call call, string? path, CancellationToken cancel)
    {
        var sources = call.Sources();
        return FleetFile.LoadAsync(ConfigurationLoader.PathOf(sources with { File = path ?? sources.File }).Path, cancel);
    }

    /// <summary>What <c>dure check</c> knows without asking a machine.</summary>
    public static CheckFacts Facts(Call call, FleetModel fleet) => new(call.Time.GetUtcNow()) { Secrets = FleetSecrets.Present(fleet), Drill = DrillRecords.Last(fleet.Name) };

    /// <summary>What a machine's derived firewall lets in; without the role firewall, everything.</summary>
    public static Admits Opens(FleetModel fleet, Machine machine) => new(FirewallRules.Gate(fleet, machine));

    /// <summary>DURE0810 when the fleet has errors: what does not work, or loses what it acknowledged, is not applied.</summary>
    public static Problem? Faults(Call call, FleetModel fleet)
    {
        var errors = FleetFindings.Of(new CheckScope(fleet, RoleKinds.All, Facts(call, fleet), Opens)).Where(finding => finding.Severity == Severity.Error).ToList();
        return errors.Count == 0 ? null : FleetErrors.CheckFailed.With(
            errors.Count == 1 ? "There is one error." : $"There are {errors.Count} errors.", [.. errors.Select(error => new Fault(error.Where.ToString(), $"{error.What} {error.Remedy} [{error.Rule}]"))]);
    }

    /// <summary>The machines and roles that were asked for; every unknown word is a fault.</summary>
    public static Outcome<(IReadOnlyList<Machine> Machines, IReadOnlySet<string>? Roles)> Part(Call call, FleetModel fleet)
    {
        var (machines, roles) = (call.Get(Machines) ?? [], call.Get(Only) ?? []);
        var faults = new List<Fault>();
        faults.AddRange(machines.Where(name => fleet.Machines.All(known => known.Name != name))
            .Select(name => new Fault("--machine", $"there is no machine {name}.{Spelling.DidYouMean(name, fleet.Machines.Select(known => known.Name))}")));
        faults.AddRange(roles.Where(name => RoleKinds.All.All(known => known.Name != name))
            .Select(name => new Fault("--only", $"there is no role {name}.{Spelling.DidYouMean(name, RoleKinds.All.Select(known => known.Name))}")));
        return faults.Count > 0
            ? FleetErrors.MachineUnknown.With("", faults)
            : ((IReadOnlyList<Machine>)[.. fleet.Machines.Where(machine => machines.Length == 0 || machines.Contains(machine.Name, StringComparer.Ordinal))],
                roles.Length == 0 ? null : roles.ToHashSet(StringComparer.Ordinal));
    }

    /// <summary>The secrets of a fleet that may be applied.</summary>
    private static async Task<Outcome<FleetSecrets>> ReadyAsync(Call call, FleetModel fleet, CancellationToken cancel) =>
        Faults(call, fleet) is { } faulty ? faulty : await FleetSecrets.ReadAsync(fleet, cancel);

    /// <summary>Machines' problems as one: alone as it is, several as faults of the first one's kind.</summary>
    /// <param name="what">What the machines do: <c>cannot be asked</c>.</param>
    public static Problem Together(IReadOnlyList<Problem> problems, string what) => problems.Count == 1
        ? problems[0]
        : problems[0].Kind.With($"{problems.Count} machines {what}.", [.. problems.Select(problem => new Fault(problem.Kind.Id, problem.Detail))]);

    /// <summary>Opens a session to each machine at the same time and plans.</summary>
    /// <returns>All of them in the order of the file; or the first problem's kind with every machine that has one.</returns>
    public static async Task<Outcome<IReadOnlyList<MachineSession>>> OpenAsync(Call call, FleetModel fleet, bool withHealth, CancellationToken cancel)
    {
        var part = Part(call, fleet);
        return part.Ok ? await OpenAsync(call, fleet, part.Value, withHealth, cancel) : part.Problem;
    }

    /// <summary>The same for a part that the verb decides.</summary>
    public static async Task<Outcome<IReadOnlyList<MachineSession>>> OpenAsync(Call call, FleetModel fleet, (IReadOnlyList<Machine> Machines, IReadOnlySet<string>? Roles) part, bool withHealth, CancellationToken cancel)
    {
        // The clients sign in while the fleet is checked and what its machines should be is made.
        var control = ControlFolder.Make();
        var started = part.Machines.Select(machine => MachineTarget.Of(fleet, machine, control)).Select(target => (Target: target, Session: SshSession.Open(target))).ToList();
        var unstarted = started.Select(one => one.Session.Problem).FirstOrDefault(problem => problem is not null);
        var secrets = unstarted is null ? await ReadyAsync(call, fleet, cancel) : unstarted;
        if (!secrets.Ok)
        {
            await Task.WhenAll(started.Where(one => one.Session.Ok).Select(one => one.Session.Value.DisposeAsync().AsTask()));
            return secrets.Problem;
        }

        var opened = await Task.WhenAll(part.Machines.Zip(started).Select(one => MachineSession.OpenAsync(
            fleet, one.First, FleetState.Of(fleet, one.First, secrets.Value.Of), secrets.Value.Hide, one.Second.Target, one.Second.Session.Value, withHealth, cancel)));
        var problems = opened.Where(outcome => !outcome.Ok).Select(outcome => outcome.Problem!).ToList();
        if (problems.Count > 0)
        {
            await PlanCommand.CloseAsync([.. opened.Where(outcome => outcome.Ok).Select(outcome => outcome.Value)]);
            return Together(problems, "cannot be asked");
        }

        foreach (var session in opened)
        {
            if (part.Roles is { } roles)
                session.Value.Only(roles);
        }

        return opened.Select(outcome => outcome.Value).ToList();
    }
}
