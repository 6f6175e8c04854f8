using Dure.Fleet.Check.Losses;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Host.Configuration;

namespace Dure.Fleet.Check;

/// <summary>Whether a machine's firewall lets another machine reach a port of it.</summary>
internal delegate bool Admits(Machine from, string protocol, int port);

/// <summary>A fleet with all that rules ask about it again and again, looked up once.</summary>
internal sealed class CheckScope
{
    private readonly Dictionary<string, IReadOnlyList<Machine>> _members;
    private readonly Dictionary<string, RoleKind> _kinds;
    private readonly Dictionary<string, IReadOnlyList<Port>> _ports;
    private readonly Dictionary<string, Demand> _demands;

    /// <param name="catalogue">Every role that there is.</param>
    /// <param name="opens">What a machine's firewall lets in, asked for few machines; null when none is derived.</param>
    public CheckScope(FleetModel fleet, IReadOnlyList<RoleKind> catalogue, CheckFacts facts, Func<FleetModel, Machine, Admits>? opens = null)
    {
        (Fleet, Facts, Opens) = (fleet, facts, opens);
        _members = fleet.Machines
            .SelectMany(machine => machine.Roles.Select(given => given.Role).Distinct(StringComparer.Ordinal).Select(role => (role, machine)))
            .GroupBy(pair => pair.role, pair => pair.machine, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => (IReadOnlyList<Machine>)[.. group], StringComparer.Ordinal);
        if (catalogue.Any(IsBase))
            _members[BaseRole.Kind.Name] = fleet.Machines;
        _kinds = catalogue.ToDictionary(kind => kind.Name, StringComparer.Ordinal);
        Present = [.. catalogue.Where(kind => _members.ContainsKey(kind.Name))];
        _ports = Present.ToDictionary(kind => kind.Name, kind => (IReadOnlyList<Port>)[.. kind.Ports(fleet)], StringComparer.Ordinal);
        _demands = Present.ToDictionary(kind => kind.Name, kind => kind.Demand(fleet), StringComparer.Ordinal);
        Losses = new LossAnalysis(fleet, With, [.. Present.SelectMany(kind => kind.Services(fleet))]);
        Quorums = [.. Losses.Services.SelectMany(service => service.Terms).Select(part => part.Term).Where(term => term.Majority).Select(term => term.Role).Distinct(StringComparer.Ordinal)];
    }

    public FleetModel Fleet { get; }

    public CheckFacts Facts { get; }

    public Func<FleetModel, Machine, Admits>? Opens { get; }

    /// <summary>Roles of the catalogue that at least one machine has; every machine's base is among them.</summary>
    public IReadOnlyList<RoleKind> Present { get; }

    public LossAnalysis Losses { get; }

    /// <summary>Roles whose members vote: a service needs more than half of them.</summary>
    public IReadOnlyList<string> Quorums { get; }

    /// <summary>Where to point when the whole file is meant.</summary>
    public Place Top => Fleet.Machines is [var first, ..] ? first.Place : new(Fleet.File, 1, 1);

    /// <summary>The machines with a role, in the order of the file.</summary>
    public IReadOnlyList<Machine> With(string role) => _members.GetValueOrDefault(role) ?? [];

    public RoleKind? Find(string role) => _kinds.GetValueOrDefault(role);

    public IReadOnlyList<Port> Ports(string role) => _ports.GetValueOrDefault(role) ?? [];

    /// <summary>The roles of a machine that the catalogue knows, its base first.</summary>
    public IEnumerable<string> RolesOf(Machine machine) =>
        machine.Roles.Select(given => given.Role).Distinct(StringComparer.Ordinal).Where(_ports.ContainsKey)
            .Prepend(BaseRole.Kind.Name).Where(_ports.ContainsKey).Distinct(StringComparer.Ordinal);

    /// <summary>The sum of what a machine's roles ask of it.</summary>
    public Demand Asked(Machine machine) => RolesOf(machine).Select(role => _demands[role])
        .Aggregate(new Demand(0, 0, 0), (sum, more) => new(sum.Cores + more.Cores, sum.Memory + more.Memory, sum.Disk + more.Disk));

    /// <summary>Where the file first gives a role; the top of the file when nowhere.</summary>
    public Place PlaceOf(string role) => With(role) is [var first, ..] ? PlaceOf(first, role) : Top;

    /// <summary>Where the file gives a machine a role.</summary>
    public static Place PlaceOf(Machine machine, string role) => machine.Roles.FirstOrDefault(given => given.Role == role)?.Place ?? machine.Place;

    /// <summary>The value of a setting by its key, in seconds when it is a time; null when no role of this fleet has such a setting.</summary>
    public double? Seconds(string key)
    {
        var setting = Present.SelectMany(kind => kind.Settings).FirstOrDefault(known => known.Key == key);
        if (setting is null)
            return null;
        var value = Fleet.Settings.TryGetValue(key, out var given) ? given.Value : setting.Read(setting.Default).Value;
        return value switch { TimeSpan time => time.TotalSeconds, int number => number, long number => number, _ => null };
    }

    private static bool IsBase(RoleKind kind) => kind.Name == BaseRole.Kind.Name;
}
