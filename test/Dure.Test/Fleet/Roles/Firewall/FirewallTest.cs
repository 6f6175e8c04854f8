using Dure.Fleet.Model;
using Dure.Fleet.Roles.Firewall;
using Xunit;

namespace Dure.Test.Fleet.Roles.Firewall;

public sealed class FirewallTest
{
    private const string Rules = "/etc/dure/firewall.nft";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    // Roles of the door only, so that the golden file says nothing of others' ports.
    private static FleetModel Fleet(string os, params (string Key, string Value)[] settings) =>
        FleetSamples.Of(os, settings, ("n1", "balancer,web,monitor,firewall"), ("n2", "balancer,web,firewall"), ("n3", "dure,firewall"));

    [Theory]
    [InlineData("debian-12")]
    [InlineData("ubuntu-24.04")]
    public void A_firewall_is_what_its_golden_file_says(string os) => Golden.Same(RoleStates.State(Fleet(os), "n1"), "firewall", $"firewall-{os}");

    [Fact]
    public async Task The_kernel_takes_the_rules_twice_keeps_other_tables_and_refuses_broken_ones()
    {
        var state = RoleStates.State(Fleet("debian-12", ("firewall.open", "tcp/8443,udp/51820")), "n1");
        var (code, text) = await Validators.Traffic.CheckAsync(state, Rules, Cancel);
        Assert.True(code == 0, text);
        Assert.NotEqual(0, (await Validators.Traffic.CheckAsync(state, Rules, Cancel, state.Text(Rules).Replace("policy drop", "policy dropp", StringComparison.Ordinal))).Code);

        var (twice, listed) = await Validators.Traffic.RunAsync(
            $"nft add table inet others && nft -f {Rules} && nft -f {Rules} && nft list tables && nft list table inet dure | grep -c 'dport 8443'", Cancel, (Rules, state.Text(Rules)));
        Assert.True(twice == 0, listed);
        Assert.Equal(["table inet others", "table inet dure", "1"], listed.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task What_a_role_needs_comes_in_and_nothing_else_does()
    {
        var state = RoleStates.State(Fleet("debian-12"), "n3");
        // A peer in a network of its own, with the addresses of a fleet's machine and of a stranger.
        var (code, text) = await Validators.Traffic.RunAsync(
            $$"""
            set -e
            unshare --net sleep 60 &
            peer=$!
            while [ "$(readlink /proc/$peer/ns/net)" = "$(readlink /proc/$$/ns/net)" ]; do sleep 0.05; done
            trap 'kill $peer' EXIT
            ip link add front0 type veth peer name back0 netns $peer
            ip addr add 10.77.5.13/16 dev front0 && ip link set front0 up
            there() { nsenter --net=/proc/$peer/ns/net "$@"; }
            there ip link set lo up
            there ip addr add 10.77.5.11/16 dev back0 && there ip addr add 10.77.9.9/16 dev back0 && there ip link set back0 up
            haproxy -D -p /run/h.pid -f /etc/echo.cfg
            nft -f {{Rules}}
            try() { if there curl -s -o /dev/null --max-time 1 --interface "$1" "http://10.77.5.13:$2/"; then echo "$1 $2 in"; else echo "$1 $2 out"; fi; }
            try 10.77.5.11 7070
            try 10.77.9.9 7070
            try 10.77.5.11 22
            try 10.77.9.9 22
            try 10.77.5.11 9999
            there ping -c 1 -W 1 10.77.5.13 >/dev/null && echo 'ping in' || echo 'ping out'
            curl -s -o /dev/null --max-time 1 http://10.77.5.13:9999/ && echo 'itself in'
            kill $(cat /run/h.pid)
            """,
            Cancel,
            (Rules, state.Text(Rules)),
            ("/etc/echo.cfg", "defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 1s\nfrontend echo\n bind :7070\n bind :22\n bind :9999\n http-request return status 200\n"));
        Assert.True(code == 0, text);
        Assert.Equal(
            ["10.77.5.11 7070 in", "10.77.9.9 7070 out", "10.77.5.11 22 in", "10.77.9.9 22 out", "10.77.5.11 9999 out", "ping in", "itself in"],
            text.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void Rules_follow_from_the_roles_of_a_machine()
    {
        var fleet = Fleet("debian-12");
        var (n1, n2, n3) = (fleet.Machines[0], fleet.Machines[1], fleet.Machines[2]);
        Assert.True(FirewallRules.Reaches(fleet, n1, n3, "tcp", 7070));
        Assert.True(FirewallRules.Reaches(fleet, n2, n1, "vrrp", 0));
        Assert.False(FirewallRules.Reaches(fleet, n3, n1, "vrrp", 0));
        Assert.True(FirewallRules.Reaches(fleet, n1, n3, "tcp", 9100));
        Assert.False(FirewallRules.Reaches(fleet, n2, n3, "tcp", 9100));
        Assert.False(FirewallRules.Reaches(fleet, n3, n1, "tcp", 8080));
        Assert.Empty(FirewallRules.For(fleet, n1).Single(rule => rule.Port == 80).From);

        var open = FleetSamples.Of([], ("n1", "balancer"), ("n2", "web"));
        Assert.True(FirewallRules.Reaches(open, open.Machines[0], open.Machines[1], "tcp", 1));
    }

    [Fact]
    public void SSH_comes_from_the_management_network_where_there_is_one_or_from_anywhere_when_asked()
    {
        static FirewallRule Ssh(FleetModel fleet) => FirewallRules.For(fleet, fleet.Machines[0]).Single(rule => rule.Port == 22);
        var fleet = Fleet("debian-12");
        Assert.Equal(["10.77.5.0/24"], Ssh(fleet).From.Select(range => range.ToString()));
        var managed = fleet with { Networks = [.. fleet.Networks, new Network("management", System.Net.IPNetwork.Parse("10.0.0.0/24"), null, new Place("dure.yaml", 1, 1))] };
        Assert.Equal(["10.0.0.0/24"], Ssh(managed).From.Select(range => range.ToString()));
        Assert.Empty(Ssh(Fleet("debian-12", ("firewall.ssh", "anywhere"))).From);
    }

    [Fact]
    public void A_machine_left_open_beside_closed_ones_is_found()
    {
        Assert.Equal(["firewall-gap"], RoleStates.Found(FirewallRole.Kind, FleetSamples.Of([], ("n1", "firewall"), ("n2", "web"))));
        Assert.Equal(["firewall-ssh"], RoleStates.Found(FirewallRole.Kind, Fleet("debian-12", ("firewall.ssh", "anywhere"))));
        Assert.Empty(RoleStates.Found(FirewallRole.Kind, Fleet("debian-12")));
    }
}
