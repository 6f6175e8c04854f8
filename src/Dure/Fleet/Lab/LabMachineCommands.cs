using System.CommandLine;
using System.Diagnostics;
using Dure.Host;
using Dure.Host.Commands;

namespace Dure.Fleet.Lab;

/// <summary>Verbs on one machine of a lab.</summary>
internal static class LabMachineCommands
{
    private static readonly Argument<string> Machine = new("machine") { Description = "Its name in the lab." };

    private static readonly Argument<string[]> Words = new("command") { Description = "What to run, after --; without, a shell.", Arity = ArgumentArity.ZeroOrMore };

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

    public static Verb MakeNetwork() => new Verb("network", "Cut machines off and connect them again.");

    private static Verb MakeAct(string name, string purpose, string example, string done, Func<RunningLab, string, CancellationToken, Task<Outcome<bool>>> act) =>
        new Verb(name, purpose, (example, "the machine n3 of the lab called lab"))
        .With(Machine, LabCommands.Name)
        .Runs(async (call, cancel) =>
        {
            var lab = LabCommands.Open(call);
            if (!lab.Ok)
                return lab.Problem;
            var did = await act(lab.Value, call.Get(Machine)!, cancel);
            if (!did.Ok)
                return did.Problem;
            call.Screen.Say($"{call.Get(Machine)} {done}.");
            return ExitCodes.Ok;
        });
}
