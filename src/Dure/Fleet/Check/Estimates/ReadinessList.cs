using Dure.Fleet.Check.Losses;
using Dure.Fleet.Check.Rules;
using Dure.Fleet.Roles;
using Dure.Host.Terminal;
using static Dure.Fleet.Check.Estimates.Answers;

namespace Dure.Fleet.Check.Estimates;

/// <summary>What should be so before people rely on a fleet, answered from its file and from what was seen of it.</summary>
internal static class ReadinessList
{
    private const int BackupHours = 26;
    private const int TestedDays = 90;

    public static IReadOnlyList<ReadinessItem> Of(CheckScope scope, LossReport losses, CapacityEstimate capacity) =>
        [.. Survival(scope, losses), .. Door(scope), .. Watched(scope), .. Upkeep(scope, capacity)];

    private static IEnumerable<ReadinessItem> Survival(CheckScope scope, LossReport losses)
    {
        var single = losses.Services.Where(service => service.Survives < 1 && service.Note.Length == 0).Select(service => service.Service).ToList();
        yield return new("machine-loss", "Any one machine may be lost", YesIf(single.Count == 0 && losses.Services.Count > 0),
            single.Count == 0 ? $"{Words.Count(losses.Services.Count, "service")} take the loss of any machine" : $"{Words.List(single)} {(single.Count == 1 ? "does" : "do")} not take it");
        var weak = losses.Quorums.Where(quorum => quorum.Members < 3 || quorum.Members % 2 == 0).ToList();
        yield return new("quorum", "Every quorum has three members or another odd number", YesIf(weak.Count == 0),
            losses.Quorums.Count == 0 ? "nothing votes" : Words.List([.. (weak.Count == 0 ? losses.Quorums : weak).Select(quorum => Words.Text($"{quorum.Role} {quorum.Members}"))]));
        var zones = losses.Domains.Where(domain => domain.Lost[0].StartsWith("zone ", StringComparison.Ordinal)).ToList();
        var fatal = zones.Where(zone => zone.Stops.Count > 0).ToList();
        yield return new("zone-loss", "Any one zone may be lost", YesIf(zones.Count > 1 && fatal.Count == 0),
            zones.Count < 2 ? "the file names no two zones"
            : fatal.Count == 0 ? $"{Words.Count(zones.Count, "zone")}"
            : string.Join("; ", fatal.Select(zone => $"{zone.Lost[0]} stops {Words.List([.. zone.Stops.Select(stop => stop.Service)])}")));
    }

    private static IEnumerable<ReadinessItem> Door(CheckScope scope)
    {
        var balancers = scope.With("balancer");
        yield return new("door", "Two balancers share a virtual address", YesIf(balancers.Count > 1 && scope.Fleet.Front is not null),
            balancers.Count == 0 ? "no balancer" : $"{Words.Names(balancers)}, {scope.Fleet.Front?.Vip?.ToString() ?? "no virtual address"}");
        if (scope.Facts.Certificates is not { Count: > 0 } certificates)
        {
            yield return new("tls", "Certificates are valid for three weeks and more", scope.Facts.Certificates is null ? Answer.Unknown : Answer.No,
                scope.Facts.Certificates is null ? "no certificate was looked at" : "there is no certificate");
        }
        else
        {
            var first = certificates.MinBy(certificate => certificate.NotAfter)!;
            yield return new("tls", "Certificates are valid for three weeks and more", YesIf((first.NotAfter - scope.Facts.Now).TotalDays >= CertificateRules.NearDays),
                Words.Text($"{first.Where} is valid until {first.NotAfter:yyyy-MM-dd}"));
        }
        var open = scope.Fleet.Machines.Where(machine => !machine.Has("firewall")).ToList();
        yield return new("firewall", "Every machine has a firewall", YesIf(open.Count == 0), open.Count == 0 ? "role firewall on every machine" : $"not on {Words.Names(open)}");
        var needs = scope.Present.SelectMany(kind => kind.Secrets(scope.Fleet)).DistinctBy(need => need.Name, StringComparer.Ordinal).Where(need => need.Kind != SecretKind.Given).ToList();
        var missing = scope.Facts.Secrets is { } present ? needs.Where(need => !present.Contains(need.Name)).Select(need => need.Name).ToList() : null;
        yield return new("secrets", "Every secret is there", missing is null ? Answer.Unknown : YesIf(missing.Count == 0),
            missing is null ? "nobody looked" : missing.Count == 0 ? Words.Count(needs.Count, "secret") : $"missing: {Words.List(missing)}");
    }

    private static IEnumerable<ReadinessItem> Watched(CheckScope scope)
    {
        var monitors = scope.With("monitor");
        yield return new("monitoring", "The fleet is watched", YesIf(monitors.Count > 0), monitors.Count == 0 ? "no machine has the role monitor" : $"role monitor on {Words.Names(monitors)}");
        var hooks = scope.Find("monitor") is { } kind && monitors.Count > 0 ? kind.Secrets(scope.Fleet).Where(need => need.Kind == SecretKind.Given).Select(need => need.Name).ToList() : [];
        var told = scope.Facts.Secrets is { } present ? hooks.Find(present.Contains) : null;
        yield return new("alerts", "Alerts reach people", monitors.Count == 0 ? Answer.No : scope.Facts.Secrets is null ? Answer.Unknown : YesIf(told is not null),
            monitors.Count == 0 ? "nothing watches" : scope.Facts.Secrets is null ? "nobody looked for the secrets" : told is null ? $"no {Words.List(hooks, "or")} in the folder of secrets" : $"{told} is there");
        yield return new("objectives", "It is said how long each tier may be away", YesIf(scope.Fleet.Objectives.Count > 0),
            scope.Fleet.Objectives.Count == 0 ? "no objectives in the file" : $"{Words.Count(scope.Fleet.Objectives.Count, "objective")}");
        var drill = scope.Facts.Drill;
        yield return new("drill", "A drill of the last three months passed",
            drill is null ? Answer.Unknown : YesIf(drill is { Last: { } held, Passed: true } && scope.Facts.Now - held < TimeSpan.FromDays(TestedDays)),
            drill is null ? "no record of drills was looked at: dure drill" : drill.Last is { } last ? Words.Text($"{last:yyyy-MM-dd}, {(drill.Passed ? "passed" : "failed")}") : "there was none");
    }

    private static IEnumerable<ReadinessItem> Upkeep(CheckScope scope, CapacityEstimate capacity)
    {
        var backup = scope.Facts.Backup;
        yield return new("backup", "There is a backup of the last day",
            backup is null ? Answer.Unknown : YesIf(backup.Last is { } taken && scope.Facts.Now - taken < TimeSpan.FromHours(BackupHours)),
            backup is null ? "no backups were looked at" : Day(backup.Last));
        yield return new("restore", "A restore was tried within three months",
            backup is null ? Answer.Unknown : YesIf(backup.RestoreTested is { } tried && scope.Facts.Now - tried < TimeSpan.FromDays(TestedDays)),
            backup is null ? "no backups were looked at" : Day(backup.RestoreTested));
        var old = scope.Fleet.Machines.Where(machine => !SystemRules.Supported.TryGetValue(machine.Os, out var ends) || ends < scope.Facts.Now).ToList();
        yield return new("updates", "Every system still gets security updates", YesIf(old.Count == 0),
            old.Count == 0 ? Words.List([.. scope.Fleet.Machines.Select(machine => machine.Os).Distinct(StringComparer.Ordinal)]) : $"not {Words.Names(old)}");
        var full = capacity.WithoutLargest.Where(left => left.Free < 0).ToList();
        yield return new("capacity", "What the roles ask for fits without the largest machine",
            capacity.Unknown.Count > 0 ? Answer.Unknown : YesIf(capacity.WithoutLargest.Count > 0 && full.Count == 0),
            capacity.Unknown.Count > 0 ? $"the file does not give the hardware of {Words.List(capacity.Unknown)}"
            : capacity.WithoutLargest.Count == 0 ? "there is one machine"
            : full.Count > 0 ? string.Join(", ", full.Select(left => $"{Amount(left.Resource, -left.Free)} too little without {left.Lost}"))
            : $"{Words.All([.. capacity.WithoutLargest.Select(left => Amount(left.Resource, left.Free))])} free");
        yield return new("drift", "The machines are as the file says", scope.Facts.Drifted is { } drifted ? YesIf(drifted == 0) : Answer.Unknown,
            scope.Facts.Drifted is { } count ? $"{Words.Count(count, "machine")} differ{(count == 1 ? "s" : "")}" : "nobody looked: dure drift");
    }

    /// <summary>An amount of a resource: cores are counted, the rest is bytes.</summary>
    public static string Amount(string resource, double amount) => resource == "cores" ? $"{Words.Number(amount)} cores" : $"{Phrase.Size((long)amount)} of {resource}";

    private static string Day(DateTimeOffset? moment) => moment is { } when ? Words.Text($"{when:yyyy-MM-dd}") : "never";
}
