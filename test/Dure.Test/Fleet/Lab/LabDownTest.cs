using System.Diagnostics;
using Dure.Fleet.Lab;
using Dure.Host.Programs;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Fleet.Lab;

public sealed class LabDownTest : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly string _name = TwoMachines.NewName();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Down_leaves_nothing()
    {
        var places = LabPlaces.Default with { State = _scratch["labs"] };
        await SkipAsync(places);
        var lab = TwoMachines.Value(await TwoMachines.UpAsync(places, new LabSpec(_name, LabSpec.Numbered(1), [])));
        var record = lab.Record().Value;
        TwoMachines.Value(await lab.SlowNetworkAsync("n1", TimeSpan.FromMilliseconds(1), 0, Cancel));
        Assert.Equal(["cgroup", "link", "loop", "mount", "namespace", "process"], Traces(lab.Folder, record));
        TwoMachines.Value(await RunningLab.DownAsync(places, _name, Cancel));
        Assert.Empty(Traces(lab.Folder, record));
        Assert.False(Directory.Exists(lab.Folder.Path));
        Assert.Equal(LabErrors.NoSuchLab, (await RunningLab.DownAsync(places, _name, Cancel)).Problem?.Kind);
    }

    [Fact]
    public async Task A_namespace_and_a_folder_that_the_lab_did_not_make_are_left_alone()
    {
        var places = LabPlaces.Default with { State = _scratch["labs"] };
        await SkipAsync(places);
        var spec = new LabSpec(_name, LabSpec.Numbered(1), []);
        Assert.Equal(0, (await HostProgram.RunAsync(["ip", "netns", "add", "dure-lab-" + _name], Cancel)).ExitCode);
        Assert.Equal(LabErrors.NotOurs, (await TwoMachines.UpAsync(places, spec)).Problem?.Kind);
        Assert.Equal(LabErrors.NoSuchLab, (await RunningLab.DownAsync(places, _name, Cancel)).Problem?.Kind);
        Assert.True(LabNetwork.HasNamespace("dure-lab-" + _name));
        Assert.Equal(0, (await HostProgram.RunAsync(["ip", "netns", "delete", "dure-lab-" + _name], Cancel)).ExitCode);
        Directory.CreateDirectory(places.Lab(_name).Path);
        await File.WriteAllTextAsync(places.Lab(_name)["thesis.tex"], "years of work", Cancel);
        Assert.Equal(LabErrors.NotOurs, (await TwoMachines.UpAsync(places, spec)).Problem?.Kind);
        Assert.False((await RunningLab.DownAsync(places, _name, Cancel)).Ok);
        Assert.True(File.Exists(places.Lab(_name)["thesis.tex"]));
    }

    [Fact]
    public async Task An_up_that_was_killed_at_any_point_is_cleaned_up_by_down()
    {
        await SkipAsync(LabPlaces.Default);
        var folder = LabPlaces.Default.Lab(_name);
        foreach (var moment in new[] { 0, 250, 600, 1000 })
        {
            using var up = Process.Start(new ProcessStartInfo(Detached.Dure, ["lab", "up", "two", "--name", _name]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            // From the first thing that it makes on.
            for (var wait = 0; wait < 3000 && !Directory.Exists(folder.Path); wait++)
                await Task.Delay(10, Cancel);
            await Task.Delay(moment, Cancel);
            up.Kill();
            await up.WaitForExitAsync(Cancel);
            var record = folder.Read();
            TwoMachines.Value(await RunningLab.DownAsync(LabPlaces.Default, _name, Cancel));
            Assert.False(Directory.Exists(folder.Path));
            if (record.Ok)
                Assert.Empty(Traces(folder, record.Value));
        }
    }

    public void Dispose() => _scratch.Dispose();

    private static async Task SkipAsync(LabPlaces places)
    {
        var why = await TwoMachines.WhyNotAsync(places);
        Assert.SkipWhen(why is not null, why ?? "");
    }

    /// <summary>Kinds of things of a lab that are on this host.</summary>
    private static List<string> Traces(LabFolder folder, LabRecord record)
    {
        bool[] found =
        [
            new[] { "", "systemd", "unified" }.Any(kind => Directory.Exists(Path.Combine("/sys/fs/cgroup", kind, record.Cgroup))),
            LabNetwork.HasLink(record.HostLink),
            Directory.GetDirectories("/sys/block", "loop*").Any(loop => ProcessMark.Text(loop + "/loop/backing_file").StartsWith(folder.Path + "/", StringComparison.Ordinal)),
            MountTable.Under(folder.Path).Count > 0,
            LabNetwork.HasNamespace(record.Namespace),
            Directory.GetDirectories("/proc").Select(process => ProcessMark.Text(process + "/cmdline"))
                .Any(line => line.Contains(record.Namespace, StringComparison.Ordinal) || record.Machines.Any(machine => line.Contains(machine.Id, StringComparison.Ordinal))),
        ];
        return [.. new[] { "cgroup", "link", "loop", "mount", "namespace", "process" }.Where((_, i) => found[i])];
    }
}
