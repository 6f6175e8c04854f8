using Dure.Fleet.Drill;
using Dure.Fleet.Drill.Reports;
using Dure.Fleet.Lab;
using Dure.Fleet.Layouts;
using Dure.Test.Fleet.Lab;
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
        await using var lab = await DrilledLab.OpenAsync(Doors, Cancel);
        var report = DrilledLab.Value(await new DrillSeries(lab.Ground, 1, line => TestContext.Current.SendDiagnosticMessage(line)).RunAsync(
            [new PlannedDrill(DrillTiers.All[0], FaultKind.PowerCut, Position.Leader)], pairwise: false, full: false, Cancel));
        Shows(report);
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
}
