using System.Text;
using Dure.Fleet.Model;
using static Dure.Fleet.Roles.RoleScope;

namespace Dure.Fleet.Roles.Balancer;

/// <summary>What Keepalived reads (keepalived.conf(5)).</summary>
internal static class KeepalivedConfig
{
    /// <summary>Holds 1 while HAProxy is not there.</summary>
    public const string HaproxyDown = "/run/dure/haproxy-down";

    private const string InterfaceFile = "/run/dure/front-interface.conf";
    private const int PriorityFirst = 150;

    /// <summary>A shell script that writes the name of the interface with an address to where <see cref="Of"/> includes it from, and fails when none has it.</summary>
    public static string FindInterface(string address) =>
        $$"""
        name=$(ip -o addr show to {{address}} | sed -n '1s/^[0-9]*: *\([^ @]*\).*/\1/p')
        [ "$name" ] || { echo 'no interface has {{address}}' >&2; exit 1; }
        mkdir -p /run/dure
        echo "\$FRONT_INTERFACE=$name" >{{InterfaceFile}}
        """;

    /// <summary>The whole file.</summary>
    public static string Of(RoleScope scope, Network front)
    {
        var text = new StringBuilder();
        var version = scope.Get(BalancerSettings.VrrpVersion);
        var given = scope.Get(BalancerSettings.Interface);
        text.Append(Invariant(
            $$"""
            global_defs {
                router_id {{scope.Machine.Name}}
                vrrp_version {{version}}
                script_user root
                enable_script_security
            }


            """));
        if (given == "auto")
            text.Append(Invariant($"# Written before each start: $FRONT_INTERFACE.\ninclude {InterfaceFile}\n\n"));

        // The end of HAProxy is told by systemd at once (weight 0: it gives up the address); the script, which Keepalived runs once a second at most, finds one that hangs.
        // A script that stands after its instance is not found by it. Without a weight a dead HAProxy makes the instance give up the address,
        // whatever the priorities are. The script bears a stall of two seconds; a dead HAProxy refuses at once.
        var weight = scope.Get(BalancerSettings.Weight);
        text.Append(Invariant(
            $$"""
            track_file haproxy_down {
                file "{{HaproxyDown}}"
                weight {{(weight == 0 ? 0 : -Math.Abs(weight))}}
                init_file 0
            }

            vrrp_script haproxy {
                script "/usr/bin/curl -fsS -o /dev/null --max-time 2 http://127.0.0.1:{{BalancerPorts.Internal}}/alive"
                interval 1
                timeout 3
                fall 1
                rise 2
            {{(weight == 0 ? "" : Invariant($"    weight {weight}\n"))}}}

            vrrp_instance front {
                state BACKUP
                interface {{(given == "auto" ? "$FRONT_INTERFACE" : given)}}
                virtual_router_id {{scope.Get(BalancerSettings.RouterId)}}
                priority {{Priority(scope)}}
                advert_int {{scope.Get(BalancerSettings.Advert).TotalSeconds}}
            {{(scope.Get(BalancerSettings.Preempt) ? "" : "    nopreempt\n")}}
            """));
        AddPeers(text, scope, front);
        if (version == 2 && scope.Get(BalancerSettings.AuthPass) is { Length: > 0 } password)
            text.Append(Invariant($"    authentication {{\n        auth_type PASS\n        auth_pass {password}\n    }}\n"));
        text.Append(Invariant(
            $$"""
                virtual_ipaddress {
                    {{front.Vip}}/{{front.Range.PrefixLength}}
                }
                track_file {
                    haproxy_down
                }
                track_script {
                    haproxy
                }
            }

            """));
        return text.ToString();
    }

    // Multicast is often filtered in clouds and never crosses routers. One that is alone has nobody to tell, and keepalived refuses an empty list.
    private static void AddPeers(StringBuilder text, RoleScope scope, Network front)
    {
        if (scope.Members.Count == 1)
            return;
        text.Append(Invariant($"    unicast_src_ip {scope.Machine.On(front.Name) ?? scope.Address}\n    unicast_peer {{\n"));
        foreach (var peer in scope.Members.Where(peer => peer != scope.Machine))
            text.Append(Invariant($"        {peer.On(front.Name) ?? scope.Fleet.AddressOf(peer)}\n"));
        text.Append("    }\n");
    }

    // However many there are, each has a priority of its own from 1 to 254.
    private static int Priority(RoleScope scope) =>
        Math.Max(PriorityFirst - (scope.Get(BalancerSettings.PriorityGap) * scope.Index), Math.Max(1, 40 - scope.Index));
}
