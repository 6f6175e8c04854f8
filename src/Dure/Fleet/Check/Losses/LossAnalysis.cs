using System.Diagnostics;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;

namespace Dure.Fleet.Check.Losses;

/// <summary>
/// Which services stop when machines are lost. A condition has no "or" but the one among members of a role, so a service is the conjunction of
/// terms, its own and those of every service that it needs (services that need each other share all their terms). Each term fails when a known number
/// of its members is lost. So the smallest losses that stop a service can be read off the terms: no combination of machines is tried.
/// </summary>
internal sealed class LossAnalysis
{
    private readonly FleetModel _fleet;
    private readonly ILookup<string, Service> _byName;

    public LossAnalysis(FleetModel fleet, Func<string, IReadOnlyList<Machine>> with, IReadOnlyList<Service> services)
    {
        _fleet = fleet;
        _byName = services.ToLookup(service => service.Name, StringComparer.Ordinal);
        var terms = new Dictionary<(string Role, bool Majority), Term>();
        Services = [.. services.Select(service => Resolve(service, (role, majority) =>
            terms.TryGetValue((role, majority), out var known) ? known : terms[(role, majority)] = new Term(role, majority, with(role))))];
    }

    /// <summary>Every service of the fleet, in the order of the roles.</summary>
    public IReadOnlyList<ServiceParts> Services { get; }

    /// <summary>The services that do not work when these machines are lost, those among them that never worked included.</summary>
    public IReadOnlyList<Stop> Stopped(IEnumerable<Machine> lost)
    {
        var gone = lost.ToHashSet<Machine>(ReferenceEqualityComparer.Instance);
        var counts = new Dictionary<Term, int>(ReferenceEqualityComparer.Instance);
        return [.. Services.Select(service => StopOf(service, term =>
        {
            if (!counts.TryGetValue(term, out var count))
                counts[term] = count = term.Members.Count(gone.Contains);
            return count;
        })).OfType<Stop>()];
    }

    /// <summary>The machines whose loss alone stops a service, each with what fails. Empty for a service that never worked.</summary>
    public static IReadOnlyList<(Machine Machine, Part Part)> Singles(ServiceParts service) => service.Survives < 0 ? [] :
        [.. service.Terms.Where(part => part.Term.LostToFail == 1)
            .SelectMany(part => part.Term.Members.Select(machine => (machine, part)))
            .DistinctBy(single => single.machine, ReferenceEqualityComparer.Instance)
            .OrderBy(single => single.machine.Order)];

    /// <summary>The pairs whose loss stops a service though neither of them alone does. At most six for each term: a term that two losses end has at most four members.</summary>
    public static IReadOnlyList<(Machine First, Machine Second, Part Part)> Pairs(ServiceParts service)
    {
        if (service.Survives < 0)
            return [];
        var alone = Singles(service).Select(single => single.Machine).ToHashSet<Machine>(ReferenceEqualityComparer.Instance);
        var seen = new HashSet<(int, int)>();
        var pairs = new List<(Machine, Machine, Part)>();
        foreach (var part in service.Terms.Where(part => part.Term.LostToFail == 2))
        {
            var members = part.Term.Members.Where(machine => !alone.Contains(machine)).OrderBy(machine => machine.Order).ToList();
            for (var i = 0; i < members.Count; i++)
            {
                for (var j = i + 1; j < members.Count; j++)
                {
                    if (seen.Add((members[i].Order, members[j].Order)))
                        pairs.Add((members[i], members[j], part));
                }
            }
        }
        return pairs;
    }

    /// <summary>What fails together, by zone and by the label <c>host=NAME</c> of virtual machines: <c>zone b</c>, <c>host iron1</c>. Only where there are several machines.</summary>
    public IReadOnlyList<Domain> Domains() =>
    [
        .. _fleet.Machines.Where(machine => machine.Zone.Length > 0).GroupBy(machine => machine.Zone, StringComparer.Ordinal).Select(zone => new Domain(DomainKind.Zone, zone.Key, [.. zone])),
        .. _fleet.Machines.Select(machine => (Host: HostOf(machine), machine)).Where(pair => pair.Host is not null)
            .GroupBy(pair => pair.Host!, pair => pair.machine, StringComparer.Ordinal).Where(host => host.Skip(1).Any()).Select(host => new Domain(DomainKind.Host, host.Key, [.. host])),
    ];

    /// <summary>The physical host of a virtual machine; null when no label says.</summary>
    public static string? HostOf(Machine machine) =>
        machine.Labels.FirstOrDefault(label => label.StartsWith("host=", StringComparison.Ordinal)) is { Length: > 5 } label ? label[5..] : null;

    private static Stop? StopOf(ServiceParts service, Func<Term, int> lost)
    {
        if (service.Unknown.Count > 0)
            return new Stop(service.Service, null, 0);
        return service.Terms.FirstOrDefault(part => lost(part.Term) >= part.Term.LostToFail) is { } failing ? new Stop(service.Service, failing, lost(failing.Term)) : null;
    }

    private ServiceParts Resolve(Service service, Func<string, bool, Term> term)
    {
        var (parts, unknown) = (new List<Part>(), new List<string>());
        var seen = new HashSet<string>(StringComparer.Ordinal) { service.Name };
        var left = new Queue<(Condition Condition, IReadOnlyList<string> Through)>();
        foreach (var same in _byName[service.Name])
            left.Enqueue((same.Works, []));
        while (left.TryDequeue(out var next))
        {
            switch (next.Condition)
            {
                case Condition.AnyOf any:
                    parts.Add(new Part(term(any.Role, false), next.Through));
                    break;
                case Condition.MajorityOf most:
                    parts.Add(new Part(term(most.Role, true), next.Through));
                    break;
                case Condition.Both both:
                    foreach (var condition in both.Of)
                        left.Enqueue((condition, next.Through));
                    break;
                case Condition.Needs { Service: var name } when seen.Add(name):
                    if (!_byName.Contains(name))
                        unknown.Add(name);
                    foreach (var needed in _byName[name])
                        left.Enqueue((needed.Works, [.. next.Through, name]));
                    break;
                case Condition.Needs:
                    break;
                default:
                    throw new UnreachableException($"No such condition: {next.Condition.GetType()}");
            }
        }
        return new ServiceParts(service, [.. parts.DistinctBy(part => part.Term, ReferenceEqualityComparer.Instance)], unknown);
    }
}

/// <summary>Why machines fail together.</summary>
internal enum DomainKind
{
    /// <summary>The file's <c>zone</c>.</summary>
    Zone,

    /// <summary>The label <c>host=NAME</c>.</summary>
    Host,
}

/// <summary>Machines that fail together.</summary>
internal sealed record Domain(DomainKind Kind, string Name, IReadOnlyList<Machine> Machines)
{
    public override string ToString() => $"{(Kind == DomainKind.Zone ? "zone" : "host")} {Name}";
}
