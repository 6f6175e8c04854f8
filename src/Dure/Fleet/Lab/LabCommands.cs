using System.CommandLine;
using System.Diagnostics;
using System.Net;
using Dure.Fleet.Layouts;
using Dure.Fleet.Model;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Host.Terminal;

namespace Dure.Fleet.Lab;

/// <summary><c>dure lab</c>: machines to try a fleet on, on this one.</summary>
internal static class LabCommands
{
    private static readonly Argument<string> LayoutName = new Argument<string>("layout")
    {
        Description = "one, two, four or seven machines.",
        Arity = ArgumentArity.ZeroOrOne,
        DefaultValueFactory = _ => "four",
    }.AcceptOnlyFromAmong([.. Layout.All.Select(layout => layout.Name)]);

    private static readonly Option<string> Output = new("--output")
    {
        Description = "Where the lab's fleet file is written; one that is there stays as it is.", HelpName = "FILE", DefaultValueFactory = _ => "dure.yaml",
    };

    internal static readonly Option<string> Name = new("--name") { Description = "Of the lab: several can stand side by side.", HelpName = "NAME", DefaultValueFactory = _ => "lab" };

    private static readonly Option<string> Cache = new("--cache")
    {
        Description = "Folder of images and packages.", HelpName = "DIR", DefaultValueFactory = _ => LabPlaces.Default.Cache,
    };

    private static readonly Option<string?> Packages = new("--packages") { Description = "Names, with commas between: what machines must be able to install.", HelpName = "LIST" };

    private static readonly Option<string> Disk = new("--disk") { Description = "Size of each machine's disk; it takes what is written.", HelpName = "SIZE", DefaultValueFactory = _ => "8GiB" };

    private static readonly Option<string?> Mirror = new("--mirror") { Description = "Where the distribution comes from; without, where debootstrap takes it from.", HelpName = "URL" };

    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask before programs are installed that this host lacks." };

    public static Verb Make() => new Verb("lab", "Machines to try a fleet on, on this one: seconds to boot, gone with `dure lab down`. Needs root.")
        .With(MakeUp(), MakeDown(), MakeStatus(), LabMachineCommands.MakeSsh(), LabMachineCommands.MakePower(), LabMachineCommands.MakeNetwork(), MakeImages(), MakeServe(), MakeSlowLink());

    /// <summary>The lab that the call names.</summary>
    internal static Outcome<RunningLab> Open(Call call) => RunningLab.Open(LabPlaces.Default, call.Get(Name)!);

    private static Verb MakeUp() =>
        new Verb("up", "Make a lab, or what is missing of it, and boot what is off. The first time takes minutes: it builds an image.",
            ("dure lab up", "four machines, n1 to n4, and their dure.yaml here: then dure apply"),
            ("dure lab up seven --name big", "seven, beside another lab"),
            ("dure lab up two --packages haproxy,keepalived", "machines can install these, from this host"))
        .With(LayoutName, Output, Name, Packages, Disk, Cache, Mirror, Yes)
        .Runs(async (call, cancel) =>
        {
            var disk = Units.ReadBytes(call.Get(Disk)!);
            if (disk.Error is { } wrong)
                return HostErrors.BadRequest.With("--disk: " + wrong);
            var programs = await Host.Commands.Packages.EnsureAsync(call.Screen, Host.Commands.Packages.Lab, call.Get(Yes), cancel);
            if (!programs.Ok)
                return programs.Problem;
            if ((call.Get(Mirror) ?? BaseImage.DefaultMirror) is not { } mirror)
                return HostErrors.BadRequest.With("debootstrap does not say where it takes distributions from; say it with --mirror.");
            var layout = Layout.Find(call.Get(LayoutName)!)!;
            var spec = new LabSpec(call.Get(Name)!, LabFleet.Machines(layout), [.. LabFleet.Packages(layout), .. (call.Get(Packages) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)])
            {
                DiskBytes = disk.Value,
            };
            var places = LabPlaces.Default with { Cache = Path.GetFullPath(call.Get(Cache)!) };
            var up = await Working.RunAsync(call.Screen, "looking at what is there", working => RunningLab.UpAsync(places, spec, mirror, working.Say, cancel));
            if (!up.Ok)
                return up.Problem;
            if (await WriteFleetAsync(call, layout, up.Value, cancel) is { } unread)
                return unread;
            var shown = await ShowAsync(call, up.Value, cancel);
            call.Screen.Note($"Sign in with: dure lab ssh {spec.Machines[0].Name}{(spec.Name == "lab" ? "" : " --name " + spec.Name)}, or ssh -F {up.Value.Folder.SshConfig} {spec.Machines[0].Name}");
            return shown;
        });

    /// <summary>The lab's fleet file and its secrets; what is there stays.</summary>
    private static async Task<Problem?> WriteFleetAsync(Call call, Layout layout, RunningLab lab, CancellationToken cancel)
    {
        var path = Path.GetFullPath(call.Get(Output)!);
        if (File.Exists(path))
        {
            call.Screen.Note($"{call.Get(Output)} is there already and stays as it is.");
            return null;
        }

        var record = lab.Record();
        if (!record.Ok)
            return record.Problem;
        var text = LabFleet.Text(layout, record.Value.Name, record.Value.Subnet, lab.Folder.SshConfig);
        await File.WriteAllTextAsync(path, text, cancel);
        if (FleetFile.Read(text, Path.GetFileName(path), Path.GetDirectoryName(path)!) is { Ok: true } fleet)
            await FleetSecrets.MakeAsync(fleet.Value, cancel);
        call.Screen.Say($"{call.Get(Output)} declares the lab, and its secrets lie beside it. Next: dure check, dure apply, dure drill.");
        return null;
    }

    private static Verb MakeDown() =>
        new Verb("down", "End a lab and remove everything it made. Images and packages stay for the next.",
            ("dure lab down", "the lab called lab"),
            ("dure lab down --name big", "another"))
        .With(Name)
        .Runs(async (call, cancel) =>
        {
            var name = call.Get(Name)!;
            var down = FleetReader.NamePattern().IsMatch(name) ? await RunningLab.DownAsync(LabPlaces.Default, name, cancel) : LabErrors.BadSpec.With($"`{name}` is no name for a lab.");
            if (!down.Ok)
                return down.Problem;
            call.Screen.Say($"The lab {name} is gone.");
            return ExitCodes.Ok;
        });

    private static Verb MakeStatus() =>
        new Verb("status", "Show the machines of a lab as they are now.",
            ("dure lab status", "machines, addresses, what they use"),
            ("dure lab status --format json", "the same for programs"))
        .With(Name)
        .Runs(async (call, cancel) =>
        {
            var lab = Open(call);
            return lab.Ok ? await ShowAsync(call, lab.Value, cancel) : lab.Problem;
        });

    private static async Task<Outcome<int>> ShowAsync(Call call, RunningLab lab, CancellationToken cancel)
    {
        var status = await lab.StatusAsync(cancel);
        if (!status.Ok)
            return status.Problem;
        if (call.Screen.Format == OutputFormat.Json)
        {
            call.Screen.Json(status.Value, LabJson.Default.LabView);
            return ExitCodes.Ok;
        }
        call.Screen.Table(
            [new("Machine"), new("Address"), new("Roles", 12), new("State", Painted: true), new("Network"), new("Memory", RightAligned: true), new("Disk", RightAligned: true)],
            [.. status.Value.Machines.Select(machine => (IReadOnlyList<string>)[
                machine.Name, machine.Address, machine.Roles.Count == 0 ? "-" : string.Join(' ', machine.Roles), machine.Ssh ? "ready" : machine.On ? "on" : "off",
                machine.Network, Phrase.Size(machine.Memory), Phrase.Size(machine.Disk)])]);
        if (!status.Value.PackagesServed)
            call.Screen.Warn("The package server does not run: `dure lab up` starts it again.");
        return ExitCodes.Ok;
    }

    private static Verb MakeImages() => new Verb("images", "See to the images and packages that labs are made from.").With(
        new Verb("clean", "Remove all images and packages; the next `dure lab up` makes them again.",
            ("dure lab images clean", "frees some gigabytes"))
        .With(Cache)
        .Runs(async (call, cancel) =>
        {
            var cleaned = await LabImages.CleanAsync(LabPlaces.Default with { Cache = Path.GetFullPath(call.Get(Cache)!) }, cancel);
            if (!cleaned.Ok)
                return cleaned.Problem;
            call.Screen.Say(cleaned.Value.Count == 0 ? "There was nothing." : $"Removed {string.Join(", ", cleaned.Value)}.");
            return ExitCodes.Ok;
        }));

    private static Verb MakeServe()
    {
        var folder = new Argument<string>("folder");
        var address = new Argument<string>("address");
        return new Verb("serve-packages", "Serve the packages of a lab; started by `dure lab up`.", ("dure lab serve-packages /var/cache/dure-lab 10.77.0.1", "inside the lab's network")) { Hidden = true }
            .With(folder, address)
            .Runs(async (call, cancel) =>
            {
                await PackageServer.RunAsync(call.Get(folder)!, IPAddress.Parse(call.Get(address)!), cancel);
                return ExitCodes.Ok;
            });
    }

    private static Verb MakeSlowLink()
    {
        var one = new Argument<string>("one");
        var other = new Argument<string>("other");
        var delay = new Argument<double>("delay_ms");
        var loss = new Argument<double>("loss");
        return new Verb("slow-link", "Pass frames between two interfaces, late; started by `dure lab network slow`.", ("dure lab slow-link vb-m11-3fa2c1 sr-m11-3fa2c1 25 0.01", "inside the lab's network")) { Hidden = true }
            .With(one, other, delay, loss)
            .Runs(async (call, cancel) =>
            {
                await SlowLink.RunAsync(call.Get(one)!, call.Get(other)!, TimeSpan.FromMilliseconds(call.Get(delay)), call.Get(loss), call.Screen.Say, call.Time, cancel);
                return ExitCodes.Ok;
            });
    }
}
