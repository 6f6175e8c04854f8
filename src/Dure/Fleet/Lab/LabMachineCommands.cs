using System.CommandLine;
using System.Diagnostics;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;

namespace Dure.Fleet.Lab;

/// <summary>Verbs on one machine of a lab.</summary>
internal static class LabMachineCommands
{
    private static readonly Argument<string> Machine = new("machine") { Description = "Its name in the lab." };

    private static readonly Argument<string[]> Words = new("command") { Description = "What to run, after --; without, a shell.", Arity = ArgumentArity.ZeroOrMore };

    private static readonly Option<string?> From = new("--from") { Description = "Another machine: only what passes between the two.", HelpName = "MACHINE" };

    private static readonly Option<string> Latency = new("--latency") { Description = "Added to every round trip, up to 10s.", HelpName = "TIME", DefaultValueFactory = _ => "0ms" };

    private static readonly Option<double> Loss = new("--loss") { Description = "Percent of frames lost in each direction, up to 90.", HelpName = "PERCENT" };

    public static Verb MakeSsh() =>
        new Verb("ssh", "Sign in to a machine, or run a command on it.",
            ("dure lab ssh n1", "a shell"),
            ("dure lab ssh n1 -- systemctl --failed", "one command"))
        .With(Machine, Words, LabCommands.Name)
        .Runs(async (call, cancel) =>
        {
            var lab = LabCommands.Open(call);
            if (!lab.Ok)
                return lab.Problem;
            var read = lab.Value.Record();
            var found = read.Ok ? read.Value.Find(call.Get(Machine)!) : read.Problem;
            if (!found.Ok)
                return found.Problem;
            // The terminal is ssh's: nothing is redirected.
            using var ssh = Process.Start(new ProcessStartInfo("ssh", ["-F", lab.Value.Folder.SshConfig, found.Value.Name, "--", .. call.Get(Words) ?? []]) { UseShellExecute = false })!;
            await ssh.WaitForExitAsync(cancel);
            return ssh.ExitCode;
        });

    public static Verb MakePower() => new Verb("power", "Switch machines off and on.").With(
        MakeAct("cut", "Take a machine's power away, at once.", "dure lab power cut n3", "has no power any more", (lab, machine, cancel) => lab.PowerCutAsync(machine, cancel)),
        MakeAct("on", "Switch a machine on; its disk is as it was.", "dure lab power on n3", "is on", (lab, machine, cancel) => lab.BootAsync(machine, cancel)),
        MakeAct("reboot", "Shut a machine down cleanly and start it again.", "dure lab power reboot n3", "has started again", (lab, machine, cancel) => lab.RebootAsync(machine, cancel)));

    public static Verb MakeNetwork() => new Verb("network", "Cut machines off, make their network slow, and put it right again.").With(
        MakeCable("cut", "Pull a machine's cable, or cut it off from one other.", "is cut off", (lab, machine, from, cancel) => lab.CutNetworkAsync(machine, from, cancel)),
        MakeCable("heal", "Put a machine's network right: plugged in, not slow, cut off from nobody.", "is connected", (lab, machine, from, cancel) => lab.HealNetworkAsync(machine, from, cancel)),
        MakeSlow());

    private static Verb MakeCable(string name, string purpose, string done, Func<RunningLab, string, string?, CancellationToken, Task<Outcome<bool>>> act) =>
        new Verb(name, purpose,
            ($"dure lab network {name} n3", "the machine n3 of the lab called lab"),
            ($"dure lab network {name} n3 --from n1", "only between these two"))
        .With(Machine, From, LabCommands.Name)
        .Runs((call, cancel) => RunAsync(call, call.Get(From) is { } from ? $"{done} {(name == "cut" ? "from" : "with")} {from}" : done, (lab, machine) => act(lab, machine, call.Get(From), cancel)));

    private static Verb MakeSlow() =>
        new Verb("slow", "Add latency and loss to a machine's network.",
            ("dure lab network slow n3 --latency 50ms", "every round trip takes 50 ms longer"),
            ("dure lab network slow n3 --loss 5", "one frame in twenty is lost, each way"))
        .With(Machine, Latency, Loss, LabCommands.Name)
        .Runs((call, cancel) =>
        {
            var latency = Units.ReadDuration(call.Get(Latency)!);
            return latency.Error is { } wrong
                ? Task.FromResult<Outcome<int>>(HostErrors.BadRequest.With("--latency: " + wrong))
                : RunAsync(call, "has a slow network", (lab, machine) => lab.SlowNetworkAsync(machine, latency.Value, call.Get(Loss) / 100, cancel));
        });

    private static Verb MakeAct(string name, string purpose, string example, string done, Func<RunningLab, string, CancellationToken, Task<Outcome<bool>>> act) =>
        new Verb(name, purpose, (example, "the machine n3 of the lab called lab"))
        .With(Machine, LabCommands.Name)
        .Runs((call, cancel) => RunAsync(call, done, (lab, machine) => act(lab, machine, cancel)));

    private static async Task<Outcome<int>> RunAsync(Call call, string done, Func<RunningLab, string, Task<Outcome<bool>>> act)
    {
        var lab = LabCommands.Open(call);
        if (!lab.Ok)
            return lab.Problem;
        var did = await act(lab.Value, call.Get(Machine)!);
        if (!did.Ok)
            return did.Problem;
        call.Screen.Say($"{call.Get(Machine)} {done}.");
        return ExitCodes.Ok;
    }
}
