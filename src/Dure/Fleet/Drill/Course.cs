using Dure.Fleet.Drill.Clients;
using Dure.Fleet.Drill.Ground;
using Dure.Fleet.Drill.Reports;
using Dure.Fleet.Model;
using Dure.Host;

namespace Dure.Fleet.Drill;

/// <summary>The course of one drill while it runs: its moments, and what its clients see.</summary>
/// <param name="began">The timestamp that all moments count from.</param>
internal sealed class Course(DrillGround ground, ClientSet clients, long began)
{
    private const int FailuresShown = 200;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    public double NowMs => ground.Time.GetElapsedTime(began).TotalMilliseconds;

    public double FaultMs { get; set; }

    public double? HealedMs { get; set; }

    public double? WholeMs { get; set; }

    public double EndMs { get; set; }

    public string Landed { get; set; } = "";

    /// <summary>Waits until every client is served.</summary>
    /// <returns>DURE0874 with what the others were told, when some are not.</returns>
    public async Task<Problem?> WarmAsync(TimeSpan limit, CancellationToken cancel)
    {
        while (clients.All.Any(client => client.Seen.Count(request => request.Ok) < 2))
        {
            if (NowMs > limit.TotalMilliseconds)
            {
                return DrillErrors.NothingAcknowledged.With("", [.. clients.All.Where(client => client.Seen.Count(request => request.Ok) < 2)
                    .Select(client => new Fault(client.Tier, $"{client.What}: {client.Seen.LastOrDefault(request => !request.Ok).Error ?? "no answer yet"}"))]);
            }

            await Task.Delay(Look, ground.Time, cancel);
        }

        return null;
    }

    /// <summary>Waits until every client is served again, at least so long and at most so long. A tier whose only machine is away is not waited for.</summary>
    /// <param name="away">The machine that serves nobody meanwhile; null for none.</param>
    public async Task ServedAsync(TimeSpan least, TimeSpan most, Machine? away, CancellationToken cancel)
    {
        var from = NowMs;
        var waited = clients.All.Where(client => !Alone(client.Tier, away)).ToList();
        // A second of service in a row; of a slow client, its last two answers.
        bool IsServed(DrillClient client)
        {
            var last = client.Seen.Where(request => request.Ok && request.DoneMs > FaultMs + 200).Select(request => request.DoneMs).DefaultIfEmpty(0).Max();
            return last > 0 && NowMs - last < client.Pace.TotalMilliseconds + 500;
        }

        double? since = null;
        while (NowMs - from < most.TotalMilliseconds)
        {
            since = waited.TrueForAll(IsServed) ? since ?? NowMs : null;
            if (NowMs - from >= least.TotalMilliseconds && since is { } served && NowMs - served > 1000)
                return;
            await Task.Delay(Look, ground.Time, cancel);
        }
    }

    /// <summary>Reads back, measures and judges. The clients have stopped.</summary>
    public async Task<DrillOutcome> OutcomeAsync(PlannedDrill? drill, Machine? target, string proof, DrillRun.Roles roles, Problem? failure, CancellationToken cancel)
    {
        var read = await Task.WhenAll(clients.All.Select(client => client.ReadBackAsync(cancel)));
        var unread = read.Where(found => !found.Ok).Select(found => found.Problem!).ToList();
        failure ??= unread.FirstOrDefault();
        // For the control run and for reboots in turn every moment counts.
        var tiers = clients.All.Zip(read).Select(pair => Of(pair.First, pair.Second, drill, target, roles)).ToList();
        return new(
            drill?.Name ?? "control",
            drill?.Tier.Name ?? "",
            drill is null ? null : FaultKinds.Word(drill.Fault),
            target?.Name ?? "",
            proof,
            Landed,
            FaultMs,
            HealedMs,
            WholeMs,
            EndMs,
            tiers,
            failure is null ? null : $"{failure.Kind.Id}: {failure.Detail}");
    }

    private bool Alone(string tierName, Machine? away) =>
        away is not null && DrillTiers.All.First(tier => tier.Name == tierName).Members(ground.Fleet) is [var only] && only == away;

    private TierOutcome Of(DrillClient client, Outcome<IReadOnlySet<long>?> found, PlannedDrill? drill, Machine? target, DrillRun.Roles roles)
    {
        var tier = DrillTiers.All.First(known => known.Name == client.Tier);
        var objective = tier.Objective(ground.Fleet);
        var requests = client.Seen;
        var seen = Measurement.Of(requests, client.Pace.TotalMilliseconds, FaultMs, EndMs, found.Ok ? found.Value : null);
        var alone = tier.Members(ground.Fleet).Count == 1 && roles.Hit.ContainsKey(tier.Name) && drill is { Fault: not FaultKind.ProcessKill };
        // What could not be read back is not known to be there.
        var verdict = found.Ok ? Verdicts.Of(tier, objective, drill?.Fault, alone, requests.Any(request => request.Ok && request.DoneMs < FaultMs), seen) : Verdict.Void;
        var failed = requests.Where(request => !request.Ok).ToList();
        var latencies = requests.Where(request => request.Ok).Select(request => request.DoneMs - request.SentMs).Order().ToList();
        return new(
            tier.Name,
            roles.Hit.TryGetValue(tier.Name, out var position) ? target is null ? "each" : position == Position.Leader ? "leader" : "stand-by" : null,
            seen.Sent,
            seen.Acknowledged,
            seen.Failed,
            Math.Round(seen.NoticedMs, 1),
            seen.Worst is { } worst ? Math.Round(worst.FromMs, 1) : null,
            seen.Worst is { } end ? Math.Round(end.ToMs, 1) : null,
            seen.Open,
            Verdicts.Limit(objective, drill?.Fault)?.TotalMilliseconds,
            found is { Ok: true, Value: null } ? null : seen.Lost.Count,
            objective.LostMax,
            seen.Surprises,
            latencies.Count > 0 ? Math.Round(latencies[latencies.Count / 2], 1) : 0,
            verdict,
            failed.Count == 0 ? null : failed.GroupBy(request => request.Error!, StringComparer.Ordinal).MaxBy(group => group.Count())!.Key.ReplaceLineEndings("; "),
            [.. seen.Gaps.Select(gap => new Gap(Math.Round(gap.FromMs, 1), Math.Round(gap.ToMs, 1)))],
            [.. failed.Select(request => Math.Round(request.DoneMs, 1)).Order().Where((_, index) => index % ((failed.Count / FailuresShown) + 1) == 0)]);
    }
}
