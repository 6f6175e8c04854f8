using System.Net;
using Dure.Fleet;
using Dure.Fleet.Check;
using Dure.Fleet.Layouts;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Dure.Test.Fleet.Model;

/// <summary>What <c>dure init</c> writes is what <c>dure check</c> and <c>dure apply</c> take.</summary>
public sealed class LayoutFileTest
{
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    private static readonly Gen<(int Subnet, int Size, int Kind)> Given =
        from subnet in Gen.Choose(0, 255)
        from size in Gen.Choose(0, 1 << 20)
        from kind in Gen.Choose(0, 3)
        select (subnet, size, kind);

    public static TheoryData<string> Names => [.. Layout.All.Select(layout => layout.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void What_is_written_for_a_layout_reads_back_as_it_was_meant_whatever_the_machines_are(string name)
    {
        var layout = Layout.Find(name)!;
        Prop.ForAll(Given.ToArbitrary(), given =>
        {
            var (subnet, size, kind) = given;
            var machines = layout.Placements.Select((placement, index) => Machine(placement.Machine, subnet, index, size, kind)).ToList();
            var text = LayoutFile.Write(layout, "lab", machines, IPNetwork.Parse($"10.77.{subnet}.0/24"), IPAddress.Parse($"10.77.{subnet}.100"), kind % 2 == 0 ? "" : "/tmp/ssh_config");
            var read = FleetFile.Read(text, "dure.yaml", "/srv/fleet");
            Assert.True(read.Ok, string.Join('\n', read.Problem?.Faults.Select(fault => $"{fault.Where} {fault.What}") ?? []) + "\n" + text);
            var fleet = read.Value;
            Assert.Equal(machines.Select(machine => (machine.Name, machine.Target, machine.Address)), fleet.Machines.Select(machine => (machine.Name, machine.Target, fleet.AddressOf(machine).ToString())));
            Assert.Equal(layout.Placements.Select(placement => string.Join(' ', placement.Roles)), fleet.Machines.Select(machine => string.Join(' ', machine.Roles.Select(role => role.Role))));
            Assert.Equal(machines.Select(machine => (machine.Cores, machine.Memory)), fleet.Machines.Select(machine => (machine.Hardware.Cores, machine.Hardware.Memory)));
            Assert.Equal(layout.Objectives.Count, fleet.Objectives.Count);
            Assert.Empty(fleet.Settings);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(40));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_layout_has_no_errors(string name)
    {
        Assert.Empty(Errors(Read(Layout.Find(name)!)));
    }

    [Fact]
    public void A_layout_that_lost_a_vote_has_errors()
    {
        var four = Read(Layout.Find("four")!);
        var broken = four with { Machines = [.. four.Machines.Select(machine => machine.Name == "n2" ? machine with { Roles = [.. machine.Roles.Where(role => role.Role != "etcd")] } : machine)] };
        Assert.NotEmpty(Errors(broken));
    }

    [Fact]
    public void Every_setting_that_is_switched_off_in_the_file_can_be_switched_on()
    {
        var text = LayoutFile.Write(Layout.Find("seven")!, "lab", Machines(Layout.Find("seven")!), IPNetwork.Parse("10.77.5.0/24"), IPAddress.Parse("10.77.5.100"), "");
        var on = string.Join('\n', text.Split('\n').Select(line => line.StartsWith("    #", StringComparison.Ordinal) && !line.StartsWith("    # ", StringComparison.Ordinal) ? "    " + line[5..] : line));
        Assert.NotEqual(text, on);
        var read = FleetFile.Read(on, "dure.yaml", "/srv/fleet");
        Assert.True(read.Ok, string.Join('\n', read.Problem?.Faults.Select(fault => $"{fault.Where} {fault.What}") ?? []));
        Assert.True(read.Value.Settings.Count > 20, $"{read.Value.Settings.Count} settings");
    }

    private static IEnumerable<Finding> Errors(FleetModel fleet)
    {
        var secrets = FleetSecrets.NeededBy(fleet).Where(need => need.Kind != SecretKind.Given).Select(need => need.Name).ToHashSet(StringComparer.Ordinal);
        return CheckReport.Of(fleet, RoleKinds.All, new CheckFacts(Now) { Secrets = secrets }, Dure.Fleet.Commands.FleetSource.Opens).Findings.Where(finding => finding.Severity == Severity.Error);
    }

    private static FleetModel Read(Layout layout)
    {
        var read = FleetFile.Read(LayoutFile.Write(layout, "lab", Machines(layout), IPNetwork.Parse("10.77.5.0/24"), IPAddress.Parse("10.77.5.100"), ""), "dure.yaml", "/srv/fleet");
        Assert.True(read.Ok);
        return read.Value;
    }

    private static NewMachine[] Machines(Layout layout) => [.. layout.Placements.Select((placement, index) => Machine(placement.Machine, 5, index, 9000, 0))];

    private static NewMachine Machine(string name, int subnet, int index, int size, int kind)
    {
        var address = $"10.77.{subnet}.{11 + index}";
        return new(name, kind == 0 ? $"root@{address}" : kind == 1 ? address : $"{name}.example.org", address, kind == 3 ? "" : MachineReader.Systems[size % MachineReader.Systems.Count],
            size < 100 ? 0 : 1 + (size % 64), size < 100 ? 0 : (64L << 20) + ((long)size << 20), size < 100 ? 0 : (1L << 30) + ((long)(size % 4096) << 30));
    }
}
