using System.CommandLine;
using System.Globalization;
using System.Net;
using Dure.Fleet.Layouts;
using Dure.Fleet.Model;
using Dure.Fleet.Observe;
using Dure.Host.Ssh;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Terminal;
using Spectre.Console;
using Layout = Dure.Fleet.Layouts.Layout;

namespace Dure.Fleet.Commands;

/// <summary><c>dure init</c>: a first dure.yaml, from a layout and what the machines say of themselves; and the secrets that its roles use.</summary>
internal static class InitCommand
{
    private static readonly Option<string?> LayoutName = new Option<string?>("--layout") { Description = "one, two, four or seven machines; asked for when it is not given.", HelpName = "LAYOUT" }
        .AcceptOnlyFromAmong([.. Layout.All.Select(layout => layout.Name)]);

    private static readonly Option<string[]> From = new("--machine") { Description = "A machine as OpenSSH is given it, in the layout's order; it is asked what it is.", HelpName = "USER@HOST", AllowMultipleArgumentsPerToken = true };

    private static readonly Option<string?> Vip = new("--vip") { Description = "The address that clients will use; it must be free.", HelpName = "ADDRESS" };

    private static readonly Option<string> Name = new("--name") { Description = "The fleet's name.", HelpName = "NAME", DefaultValueFactory = _ => "lab" };

    private static readonly Option<string> Output = new("--output") { Description = "The file to write.", HelpName = "FILE", DefaultValueFactory = _ => "dure.yaml" };

    private static readonly Option<bool> Force = new("--force") { Description = "Replace the file that is there." };

    private static readonly Option<bool> Secrets = new("--secrets") { Description = "Only make the secrets that the roles of dure.yaml use and that are missing." };

    public static Verb Make() =>
        new Verb("init", "Write a first dure.yaml from a layout, asking the machines over SSH what they are, and make the secrets that its roles use.",
            ("dure init", "asks what it needs to know"),
            ("dure init --layout two --machine root@10.0.0.11 root@10.0.0.12", "without a question"),
            ("dure init --secrets", "after a role was added to dure.yaml"))
        .With(LayoutName, From, Vip, Name, Output, Force, Secrets)
        .Runs(RunAsync);

    private static async Task<Outcome<int>> RunAsync(Call call, CancellationToken cancel)
    {
        if (call.Get(Secrets))
        {
            var fleet = await FleetSource.LoadAsync(call, cancel);
            return fleet.Ok ? await SecretsAsync(call, fleet.Value, cancel) : fleet.Problem;
        }

        var output = call.Get(Output)!;
        if (File.Exists(output) && !call.Get(Force))
            return FleetErrors.FileExists.With($"{output} is there already.");
        var asked = await AskAsync(call, cancel);
        if (!asked.Ok)
            return asked.Problem;
        var (layout, targets, vip) = asked.Value;
        var machines = await Working.RunAsync(call.Screen, "asking the machines what they are", _ => FactsAsync(layout, targets, cancel));
        if (!machines.Ok)
            return machines.Problem;
        var address = IPAddress.Parse(machines.Value[0].Address);
        var text = LayoutFile.Write(layout, call.Get(Name)!, machines.Value, RangeOf(address), vip, "");
        var read = FleetFile.Read(text, Path.GetFileName(output), Path.GetDirectoryName(Path.GetFullPath(output))!);
        if (!read.Ok)
            return read.Problem;
        await File.WriteAllTextAsync(output, text, cancel);
        call.Screen.Say($"{output} declares {Phrase.Count(machines.Value.Count, "machine")}. Read it once: dure check, then dure plan.");
        return await SecretsAsync(call, read.Value, cancel);
    }

    private static async Task<Outcome<int>> SecretsAsync(Call call, FleetModel fleet, CancellationToken cancel)
    {
        var (made, asked) = await FleetSecrets.MakeAsync(fleet, cancel);
        call.Screen.Say(made.Count == 0 ? "No secret had to be made." : $"Made in {Path.GetRelativePath(Environment.CurrentDirectory, fleet.SecretsFolder)}: {string.Join(", ", made)}.");
        foreach (var need in asked)
            call.Screen.Say($"Only you can give {need.Name}: {need.Purpose} Write it to {Path.Combine(fleet.SecretsFolder, need.Name)} (chmod 600), or leave it out.");
        return ExitCodes.Ok;
    }

    private static async Task<Outcome<(Layout Layout, IReadOnlyList<string> Targets, IPAddress? Vip)>> AskAsync(Call call, CancellationToken cancel)
    {
        var canAsk = call.Screen.Traits is { InIsTerminal: true, ErrIsTerminal: true };
        var name = call.Get(LayoutName);
        if (name is null && canAsk)
        {
            name = await new SelectionPrompt<string>().Title("Which layout?").AddChoices(Layout.All.Select(known => known.Name))
                .UseConverter(known => $"{known,-6} {Markup.Escape(Layout.Find(known)!.Purpose)}").ShowAsync(call.Screen.Talk, cancel);
        }

        if (name is null)
            return CommandErrors.Usage.With("Say which layout: --layout " + string.Join(", ", Layout.All.Select(known => known.Name)) + ".");
        var layout = Layout.Find(name)!;
        var targets = (call.Get(From) ?? []).ToList();
        while (targets.Count < layout.Placements.Count && canAsk)
        {
            var place = layout.Placements[targets.Count];
            targets.Add(await new TextPrompt<string>($"{Markup.Escape(place.Machine)}, {Markup.Escape(place.Why)} As ssh is given it:").ShowAsync(call.Screen.Talk, cancel));
        }

        if (targets.Count != layout.Placements.Count)
            return CommandErrors.Usage.With($"The layout {name} has {layout.Placements.Count.ToString(CultureInfo.InvariantCulture)} machines; --machine names {targets.Count.ToString(CultureInfo.InvariantCulture)}.");
        var vip = call.Get(Vip);
        var balanced = layout.Placements.Any(placement => placement.Roles.Contains("balancer", StringComparer.Ordinal));
        if (vip is null && balanced && canAsk)
            vip = await new TextPrompt<string>("A free address that clients will use (the VIP):").ShowAsync(call.Screen.Talk, cancel);
        if (vip is null)
            return balanced ? CommandErrors.Usage.With("Say which address clients will use: --vip ADDRESS.") : (layout, targets, null);
        return IPAddress.TryParse(vip, out var address) ? (layout, targets, address) : CommandErrors.Usage.With($"--vip must be an address; it is {vip}.");
    }

    private static async Task<Outcome<IReadOnlyList<NewMachine>>> FactsAsync(Layout layout, IReadOnlyList<string> targets, CancellationToken cancel)
    {
        var asked = await Task.WhenAll(layout.Placements.Zip(targets, (placement, target) => OneAsync(placement.Machine, target, cancel)));
        var problems = asked.Where(one => !one.Ok).Select(one => one.Problem!).ToList();
        return problems.Count switch
        {
            0 => asked.Select(one => one.Value).ToList(),
            1 => problems[0],
            _ => problems[0].Kind.With("Some machines cannot be asked.", [.. problems.Select(problem => new Fault(problem.Kind.Id, problem.Detail))]),
        };
    }

    private static async Task<Outcome<NewMachine>> OneAsync(string name, string target, CancellationToken cancel)
    {
        const string more = """
            set -- $SSH_CONNECTION; printf 'fact\taddress\t%s\n' "${3:-}"
            printf 'fact\tdisk_kib\t%s\n' "$(df -Pk /var | tail -n 1 | tr -s ' ' | cut -d' ' -f2)"
            printf 'end\n'
            """;
        var ran = await SshSession.OnceAsync(new SshTarget(name, target, 0, "", "", ControlFolder.Make()), ObservationScript.Facts + more, cancel);
        if (!ran.Ok)
            return ran.Problem;
        var lines = ran.Value.Lines;
        if (Observation.Read(lines) is not { } seen)
            return FleetErrors.ObservationUnread.With($"{name}: {string.Join("; ", lines.TakeLast(3))}");
        long Number(string key) => long.TryParse(seen.Facts.GetValueOrDefault(key), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0;
        var os = seen.Facts.GetValueOrDefault("os", "");
        if (!MachineReader.Systems.Contains(os, StringComparer.Ordinal))
            return FleetErrors.ObservationUnread.With($"{name} runs {os}; Dure's roles are written for {string.Join(", ", MachineReader.Systems)}.");
        var host = target[(target.LastIndexOf('@') + 1)..];
        return new NewMachine(name, target, IPAddress.TryParse(host, out _) ? host : seen.Facts.GetValueOrDefault("address", host), os, (int)Number("cores"), Number("memory_kib") * 1024 / (1 << 20) * (1 << 20), Number("disk_kib") * 1024 / (1 << 30) * (1 << 30));
    }

    /// <summary>The network that is most likely meant: the /24 of an IPv4 address, the /64 of an IPv6 one.</summary>
    private static IPNetwork RangeOf(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        var kept = bytes.Length == 4 ? 3 : 8;
        Array.Clear(bytes, kept, bytes.Length - kept);
        return new IPNetwork(new IPAddress(bytes), kept * 8);
    }
}
