using Dure.Fleet.Drill;
using Dure.Fleet.Model;
using Xunit;

namespace Dure.Test.Fleet.Drill;

public sealed class VerdictTest
{
    private static readonly DrillTier Postgres = DrillTiers.All.First(tier => tier.Name == "postgres");
    private static readonly DrillTier Slurm = DrillTiers.All.First(tier => tier.Name == "slurmctld");
    private static readonly Objective Promise = new("postgres", TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(2), 0, new("dure.yaml", 1, 1));

    [Fact]
    public void A_process_has_an_objective_of_its_own()
    {
        Assert.Equal(Verdict.Kept, Of(FaultKind.PowerCut, Noticed(10)));
        Assert.Equal(Verdict.Missed, Of(FaultKind.ProcessKill, Noticed(10)));
        Assert.Equal(Verdict.Kept, Of(FaultKind.ProcessKill, Noticed(1.9)));
        Assert.Equal(Verdict.Missed, Of(FaultKind.PowerCut, Noticed(26)));
    }

    [Fact]
    public void A_full_disk_has_no_objective_of_time_and_may_lose_nothing_all_the_same()
    {
        Assert.Equal(Verdict.Measured, Of(FaultKind.DiskFull, Noticed(100)));
        Assert.Equal(Verdict.Missed, Of(FaultKind.DiskFull, Noticed(1, lost: 1)));
    }

    [Fact]
    public void A_client_whose_acknowledged_write_is_gone_is_never_told_kept()
    {
        foreach (var fault in Enum.GetValues<FaultKind>())
            Assert.Equal(Verdict.Missed, Of(fault, Noticed(0.1, lost: 1)));
        Assert.Equal(Verdict.Missed, Verdicts.Of(Postgres, Promise, null, alone: false, servedBefore: true, Noticed(0.1, lost: 1)));
        Assert.Equal(Verdict.Kept, Verdicts.Of(Postgres, Promise with { LostMax = 1 }, FaultKind.PowerCut, alone: false, servedBefore: true, Noticed(0.1, lost: 1)));
    }

    [Fact]
    public void A_tier_that_served_nobody_proves_nothing()
    {
        var nothing = Measurement.Of([new(1, 0, 10, "refused")], 100, 5, 20, new HashSet<long>());
        Assert.Empty(nothing.Lost);
        Assert.Equal(Verdict.Void, Verdicts.Of(Postgres, Promise, FaultKind.PowerCut, alone: false, servedBefore: false, nothing));
        Assert.Equal(Verdict.Void, Verdicts.Of(Postgres, Promise, FaultKind.PowerCut, alone: false, servedBefore: false, Noticed(0.1)));
    }

    [Fact]
    public void What_Slurm_forgets_is_told_and_not_called_nothing()
    {
        Assert.Equal(Verdict.LedgerLater, Verdicts.Of(Slurm, Promise, FaultKind.PowerCut, alone: false, servedBefore: true, Noticed(1, lost: 12)));
        Assert.Equal(Verdict.Kept, Verdicts.Of(Slurm, Promise, FaultKind.PowerCut, alone: false, servedBefore: true, Noticed(1)));
        Assert.Equal(Verdict.Missed, Verdicts.Of(Slurm, Promise, FaultKind.PowerCut, alone: false, servedBefore: true, Noticed(30, lost: 12)));
    }

    [Fact]
    public void A_tier_with_one_machine_has_nobody_to_take_over() =>
        Assert.Equal(Verdict.NoStandBy, Verdicts.Of(Postgres, Promise, FaultKind.PowerCut, alone: true, servedBefore: true, Noticed(30)));

    private static Verdict Of(FaultKind fault, Measurement seen) => Verdicts.Of(Postgres, Promise, fault, alone: false, servedBefore: true, seen);

    private static Measurement Noticed(double seconds, int lost = 0) =>
        new(20, 20, 0, seconds * 1000, new Gap(0, seconds * 1000), false, [], [.. Enumerable.Range(0, lost).Select(id => (long)id)], 0);
}
