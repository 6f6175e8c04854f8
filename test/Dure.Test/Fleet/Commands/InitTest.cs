using Dure.Fleet.Model;
using Dure.Test.Fleet.Apply;
using Xunit;

namespace Dure.Test.Fleet.Commands;

/// <summary><c>dure init</c> asks real machines what they are.</summary>
[Collection(ApplyLabs.Name)]
public sealed class InitTest(ApplyLab lab)
{
    [Fact]
    public async Task A_first_file_says_what_the_machines_said_of_themselves_and_is_good_for_check()
    {
        var file = Path.Combine(lab.Folder, "first", "dure.yaml");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var start = lab.Start(["init", "--layout", "two", "--output", file, "--machine", $"root@{lab.Address("n1")}", $"root@{lab.Address("n2")}"], "env", $"PATH={lab.Folder}/bin:/usr/bin:/bin");
        lab.Files("bin/ssh", $"#!/bin/sh\nexec /usr/bin/ssh -F {lab.SshConfig} \"$@\"\n");
        File.SetUnixFileMode(Path.Combine(lab.Folder, "bin/ssh"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        using var process = System.Diagnostics.Process.Start(start)!;
        process.StandardInput.Close();
        var error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, error);
        var fleet = await FleetFile.LoadAsync(file, TestContext.Current.CancellationToken);
        Assert.True(fleet.Ok);
        Assert.Equal(["gpu", "edge"], fleet.Value.Machines.Select(machine => machine.Name));
        Assert.Equal([lab.Address("n1"), lab.Address("n2")], fleet.Value.Machines.Select(machine => fleet.Value.AddressOf(machine).ToString()));
        Assert.All(fleet.Value.Machines, machine => Assert.Equal(("debian-12", Environment.ProcessorCount), (machine.Os, machine.Hardware.Cores)));
        Assert.All(fleet.Value.Machines, machine => Assert.InRange(machine.Hardware.Memory, 1L << 30, 1L << 42));
        // The file is good but for what is true: a lab's disk is smaller than Dure's own role asks for.
        var check = await lab.DureAsync("check", file, "--format", "json");
        using var report = System.Text.Json.JsonDocument.Parse(check.Output);
        var errors = report.RootElement.GetProperty("findings").EnumerateArray().Where(finding => finding.GetProperty("severity").GetString() == "error");
        Assert.All(errors, error => Assert.Equal("disk-short", error.GetProperty("rule").GetString()));
    }
}
