using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Host.Terminal;

namespace Dure.Fleet.Check.Drawing;

/// <summary>A fleet as it is drawn: machines as cards in zones, and roles that speak to each other. All drawings are made of this.</summary>
/// <param name="Vip">The virtual address and its network; empty when there is none.</param>
/// <param name="Holders">The machines that may hold it.</param>
/// <param name="Nodes">Roles that listen or speak.</param>
/// <param name="Watching">What monitors ask of others: of most of them, so it is said and not drawn.</param>
internal sealed record Topology(
    string Name,
    int Machines,
    string Vip,
    IReadOnlyList<string> Holders,
    IReadOnlyList<ZoneBox> Zones,
    IReadOnlyList<RoleNode> Nodes,
    IReadOnlyList<RoleEdge> Edges,
    IReadOnlyList<RoleEdge> Watching)
{
    /// <summary>The node that stands for those outside.</summary>
    public const string Clients = "clients";

    // Above so many machines, those of a zone that have the same roles share a card.
    private const int OwnCardMax = 24;

    public static Topology Of(CheckScope scope)
    {
        var fleet = scope.Fleet;
        var kinds = scope.Present.Where(kind => kind.Name != BaseRole.Kind.Name).ToList();
        var edges = kinds.SelectMany(kind => EdgesTo(scope, kind)).ToList();
        var watching = edges.Where(edge => edge.From != edge.To && RoleFamilies.Watches(edge.From)).ToList();
        var drawn = edges.Where(edge => edge.From != edge.To && !RoleFamilies.Watches(edge.From)).ToList();
        var linked = drawn.SelectMany(edge => new[] { edge.From, edge.To }).ToHashSet(StringComparer.Ordinal);
        return new(
            fleet.Name,
            fleet.Machines.Count,
            fleet.Front is { Vip: { } vip } front ? $"{vip} ({front.Name})" : "",
            [.. fleet.Front is null ? [] : scope.With("balancer").Select(machine => machine.Name)],
            [.. fleet.Machines.GroupBy(machine => machine.Zone, StringComparer.Ordinal).Select(zone => new ZoneBox(zone.Key, [.. Cards(fleet, zone)]))],
            [
                .. linked.Contains(Clients) ? new[] { new RoleNode(Clients, 0, [], false) } : [],
                .. kinds.Where(kind => linked.Contains(kind.Name)).Select(kind => new RoleNode(
                    kind.Name,
                    scope.With(kind.Name).Count,
                    [.. scope.Ports(kind.Name).Where(IsDrawn).Select(PortText).Distinct(StringComparer.Ordinal)],
                    edges.Exists(edge => edge.From == kind.Name && edge.To == kind.Name))),
            ],
            drawn,
            watching);
    }

    private static IEnumerable<RoleEdge> EdgesTo(CheckScope scope, RoleKind kind)
    {
        var ports = scope.Ports(kind.Name);
        if (ports.Any(port => port.Reach == Reach.World))
            yield return new(Clients, kind.Name, [.. ports.Where(port => port.Reach == Reach.World).Select(PortText).Distinct(StringComparer.Ordinal)], ports.Any(port => port is { Reach: Reach.World, OnVip: true }));
        // What every machine may reach is drawn from those who say that they need it.
        if (ports.Where(port => port.Reach == Reach.Fleet).Select(PortText).Distinct(StringComparer.Ordinal).ToList() is { Count: > 0 } open)
        {
            foreach (var user in scope.Present.Where(user => user != kind && Uses(scope, user, kind.Name) && !ports.Any(port => port.Reach == Reach.Roles && port.From.Contains(user.Name, StringComparer.Ordinal))))
                yield return new(user.Name, kind.Name, open, false);
        }
        foreach (var from in ports.Where(port => port.Reach == Reach.Roles).SelectMany(port => port.From.Select(role => (role, port))).GroupBy(pair => pair.role, pair => pair.port, StringComparer.Ordinal))
        {
            if (from.Key != BaseRole.Kind.Name && scope.With(from.Key).Count > 0)
                yield return new(from.Key, kind.Name, [.. from.Select(PortText).Distinct(StringComparer.Ordinal)], false);
        }
    }

    private static bool Uses(CheckScope scope, RoleKind user, string role) =>
        user.Needs.Contains(role, StringComparer.Ordinal) || user.Services(scope.Fleet).Any(service => Names(service.Works, role));

    private static bool Names(Condition condition, string role) => condition switch
    {
        Condition.AnyOf any => any.Role == role,
        Condition.MajorityOf most => most.Role == role,
        Condition.Both both => both.Of.Any(each => Names(each, role)),
        _ => false,
    };

    private static IEnumerable<MachineCard> Cards(FleetModel fleet, IEnumerable<Machine> machines) => fleet.Machines.Count <= OwnCardMax
        ? machines.Select(machine => Card(fleet, [machine]))
        : machines.GroupBy(machine => (Roles: string.Join(',', machine.Roles.Select(given => given.Role)), machine.Hardware)).Select(same => Card(fleet, [.. same]));

    private static MachineCard Card(FleetModel fleet, IReadOnlyList<Machine> same) => new(
        same.Count == 1 ? same[0].Name : $"{same[0].Name} … {same[^1].Name}",
        same.Count,
        same.Count > 1 ? Words.Count(same.Count, "machine") : same[0].Addresses.Count == 0 ? "no address" : (fleet.Networks.Count == 0 ? same[0].Addresses[0].Address : fleet.AddressOf(same[0])).ToString(),
        HardwareText(same[0].Hardware),
        [.. same[0].Roles.Select(given => given.Role).Distinct(StringComparer.Ordinal)]);

    private static string HardwareText(Hardware hardware) => string.Join(" · ", new[]
    {
        hardware.Cores > 0 ? Words.Count(hardware.Cores, "core") : "",
        hardware.Memory > 0 ? Phrase.Size(hardware.Memory) : "",
        hardware.Disk > 0 ? Phrase.Size(hardware.Disk) + " disk" : "",
        hardware.Gpus > 0 ? Words.Count(hardware.Gpus, "GPU") : "",
    }.Where(part => part.Length > 0));

    private static bool IsDrawn(Port port) => port.Reach != Reach.Loopback && !(port.Reach == Reach.Roles && port.From.All(RoleFamilies.Watches));

    private static string PortText(Port port) => port.Number == 0 ? port.What : Words.Text($"{port.What} {port.Number}");
}

/// <summary>A zone with its machines.</summary>
internal sealed record ZoneBox(string Zone, IReadOnlyList<MachineCard> Cards)
{
    public string Title => Zone.Length == 0 ? "no zone" : $"zone {Zone}";
}

/// <summary>A machine, or several of a zone with the same roles and hardware.</summary>
internal sealed record MachineCard(string Name, int Count, string Address, string Hardware, IReadOnlyList<string> Roles);

/// <summary>A role in the picture of who speaks to whom.</summary>
/// <param name="Machines">How many have it; 0 for the clients outside.</param>
/// <param name="Ports">What it listens on: <c>PostgreSQL 5432</c>.</param>
/// <param name="Peers">Its members speak with each other.</param>
internal sealed record RoleNode(string Role, int Machines, IReadOnlyList<string> Ports, bool Peers);

/// <summary>One role speaks to another.</summary>
/// <param name="OnVip">By way of the virtual address.</param>
internal sealed record RoleEdge(string From, string To, IReadOnlyList<string> Ports, bool OnVip);

/// <summary>What a role is for, as far as its colour says.</summary>
internal static class RoleFamilies
{
    /// <summary>It asks every other role how it is.</summary>
    public static bool Watches(string role) => role == "monitor";

    public static string Of(string role) => role switch
    {
        "balancer" or "web" or "edge" => "door",
        "dure" or "controller" or "portal" or "tracker" or "worker" => "core",
        "postgres" or "etcd" or "redis" or "galera" => "data",
        _ when role.StartsWith("nfs", StringComparison.Ordinal) || role.StartsWith("gluster", StringComparison.Ordinal) => "data",
        _ when role.StartsWith("slurm", StringComparison.Ordinal) || role == "munge" => "work",
        _ => "rest",
    };
}
