using System.Text.Json.Serialization;

namespace Dure.Fleet.Drill.Reports;

/// <summary>All that a series of drills found: what <c>--format json</c> prints. Times in milliseconds; those of a run count from when its clients began.</summary>
/// <param name="Where"><c>lab NAME</c>, or <c>the fleet itself</c>.</param>
/// <param name="Seed">Decides the order, and which drills.</param>
/// <param name="TookMs">Of the whole series.</param>
/// <param name="Ok">Every objective was kept, and every fault landed.</param>
/// <param name="Skipped">Drills of the plan that earlier faults had covered already, because a machine has several tiers.</param>
/// <param name="Clients">What the client of each tier asks for; or why there is none.</param>
internal sealed record DrillReport(
    string Fleet,
    string Where,
    int Seed,
    bool Full,
    DateTimeOffset Began,
    double TookMs,
    bool Ok,
    IReadOnlyDictionary<string, string> Clients,
    IReadOnlyList<TierSummary> Tiers,
    IReadOnlyList<DrillOutcome> Runs,
    IReadOnlyList<string> Skipped);

/// <summary>One drill. The control run has no fault.</summary>
/// <param name="Machine">The target; empty for the control run and for all machines.</param>
/// <param name="Proof">How it is known that the target held its role.</param>
/// <param name="Landed">How it is known that the fault happened.</param>
/// <param name="HealedMs">When the fault was taken back.</param>
/// <param name="WholeMs">When every health check passed again.</param>
/// <param name="Failure">Why the drill proves nothing or the series ended; null when all went as it should.</param>
internal sealed record DrillOutcome(
    string Name,
    string Tier,
    string? Fault,
    string Machine,
    string Proof,
    string Landed,
    double FaultMs,
    double? HealedMs,
    double? WholeMs,
    double EndMs,
    IReadOnlyList<TierOutcome> Tiers,
    string? Failure)
{
    [JsonIgnore]
    public bool Ok => Failure is null && Tiers.All(tier => tier.Verdict is not (Verdict.Missed or Verdict.Void));

    /// <summary>The tier that the fault was aimed at; null for the control run and for all machines.</summary>
    [JsonIgnore]
    public TierOutcome? Aimed => Tiers.FirstOrDefault(tier => tier.Tier == Tier);
}

/// <summary>What clients of one tier saw in one drill.</summary>
/// <param name="Hit"><c>leader</c> or <c>stand-by</c>: what the target was in this tier; null when the fault did not touch it.</param>
/// <param name="NoticedMs">The longest time between two acknowledgements, less the pace.</param>
/// <param name="WorstFromMs">Where that was.</param>
/// <param name="LimitMs">The objective; null where none is promised.</param>
/// <param name="Lost">Acknowledged writes that were gone afterwards; null for a tier that keeps nothing.</param>
/// <param name="Unanswered">Writes that are there although no answer said so.</param>
/// <param name="MedianMs">From sending to acknowledgement.</param>
/// <param name="Error">What most of the failed requests were told.</param>
/// <param name="FailedAtMs">When they failed; a sample of 200 at most.</param>
internal sealed record TierOutcome(
    string Tier,
    string? Hit,
    long Sent,
    long Acknowledged,
    long Failed,
    double NoticedMs,
    double? WorstFromMs,
    double? WorstToMs,
    bool Open,
    double? LimitMs,
    long? Lost,
    long LostMax,
    long Unanswered,
    double MedianMs,
    Verdict Verdict,
    string? Error,
    IReadOnlyList<Gap> Gaps,
    IReadOnlyList<double> FailedAtMs);

/// <summary>The worst of one tier over a series.</summary>
/// <param name="ProcessMs">When a process was lost; null when none was.</param>
/// <param name="MachineMs">When a machine was lost or rebooted.</param>
/// <param name="OtherMs">When a disk was full or the network slow.</param>
/// <param name="Verdict">Of the worst drill.</param>
internal sealed record TierSummary(
    string Tier,
    double? ControlMs,
    double? ProcessMs,
    double ProcessLimitMs,
    double? MachineMs,
    double MachineLimitMs,
    double? OtherMs,
    long Failed,
    long Acknowledged,
    long? Lost,
    Verdict Verdict,
    string Note);

/// <summary>The slice's JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DrillReport))]
[JsonSerializable(typeof(IReadOnlyList<DrillLine>))]
internal sealed partial class DrillJson : JsonSerializerContext;

/// <summary>A line of <c>dure drill list</c>.</summary>
internal sealed record DrillLine(string Name, string Tier, string Fault, string Position, string Purpose, bool InAll);
