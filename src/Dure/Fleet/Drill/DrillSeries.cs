using System.Globalization;
using System.Security.Cryptography;
using Dure.Fleet.Drill.Ground;
using Dure.Fleet.Drill.Reports;
using Dure.Host;

namespace Dure.Fleet.Drill;

/// <summary>A control run without a fault, and then drills one after another. A drill whose fault would show nothing new is left out; whoever asked for it by name gets it.</summary>
internal sealed class DrillSeries(DrillGround ground, int seed, Action<string> say)
{
    private readonly HashSet<Pair> _covered = [];
    private readonly List<DrillOutcome> _runs = [];
    private readonly List<string> _skipped = [];

    /// <summary>Drills until all are done, or one leaves the fleet broken.</summary>
    /// <param name="pairwise">Leave out what earlier faults have covered.</param>
    /// <returns>The report; a problem when not even the control run could be.</returns>
    public async Task<Outcome<DrillReport>> RunAsync(IReadOnlyList<PlannedDrill> drills, bool pairwise, bool full, CancellationToken cancel)
    {
        var (began, at) = (ground.Time.GetTimestamp(), ground.Time.GetUtcNow());
        // So that two series never meet in one table.
        var series = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3));
        var missing = await ground.WholeAsync(TimeSpan.FromSeconds(60), cancel);
        if (missing.Count > 0)
            return DrillErrors.NotWhole.With("", [.. missing.Select(what => new Fault("missing", what))]);
        say("control: nothing is done, for comparison");
        var run = new DrillRun(ground, say);
        var control = await run.ControlAsync($"{series}c", cancel);
        if (!control.Ok)
            return control.Problem;
        _runs.Add(control.Value);
        for (var i = 0; i < drills.Count; i++)
        {
            var drill = drills[i];
            if (pairwise && Covering.Of(drill).All(_covered.Contains))
            {
                _skipped.Add(drill.Name);
                continue;
            }

            say(string.Create(CultureInfo.InvariantCulture, $"{i + 1}/{drills.Count} {drill.Name}: {drill.Purpose}"));
            var outcome = await run.RunAsync(drill, seed, string.Create(CultureInfo.InvariantCulture, $"{series}{i}"), cancel);
            if (!outcome.Ok)
            {
                _runs.Add(Failed(drill, outcome.Problem));
                break;
            }

            _runs.Add(outcome.Value);
            Cover(drill, outcome.Value);
            if (outcome.Value.WholeMs is null)
                break;
        }

        return Report(at, ground.Time.GetElapsedTime(began), full);
    }

    private static DrillOutcome Failed(PlannedDrill drill, Problem problem) =>
        new(drill.Name, drill.Tier.Name, FaultKinds.Word(drill.Fault), "", "", "", 0, null, null, 0, [], $"{problem.Kind.Id}: {problem.Detail}{string.Concat(problem.Faults.Select(fault => $" {fault.Where}: {fault.What}."))}");

    // A machine that lost its power lost it for each of its tiers.
    private void Cover(PlannedDrill drill, DrillOutcome outcome)
    {
        if (outcome.Failure is not null)
            return;
        _covered.UnionWith(Covering.Of(drill));
        foreach (var tier in outcome.Tiers.Where(tier => tier.Hit is "leader" or "stand-by" && tier.Verdict != Verdict.Void))
            _covered.UnionWith(Covering.Of(new PlannedDrill(DrillTiers.All.First(known => known.Name == tier.Tier), drill.Fault, tier.Hit == "leader" ? Position.Leader : Position.StandBy)));
    }

    private DrillReport Report(DateTimeOffset at, TimeSpan took, bool full)
    {
        var fleet = ground.Fleet;
        var clients = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var tier in DrillTiers.Of(fleet))
            clients[tier.Name] = _runs[0].Tiers.Any(seen => seen.Tier == tier.Name) ? Asks(tier) : "no client: no way leads there";
        return new(fleet.Name, ground.Lab is { } lab ? $"lab {lab.Folder.Name}" : "the fleet itself", seed, full, at, Math.Round(took.TotalMilliseconds), _runs.TrueForAll(run => run.Ok), clients, Summaries.Of(fleet, _runs), _runs, _skipped);
    }

    private static string Asks(DrillTier tier) => tier.Name switch
    {
        "vip" => "20 requests a second through the virtual address, answered by the balancer itself",
        "web" => "20 requests a second for /health, answered by nginx",
        "api" => "20 requests a second for /api/health, answered by Dure",
        "postgres" => "10 committed rows a second, on whichever machine takes writes",
        "redis" => "10 keys a second on the primary that the sentinels name, each on one replica too (WAIT 1)",
        "galera" => "10 committed rows a second through the virtual address",
        _ => "1 held job a second (sbatch --hold)",
    };
}
