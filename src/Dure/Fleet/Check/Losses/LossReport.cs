using Dure.Fleet.Model;

namespace Dure.Fleet.Check.Losses;

/// <summary>What losses of one machine, two machines, zones and hosts do, in the words of people.</summary>
/// <param name="Quiet">How many machines may each be lost alone without any service stopping.</param>
/// <param name="Machines">Those whose loss stops something; in small fleets all of them.</param>
/// <param name="PairsLeftOut">Pairs that are not in <paramref name="Pairs"/>, for there are too many.</param>
internal sealed record LossReport(
    IReadOnlyList<ServiceLine> Services,
    IReadOnlyList<QuorumLine> Quorums,
    IReadOnlyList<LossLine> Machines,
    IReadOnlyList<LossLine> Pairs,
    IReadOnlyList<LossLine> Domains,
    int Quiet,
    int PairsLeftOut)
{
    /// <summary>A fleet of at most so many machines has a line for each.</summary>
    public const int EachMax = 16;

    /// <summary>Pairs that are listed at most.</summary>
    public const int PairsMax = 40;

    public static LossReport Of(CheckScope scope)
    {
        var losses = scope.Losses;
        var singles = losses.Services.SelectMany(service => LossAnalysis.Singles(service).Select(single => (single.Machine, single.Part, service.Service)))
            .ToLookup(single => single.Machine.Name, StringComparer.Ordinal);
        var keeps = scope.Fleet.Machines.Count <= EachMax ? KeepsByMachine(losses) : null;
        var lines = scope.Fleet.Machines
            .Where(machine => keeps is not null || singles.Contains(machine.Name))
            .Select(machine => new LossLine(
                [machine.Name],
                [.. singles[machine.Name].Select(single => new StopLine(single.Service.Name, new Stop(single.Service, single.Part, 1).Why))],
                keeps is null ? [] : [.. keeps[machine.Name].Where(keep => singles[machine.Name].All(single => single.Service.Name != keep.Service))]));
        var pairs = losses.Services.SelectMany(service => LossAnalysis.Pairs(service).Select(pair => (pair.First, pair.Second, pair.Part, service.Service)))
            .GroupBy(pair => (pair.First.Order, pair.Second.Order))
            .OrderBy(pair => pair.Key)
            .Select(pair => new LossLine(
                [pair.First().First.Name, pair.First().Second.Name],
                [.. pair.Select(each => new StopLine(each.Service.Name, new Stop(each.Service, each.Part, 2).Why))],
                []))
            .ToList();
        return new(
            [.. losses.Services.Select(service => ServiceLine.Of(service, scope.Fleet.Machines.Count))],
            [.. scope.Quorums.Select(role => QuorumLine.Of(role, scope.With(role)))],
            [.. lines],
            [.. pairs.Take(PairsMax)],
            [.. DomainLines(losses)],
            scope.Fleet.Machines.Count - singles.Count,
            Math.Max(0, pairs.Count - PairsMax));
    }

    private static IEnumerable<LossLine> DomainLines(LossAnalysis losses)
    {
        var never = losses.Stopped([]).Select(stop => stop.Service.Name).ToHashSet(StringComparer.Ordinal);
        var domains = losses.Domains();
        var zones = domains.Count(domain => domain.Kind == DomainKind.Zone);
        // The only zone is the whole fleet.
        return domains.Where(domain => domain.Kind != DomainKind.Zone || zones > 1).Select(domain => new LossLine(
            [domain.ToString()],
            [.. losses.Stopped(domain.Machines).Where(stop => !never.Contains(stop.Service.Name)).Select(stop => new StopLine(stop.Service.Name, stop.Why))],
            []));
    }

    // What goes on with fewer members, said only of what a service itself needs: what it needs through others is said of those.
    private static ILookup<string, KeepLine> KeepsByMachine(LossAnalysis losses) =>
        losses.Services.Where(service => service.Survives >= 0).SelectMany(service => service.Terms
            .Where(part => part.Through.Count == 0 && part.Term.LostToFail > 1)
            .SelectMany(part => part.Term.Members.Select(machine => (machine.Name, Keep: new KeepLine(service.Service.Name, part.Term.Role, part.Term.Members.Count - 1, part.Term.Members.Count, part.Term.Majority)))))
        .ToLookup(pair => pair.Name, pair => pair.Keep, StringComparer.Ordinal);
}

/// <summary>A service and how much it takes.</summary>
/// <param name="Survives">How many machines may be lost, whichever they are; -1 when it does not work.</param>
/// <param name="Alone">The machines whose loss alone stops it.</param>
/// <param name="Note">What happens meanwhile, where losing it is expected.</param>
internal sealed record ServiceLine(string Service, string Tier, int Survives, IReadOnlyList<string> Alone, string Note)
{
    public static ServiceLine Of(ServiceParts service, int machines) => new(
        service.Service.Name,
        service.Service.Tier,
        Math.Min(service.Survives, machines),
        [.. LossAnalysis.Singles(service).Select(single => single.Machine.Name)],
        service.Service.Note);
}

/// <summary>A quorum: its members, how many must live, and how they lie over the zones.</summary>
internal sealed record QuorumLine(string Role, int Members, int Majority, IReadOnlyList<ZoneShare> Zones)
{
    public static QuorumLine Of(string role, IReadOnlyList<Machine> members) => new(
        role,
        members.Count,
        (members.Count / 2) + 1,
        [.. members.GroupBy(machine => machine.Zone, StringComparer.Ordinal).OrderBy(zone => zone.Key, StringComparer.Ordinal).Select(zone => new ZoneShare(zone.Key, [.. zone.Select(machine => machine.Name)]))]);

    /// <summary>The zones whose loss takes the majority.</summary>
    public IEnumerable<string> Fatal => Zones.Where(zone => Members - zone.Machines.Count < Majority).Select(zone => zone.Zone);
}

/// <summary>The members of a quorum that are in one zone.</summary>
internal sealed record ZoneShare(string Zone, IReadOnlyList<string> Machines);

/// <summary>A service that stops, and why.</summary>
internal sealed record StopLine(string Service, string Why);

/// <summary>A service that goes on with fewer machines of a role.</summary>
/// <param name="Quorum">The machines vote.</param>
internal sealed record KeepLine(string Service, string Role, int Left, int Of, bool Quorum);

/// <summary>A loss and what it does.</summary>
/// <param name="Lost">One machine, two machines, or one <c>zone b</c> or <c>host iron1</c>.</param>
/// <param name="Keeps">What goes on with fewer members.</param>
internal sealed record LossLine(IReadOnlyList<string> Lost, IReadOnlyList<StopLine> Stops, IReadOnlyList<KeepLine> Keeps)
{
    /// <summary>One sentence: <c>If rho dies: Slurm accounting stops (rho is the only slurm-db); Redis keeps quorum (2 of 3).</c></summary>
    public override string ToString()
    {
        var parts = Stops.GroupBy(stop => stop.Why, StringComparer.Ordinal)
            .Select(why => Said([.. why.Select(stop => stop.Service)], "stops", "stop", why.Key))
            .Concat(Keeps.GroupBy(keep => (keep.Quorum, keep.Left, keep.Of)).Select(alike => Said(
                [.. alike.Select(keep => keep.Service).Distinct(StringComparer.Ordinal)],
                alike.Key.Quorum ? "keeps quorum" : "goes on",
                alike.Key.Quorum ? "keep quorum" : "go on",
                Words.Text($"{alike.Key.Left} of {alike.Key.Of}"))))
            .ToList();
        return $"If {string.Join(" and ", Lost)} {(Lost.Count > 1 ? "die" : "dies")}: {(parts.Count == 0 ? "no service stops" : string.Join("; ", parts))}.";
    }

    private static string Said(IReadOnlyList<string> services, string one, string several, string why) => $"{Words.All(services)} {(services.Count == 1 ? one : several)} ({why})";
}
