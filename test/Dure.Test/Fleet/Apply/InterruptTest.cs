using System.Diagnostics;
using System.Globalization;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Fleet.Apply;

/// <summary>
/// A real <c>dure apply</c> is killed at random points, with its sessions, and sometimes with what runs on the machine too. Applying again must always end in
/// what the file declares.
/// </summary>
[Collection(ApplyLabs.Name)]
public sealed class InterruptTest(ApplyLab lab)
{
    /// <summary>How many times; 50 for the full run, with <c>DURE_INTERRUPTIONS=50</c>. <c>DURE_SEED</c> repeats one.</summary>
    private static readonly int Times = int.TryParse(Environment.GetEnvironmentVariable("DURE_INTERRUPTIONS"), NumberStyles.None, CultureInfo.InvariantCulture, out var times) ? times : 6;

    private static readonly int Seed = int.TryParse(Environment.GetEnvironmentVariable("DURE_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out var seed) ? seed : Random.Shared.Next(1_000_000);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_apply_that_was_killed_anywhere_is_completed_by_the_next()
    {
        await lab.ResetAsync();
        var random = new Random(Seed);
        Overlays.A(lab);
        await lab.GoodAsync("apply", "--yes");
        var began = Stopwatch.GetTimestamp();
        Overlays.B(lab);
        await lab.GoodAsync("apply", "--yes");
        var whole = Stopwatch.GetElapsedTime(began);
        var halves = 0;
        for (var i = 0; i < Times; i++)
        {
            Action<ApplyLab> next = i % 2 == 0 ? Overlays.A : Overlays.B;
            next(lab);
            var how = await InterruptAsync(random, whole);
            var half = await HalfAsync();
            halves += half.Length > 0 ? 1 : 0;
            var story = string.Create(CultureInfo.InvariantCulture, $"seed {Seed}, interruption {i}: {how}; {(half.Length > 0 ? $"left half-way: {half}" : "before or after all changes")}");
            TestContext.Current.SendDiagnosticMessage(story);
            await CompleteAsync(story);
            foreach (var machine in new[] { "n1", "n2" })
            {
                Assert.True((i % 2 == 0 ? Overlays.ShownA(machine) : Overlays.ShownB) == (await lab.ShellAsync(machine, Overlays.Show)).Text, $"{story}\n{machine}:\n{(await lab.ShellAsync(machine, Overlays.Show)).Text}");
                Assert.True((await lab.ShellAsync(machine, Overlays.Left)).Text == "", $"{story}\n{machine} has left:\n{(await lab.ShellAsync(machine, Overlays.Left)).Text}");
            }
        }

        TestContext.Current.SendDiagnosticMessage(string.Create(CultureInfo.InvariantCulture, $"seed {Seed}: {Times} interruptions, {halves} left a machine half-way, each apply takes {whole.TotalSeconds:F1} s"));
        // Kills that only ever hit before or after the changes would show nothing.
        Assert.True(halves * 5 >= Times, $"seed {Seed}: only {halves} of {Times} interruptions landed");
    }

    /// <summary>Starts an apply and kills it: from its first second on, or from when the machine is being changed.</summary>
    private async Task<string> InterruptAsync(Random random, TimeSpan whole)
    {
        var known = Applies();
        var onMachine = random.Next(10) < 8;
        var remote = random.Next(2) == 0;
        var delay = whole * random.NextDouble() * (onMachine ? 0.6 : 1);
        using var process = Process.Start(lab.Start(["apply", "--yes"], "setsid"))!;
        // What it says is read, so that it never waits for a reader.
        var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(Cancel), process.StandardError.ReadToEndAsync(Cancel));
        while (onMachine && !process.HasExited && Applies() == known)
            await Task.Delay(2, Cancel);
        await Task.Delay(delay, Cancel);
        var running = !process.HasExited;
        await Child.RunAsync(Cancel, "kill", "-9", "--", $"-{process.Id}");
        await process.WaitForExitAsync(Cancel);
        await said;
        if (remote)
        {
            // As when the machine runs out of memory: every process of the apply that still holds its lock, at once.
            foreach (var machine in new[] { "n1", "n2" })
                await lab.ShellAsync(machine, "for p in /proc/[0-9]*; do for f in $p/fd/*; do [ \"$(readlink $f)\" = /var/lib/dure-fleet/lock ] && echo ${p#/proc/} && break; done; done 2>/dev/null | xargs -r kill -9");
        }

        return string.Create(CultureInfo.InvariantCulture, $"{(running ? "killed" : "ended by itself")}{(remote ? " with what runs on the machines" : "")} {delay.TotalMilliseconds:F0} ms after {(onMachine ? "the first change" : "its start")}");
    }

    /// <summary>What the machines hold that is neither of the two states; empty when each is one of them.</summary>
    private async Task<string> HalfAsync()
    {
        var halves = new List<string>();
        foreach (var machine in new[] { "n1", "n2" })
        {
            var shown = (await lab.ShellAsync(machine, Overlays.Show)).Text;
            if (shown != Overlays.ShownB && shown != Overlays.ShownA(machine))
                halves.Add(machine);
        }

        return string.Join(' ', halves);
    }

    /// <summary>Applies again, for as long as what is left of the killed one still works on the machine.</summary>
    private async Task CompleteAsync(string story)
    {
        for (var began = Stopwatch.GetTimestamp(); ;)
        {
            var said = await lab.DureAsync("apply", "--yes");
            if (said.Code == 0)
                break;
            Assert.True(said.Error.Contains("DURE0807", StringComparison.Ordinal) && Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(60), $"{story}\n{said.All}");
            await Task.Delay(100, Cancel);
        }

        var plan = await lab.DureAsync("plan", "--exit-code");
        Assert.True(plan.Code == 0, $"{story}\n{plan.All}");
    }

    private string Applies() => string.Join(' ', new[] { "n1", "n2" }.Select(machine => lab.Inside(machine, "/var/lib/dure-fleet/applies")).Select(folder => Directory.Exists(folder) ? Directory.GetDirectories(folder).Max(StringComparer.Ordinal) : ""));
}
