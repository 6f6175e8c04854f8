using System.Diagnostics;
using System.Text;
using Dure.Fleet.Desired;
using Dure.Fleet.Observe;
using Dure.Fleet.Plan;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Fleet.Observe;

public sealed class ObservationTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_file_is_seen_with_its_digest_while_steps_and_checks_speak_at_the_same_time()
    {
        using var scratch = new Scratch();
        var desired = new DesiredMachine("n1");
        for (var i = 0; i < 300; i++)
        {
            var path = Path.Combine(scratch.Path, i == 7 ? "it's $HOME; `x` 7" : $"file-{i}");
            await File.WriteAllTextAsync(path, $"text {i}", Cancel);
            desired.Files.Add(new(path, $"text {i}", "overlay"));
        }

        desired.Files.Add(new(Path.Combine(scratch.Path, "none"), "", "overlay"));
        for (var i = 0; i < 20; i++)
            desired.Steps.Add(new($"step {i}", i == 3 ? "exit 1" : $"sleep 0.0{i}; echo said; exit 0", "", "overlay"));

        var seen = Observation.Read(await RunAsync(ObservationScript.Of(Lowered.Of(desired), [], withHealth: true)));

        Assert.NotNull(seen);
        Assert.Equal(Enumerable.Range(0, 20).Where(i => i != 3), seen.StepsDone.Order());
        foreach (var file in desired.Files.SkipLast(1))
            Assert.Equal(Lowered.Digest(file.Text), seen.Paths[file.Path].Digest);
        Assert.DoesNotContain(desired.Files[^1].Path, seen.Paths.Keys);
    }

    [Fact]
    public void Units_are_told_apart_by_a_property_that_comes_again()
    {
        var seen = Observation.Read(
        [
            "PATH=what a profile prints", "units\ta.service b.service",
            "LoadState=loaded", "ActiveState=active", "SubState=running", "UnitFileState=enabled", "NeedDaemonReload=yes",
            "LoadState=not-found", "ActiveState=inactive", "SubState=dead", "UnitFileState=", "NeedDaemonReload=no",
            "end",
        ]);
        Assert.Equal(new SeenUnit("loaded", "active", "running", "enabled", true), seen?.Units["a.service"]);
        Assert.Equal(new SeenUnit("not-found", "inactive", "dead", "", false), seen?.Units["b.service"]);
    }

    [Fact]
    public void What_does_not_come_to_its_end_is_no_observation() => Assert.Null(Observation.Read(["units\ta.service", "LoadState=loaded"]));

    private static async Task<IReadOnlyList<string>> RunAsync(string script)
    {
        using var shell = Process.Start(new ProcessStartInfo("sh") { RedirectStandardInput = true, RedirectStandardOutput = true, StandardInputEncoding = new UTF8Encoding(false) })!;
        var said = shell.StandardOutput.ReadToEndAsync(Cancel);
        await shell.StandardInput.WriteAsync($"(\n{script}\n) </dev/null\n".AsMemory(), Cancel);
        shell.StandardInput.Close();
        await shell.WaitForExitAsync(Cancel);
        return (await said).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
