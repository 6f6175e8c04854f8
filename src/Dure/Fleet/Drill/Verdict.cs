using Dure.Fleet.Model;

namespace Dure.Fleet.Drill;

/// <summary>What is said of one tier in one drill.</summary>
internal enum Verdict
{
    /// <summary>Within its objective.</summary>
    Kept,

    /// <summary>Longer without service, or more lost, than the objective allows.</summary>
    Missed,

    /// <summary>The fault has no objective of time; nothing was lost.</summary>
    Measured,

    /// <summary>The tier's only machine was the one that was hit: it was away as long as the fault lasted.</summary>
    NoStandBy,

    /// <summary>Slurm forgot jobs that it had acknowledged; submitting them again is not built yet.</summary>
    LedgerLater,

    /// <summary>A cache lost what it had acknowledged; its users hold it elsewhere.</summary>
    CacheLost,

    /// <summary>Nothing was acknowledged before the fault, so nothing is concluded.</summary>
    Void,
}

/// <summary>From a measurement to a verdict. Pure.</summary>
internal static class Verdicts
{
    /// <summary>The longest time that clients may notice the fault; null when none is promised.</summary>
    public static TimeSpan? Limit(Objective objective, FaultKind? fault) => fault switch
    {
        null or FaultKind.ProcessKill or FaultKind.HolderGone => objective.ProcessRecovery ?? objective.Recovery,
        { } kind => FaultKinds.HasTimeObjective(kind) ? objective.Recovery : null,
    };

    /// <param name="fault">Null for the control run.</param>
    /// <param name="alone">The tier has one machine, and that was taken away.</param>
    public static Verdict Of(DrillTier tier, Objective objective, FaultKind? fault, bool alone, bool servedBefore, Measurement seen)
    {
        if (!servedBefore || seen.Acknowledged == 0)
            return Verdict.Void;
        if (seen.Lost.Count > objective.LostMax && !tier.LedgerLater && !tier.Cache)
            return Verdict.Missed;
        var limit = Limit(objective, fault);
        if (limit is { } most && seen.NoticedMs > most.TotalMilliseconds)
            return alone ? Verdict.NoStandBy : Verdict.Missed;
        return seen.Lost.Count > objective.LostMax ? tier.Cache ? Verdict.CacheLost : Verdict.LedgerLater : limit is null ? Verdict.Measured : Verdict.Kept;
    }

    /// <summary>As it is shown.</summary>
    public static string Word(Verdict verdict) => verdict switch
    {
        Verdict.Kept => "kept",
        Verdict.Missed => "missed",
        Verdict.Measured => "measured",
        Verdict.NoStandBy => "no stand-by",
        Verdict.LedgerLater => "ledger comes later",
        Verdict.CacheLost => "cache lost some",
        _ => "void",
    };
}
