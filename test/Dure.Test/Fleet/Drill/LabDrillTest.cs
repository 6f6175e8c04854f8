using System.Diagnostics;
using Dure.Fleet;
using Dure.Fleet.Drill;
using Dure.Fleet.Drill.Ground;
using Dure.Fleet.Drill.Reports;
using Dure.Fleet.Lab;
using Dure.Fleet.Layouts;
using Dure.Fleet.Model;
using Dure.Host;
using Dure.Test.Fleet.Lab;
using Dure.Test.Host.Commands;
using Xunit;

namespace Dure.Test.Fleet.Drill;

/// <summary>The short drill: two real machines with balancers, and the power of the one that holds the virtual address is cut.</summary>
public sealed class LabDrillTest
{
    private static readonly Layout Doors = new("doors", "Two doors.",
        [new("n1", "a", "A door.", ["firewall", "balancer", "web"]), new("n2", "b", "A door.", ["firewall", "balancer", "web"])],
        ["vip: {machine: 1s, process: 1s}", "web: {machine: 1500ms, process: 1500ms}"]);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_virtual_address_outlives_the_power_of_its_holder()
    {
        if (await TwoMachines.WhyNotAsync(LabPlaces.Default) is { } why)
            Assert.Skip(why);
        await using var cli = new Cli();
        var name = TwoMachines.NewName();
        var places = LabPlaces.Default;
        var spec = new LabSpec(name, LabFleet.Machines(Doors), LabFleet.Packages(Doors));
        try
        {
            var lab = Value(await RunningLab.UpAsync(places, spec, TwoMachines.Mirror, line => TestContext.Current.SendDiagnosticMessage(line), Cancel));
            var file = Path.Combine(cli.Folder, "dure.yaml");
            await File.WriteAllTextAsync(file, LabFleet.Text(Doors, name, Value(lab.Record()).Subnet, lab.Folder.SshConfig), Cancel);
            var fleet = Value(await FleetFile.LoadAsync(file, Cancel));
            await FleetSecrets.MakeAsync(fleet, Cancel);
            var applied = await cli.RunAsync("apply", "--yes", "--brief", "--config", file);
            Assert.True(applied.Code == 0, applied.Out + applied.Err);
            var secrets = Value(await FleetSecrets.ReadAsync(fleet, Cancel));
            await using var ground = new DrillGround(fleet, secrets.Of, lab, TimeProvider.System);
            var report = Value(await new DrillSeries(ground, 1, line => TestContext.Current.SendDiagnosticMessage(line)).RunAsync(
                [new PlannedDrill(DrillTiers.All[0], FaultKind.PowerCut, Position.Leader)], pairwise: false, full: false, Cancel));
            Shows(report);
        }
        finally
        {
            await RunningLab.DownAsync(places, name, CancellationToken.None);
        }
    }

    private static void Shows(DrillReport report)
    {
        Assert.Equal(2, report.Runs.Count);
        var (control, cut) = (report.Runs[0], report.Runs[1]);
        Assert.Null(cut.Failure);
        Assert.Contains("has no power", cut.Landed, StringComparison.Ordinal);
        foreach (var run in report.Runs)
        {
            var vip = run.Tiers.Single(tier => tier.Tier == "vip");
            Assert.True(vip.Verdict == Verdict.Kept, $"{run.Name}: {vip.NoticedMs} ms without an answer, {vip.Failed} of {vip.Sent} failed: {vip.Error}");
            Assert.InRange(vip.Acknowledged, 100, vip.Sent);
        }

        // Without this the fault would not have been one: a machine that holds the address cannot go unnoticed.
        Assert.True(cut.Tiers.Single(tier => tier.Tier == "vip").NoticedMs > control.Tiers.Single(tier => tier.Tier == "vip").NoticedMs);
        Assert.NotNull(cut.WholeMs);
    }

    private static T Value<T>(Outcome<T> outcome)
    {
        Assert.True(outcome.Ok, $"{outcome.Problem?.Kind.Id} {outcome.Problem?.Detail} {string.Join("; ", outcome.Problem?.Faults ?? [])}");
        return outcome.Value;
    }
}
