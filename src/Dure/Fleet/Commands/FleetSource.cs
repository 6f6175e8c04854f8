using System.CommandLine;
using Dure.Fleet.Apply;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Fleet.Ssh;
using Dure.Host;
using Dure.Host.Commands;

namespace Dure.Fleet.Commands;

/// <summary>The fleet that a verb is about, and the part of it that was asked for.</summary>
internal static class FleetSource
{
    public static readonly Option<string[]> Machines = new("--machine") { Description = "Only these machines; may be given several times.", HelpName = "NAME", AllowMultipleArgumentsPerToken = true };

    public static readonly Option<string[]> Only = new("--only") { Description = "Only what these roles ask for; may be given several times.", HelpName = "ROLE", AllowMultipleArgumentsPerToken = true };

    /// <summary>From --config, DURE_CONFIG, ./dure.yaml or /etc/dure/dure.yaml.</summary>
    public static Task<Outcome<FleetModel>> LoadAsync(Call call, CancellationToken cancel)
    {
        var sources = call.Sources();
        var asked = sources.File ?? sources.Environment.GetValueOrDefault("DURE_CONFIG");
        var path = !string.IsNullOrEmpty(asked) ? Path.Combine(sources.CurrentDirectory, asked)
            : Path.Combine(sources.CurrentDirectory, "dure.yaml") is var here && File.Exists(here) ? here : "/etc/dure/dure.yaml";
        return FleetFile.LoadAsync(path, cancel);
    }

    /// <summary>The machines and roles that were asked for; every unknown word is a fault.</summary>
    public static Outcome<(IReadOnlyList<Machine> Machines, IReadOnlySet<string>? Roles)> Part(Call call, FleetModel fleet)
    {
        var (machines, roles) = (call.Get(Machines) ?? [], call.Get(Only) ?? []);
        var faults = new List<Fault>();
        faults.AddRange(machines.Where(name => fleet.Machines.All(known => known.Name != name))
            .Select(name => new Fault("--machine", $"there is no machine {name}.{Host.Configuration.Spelling.DidYouMean(name, fleet.Machines.Select(known => known.Name))}")));
        faults.AddRange(roles.Where(name => RoleKinds.All.All(known => known.Name != name))
            .Select(name => new Fault("--only", $"there is no role {name}.{Host.Configuration.Spelling.DidYouMean(name, RoleKinds.All.Select(known => known.Name))}")));
        return faults.Count > 0
            ? FleetErrors.MachineUnknown.With("", faults)
            : ((IReadOnlyList<Machine>)[.. fleet.Machines.Where(machine => machines.Length == 0 || machines.Contains(machine.Name, StringComparer.Ordinal))],
                roles.Length == 0 ? null : roles.ToHashSet(StringComparer.Ordinal));
    }

    /// <summary>Opens a session to each machine at the same time and plans.</summary>
    /// <returns>All of them in the order of the file; or the first problem's kind with every machine that has one.</returns>
    public static async Task<Outcome<IReadOnlyList<MachineSession>>> OpenAsync(Call call, FleetModel fleet, bool withHealth, CancellationToken cancel)
    {
        var part = Part(call, fleet);
        if (!part.Ok)
            return part.Problem;
        var secrets = await FleetSecrets.ReadAsync(fleet, cancel);
        if (!secrets.Ok)
            return secrets.Problem;
        var control = ControlFolder.Make();
        var opened = await Task.WhenAll(part.Value.Machines.Select(machine =>
            MachineSession.OpenAsync(fleet, machine, FleetState.Of(fleet, machine, secrets.Value.Of), control, withHealth, cancel)));
        var problems = opened.Where(outcome => !outcome.Ok).Select(outcome => outcome.Problem!).ToList();
        if (problems.Count > 0)
        {
            foreach (var session in opened.Where(outcome => outcome.Ok))
                await session.Value.DisposeAsync();
            return problems.Count == 1 ? problems[0] : problems[0].Kind.With($"{problems.Count} machines cannot be asked.", [.. problems.Select(problem => new Fault(problem.Kind.Id, problem.Detail))]);
        }

        foreach (var session in opened)
        {
            if (part.Value.Roles is { } roles)
                session.Value.Only(roles);
        }

        return opened.Select(outcome => outcome.Value).ToList();
    }
}
