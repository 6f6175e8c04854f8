using System.Globalization;
using System.Net;
using Dure.Fleet.Model;

namespace Dure.Fleet.Roles.Firewall;

/// <summary>One thing that a machine lets in.</summary>
/// <param name="Protocol"><c>tcp</c>, <c>udp</c> or an IP protocol such as <c>vrrp</c>.</param>
/// <param name="Port">0 for protocols without ports.</param>
/// <param name="From">Who may; empty for everybody. Never empty by accident: what nobody may reach has no rule.</param>
/// <param name="Role">Whose port it is.</param>
internal sealed record FirewallRule(string Protocol, int Port, IReadOnlyList<IPNetwork> From, string What, string Role)
{
    /// <summary>The last of a range that begins with <see cref="Port"/>; 0 when it is one port.</summary>
    public int Through { get; init; }

    /// <summary>Whether the rule is about a port.</summary>
    public bool Covers(string protocol, int port) => protocol == Protocol && port >= Port && port <= Math.Max(Port, Through);

    /// <summary>Whether a packet from an address passes.</summary>
    public bool Admits(IPAddress address) => From.Count == 0 || From.Any(range => range.Contains(address));
}

/// <summary>What each machine of a fleet lets in: derived from the ports of all its roles, and nothing else.</summary>
internal static class FirewallRules
{
    private const string Management = "management";

    /// <summary>The rules of one machine. They hold where the machine has the role firewall.</summary>
    public static IReadOnlyList<FirewallRule> For(FleetModel fleet, Machine machine)
    {
        var rules = new List<FirewallRule>();
        // Found once for each role: the same ones are asked for again and again.
        var members = new Dictionary<string, IReadOnlyList<Machine>>(StringComparer.Ordinal);
        IReadOnlyList<Machine> With(string role) =>
            members.TryGetValue(role, out var known) ? known : members[role] = RoleKinds.All.FirstOrDefault(kind => kind.Name == role) is { } kind ? [.. fleet.Machines.Where(other => RoleKinds.Has(fleet, other, kind))] : [];
        foreach (var role in RoleKinds.On(fleet, machine))
        {
            foreach (var port in role.Ports(fleet))
            {
                var world = port.Reach == Reach.World || (role == BaseRole.Kind && port.Number == 22 && fleet.Get(FirewallSettings.Ssh) == "anywhere");
                IReadOnlyList<IPNetwork> from = world ? [] : [.. Sources(fleet, machine, port, With).Distinct().OrderBy(range => range.BaseAddress.ToString(), StringComparer.Ordinal)];
                if (world || from.Count > 0)
                    rules.Add(new(port.Protocol, port.Number, from, port.What, role.Name) { Through = port.Through });
            }
        }

        foreach (var open in fleet.Get(FirewallSettings.Open))
        {
            if (open.Split('/') is [var protocol, var number])
                rules.Add(new(protocol, int.Parse(number, CultureInfo.InvariantCulture), [], "firewall.open", FirewallRole.Name));
        }

        return rules;
    }

    /// <summary>Whether one machine reaches a port of another, from its address that the fleet uses.</summary>
    public static bool Reaches(FleetModel fleet, Machine from, Machine to, string protocol, int port) => from == to || Gate(fleet, to)(from, protocol, port);

    /// <summary>What a machine's derived firewall lets in, to be asked many times; without the role firewall, everything.</summary>
    public static Func<Machine, string, int, bool> Gate(FleetModel fleet, Machine to)
    {
        if (!to.Has(FirewallRole.Name))
            return static (_, _, _) => true;
        var rules = For(fleet, to);
        return (from, protocol, port) => rules.Any(rule => rule.Covers(protocol, port) && rule.Admits(fleet.AddressOf(from)));
    }

    // A machine may send from any address that it has.
    private static IEnumerable<IPNetwork> Sources(FleetModel fleet, Machine machine, Port port, Func<string, IReadOnlyList<Machine>> with) => port.Reach switch
    {
        Reach.Fleet => AddressesOf(fleet.Machines.Where(other => other != machine)),
        Reach.Roles => AddressesOf(port.From.SelectMany(with).Where(other => other != machine)),
        Reach.Management => fleet.Networks.Any(network => network.Name == Management)
            ? fleet.Networks.Where(network => network.Name == Management).Select(network => network.Range)
            : fleet.Networks.Select(network => network.Range),
        _ => [],
    };

    private static IEnumerable<IPNetwork> AddressesOf(IEnumerable<Machine> machines) =>
        from machine in machines
        from address in machine.Addresses
        select new IPNetwork(address.Address, address.Address.GetAddressBytes().Length * 8);
}
