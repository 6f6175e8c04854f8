using System.Net;
using System.Net.Sockets;
using System.Text;
using static Dure.Fleet.Roles.RoleScope;

namespace Dure.Fleet.Roles.Firewall;

/// <summary>What nft reads (nft(8)): one table of the fleet's own, made anew in one transaction. Tables of others, such as those of containers, are never touched.</summary>
internal static class FirewallTable
{
    /// <summary>The whole file.</summary>
    /// <param name="fleet">The ranges that the fleet's machines are in.</param>
    public static string Of(IReadOnlyList<FirewallRule> rules, IEnumerable<IPNetwork> fleet)
    {
        var text = new StringBuilder();
        text.Append(
            """
            # The first line makes the table where it is missing, so that the second can remove it: all three are one transaction.
            table inet dure
            delete table inet dure
            table inet dure {
                chain input {
                    type filter hook input priority filter; policy drop;
                    ct state established,related accept
                    iif lo accept
                    ct state invalid drop
                    # ICMP and ICMPv6, by number: not every machine has /etc/protocols.
                    meta l4proto { 1, 58 } accept
                    # Answers to requests for an address (DHCP) belong to no connection.
                    udp sport 67 udp dport 68 accept
                    udp sport 547 udp dport 546 accept

            """);
        text.Append("""
                    # The kernel knows no connection from before the first rules came: a machine that only listens to one (a replica, a watcher) would hear nothing of it any more,
                    # until it gives up. Within the fleet what is not the beginning of a connection passes; without one the kernel refuses it.

            """);
        foreach (var range in fleet.Distinct())
            text.Append(Invariant($"        {Family(range)} saddr {Written(range)} tcp flags & (syn | ack) == ack ct state new accept\n"));
        foreach (var rule in rules)
            AddRule(text, rule);
        text.Append("        counter comment \"dropped\"\n    }\n}\n");
        return text.ToString();
    }

    private static void AddRule(StringBuilder text, FirewallRule rule)
    {
        var match = rule.Port > 0 ? Invariant($"{rule.Protocol} dport {rule.Port}{(rule.Through > rule.Port ? Invariant($"-{rule.Through}") : "")}") : Invariant($"meta l4proto {ProtocolNumber(rule.Protocol)}");
        var comment = Invariant($"comment \"{rule.Role}: {rule.What}\"");
        if (rule.From.Count == 0)
        {
            text.Append(Invariant($"        {match} accept {comment}\n"));
            return;
        }

        foreach (var family in rule.From.GroupBy(Family, StringComparer.Ordinal))
            text.Append(Invariant($"        {family.Key} saddr {{ {string.Join(", ", family.Select(Written))} }} {match} accept {comment}\n"));
    }

    private static string Family(IPNetwork range) => range.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 ? "ip6" : "ip";

    private static string Written(IPNetwork range) => range.PrefixLength == range.BaseAddress.GetAddressBytes().Length * 8 ? range.BaseAddress.ToString() : range.ToString();

    private static int ProtocolNumber(string protocol) => protocol switch
    {
        "vrrp" => 112,
        "esp" => 50,
        "gre" => 47,
        "sctp" => 132,
        _ => throw new ArgumentException($"The number of {protocol} is not known here.", nameof(protocol)),
    };
}
