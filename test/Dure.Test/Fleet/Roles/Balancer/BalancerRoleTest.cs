using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Fleet.Roles.Balancer;
using Xunit;

namespace Dure.Test.Fleet.Roles.Balancer;

public sealed class BalancerRoleTest
{
    private const string Haproxy = "/etc/haproxy/haproxy.cfg";
    private const string Keepalived = "/etc/keepalived/keepalived.conf";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("debian-12")]
    [InlineData("ubuntu-24.04")]
    public void A_balancer_is_what_its_golden_file_says(string os) => Golden.Same(RoleStates.State(RoleStates.Door(os), "n1"), "balancer", $"balancer-{os}");

    [Fact]
    public void A_balancer_with_TLS_is_what_its_golden_file_says() =>
        Golden.Same(RoleStates.State(RoleStates.Door("debian-12", ("balancer.tls", "true")), "n1", ("tls", "PEM")), "balancer", "balancer-tls");

    [Theory]
    [InlineData("plain")]
    [InlineData("tls")]
    [InlineData("small")]
    public async Task HAProxy_takes_its_configuration_and_refuses_a_broken_one(string kind)
    {
        var fleet = kind switch
        {
            "tls" => RoleStates.Door("debian-12", ("balancer.tls", "true")),
            "small" => FleetSamples.Of([("balancer.silence_max", "30s"), ("balancer.auth_paths", "")], ("n1", "balancer"), ("n2", "web")),
            _ => RoleStates.Door("debian-12"),
        };
        var state = RoleStates.State(fleet, "n1", ("tls", TestPem.Text));
        var (code, text) = await Validators.Traffic.CheckAsync(state, Haproxy, Cancel);
        Assert.True(code == 0, text);
        Assert.Equal("Configuration file is valid", text.Trim());

        var (bad, why) = await Validators.Traffic.CheckAsync(state, Haproxy, Cancel, state.Text(Haproxy).Replace("roundrobin", "rounrobin", StringComparison.Ordinal));
        Assert.NotEqual(0, bad);
        Assert.Contains("balance", why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_without_its_key_is_refused_before_HAProxy_sees_it()
    {
        var state = RoleStates.State(RoleStates.Door("debian-12", ("balancer.tls", "true")), "n1", ("tls", TestPem.Text));
        Assert.Equal(0, (await Validators.Traffic.CheckAsync(state, BalancerRole.TlsFile, Cancel)).Code);
        Assert.NotEqual(0, (await Validators.Traffic.CheckAsync(state, BalancerRole.TlsFile, Cancel, TestPem.Text[..TestPem.Text.IndexOf("-----BEGIN PRIVATE", StringComparison.Ordinal)])).Code);
    }

    [Theory]
    [InlineData("3", "200ms", "")]
    [InlineData("2", "1s", "secret12")]
    public async Task Keepalived_takes_its_configuration_and_refuses_a_broken_one(string version, string advert, string password)
    {
        var fleet = RoleStates.Door("debian-12", ("balancer.vrrp_version", version), ("balancer.advert", advert), ("balancer.auth_pass", password));
        var file = RoleStates.State(fleet, "n1").Files.Single(known => known.Path == Keepalived);
        var (code, text) = await CheckAsync(file.Check, file.Text, "10.77.5.11");
        Assert.True(code == 0, text);

        Assert.NotEqual(0, (await CheckAsync(file.Check, file.Text.Replace("virtual_router_id 51", "virtual_router_id 510", StringComparison.Ordinal), "10.77.5.11")).Code);
        var (lost, why) = await CheckAsync(file.Check, file.Text, "10.77.5.99");
        Assert.NotEqual(0, lost);
        Assert.Contains("no interface has 10.77.5.11", why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keepalived_takes_the_configuration_of_a_balancer_that_is_alone()
    {
        var file = RoleStates.State(FleetSamples.Of([], ("n1", "balancer,web"), ("n2", "web")), "n1").Files.Single(known => known.Path == Keepalived);
        Assert.DoesNotContain("unicast", file.Text, StringComparison.Ordinal);
        var (code, text) = await CheckAsync(file.Check, file.Text, "10.77.5.11");
        Assert.True(code == 0, text);
    }

    [Fact]
    public void A_silent_call_is_ended_by_no_time_limit_unless_the_file_asks_for_one()
    {
        static string[] Limits(FleetModel fleet) =>
            [.. RoleStates.State(fleet, "n1").Text(Haproxy).Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith("timeout client", StringComparison.Ordinal) || line.StartsWith("timeout server", StringComparison.Ordinal) || line.StartsWith("timeout tunnel", StringComparison.Ordinal))];
        Assert.Equal(["timeout client 24d", "timeout server 24d", "timeout tunnel 24d"], Limits(RoleStates.Door("debian-12")));
        Assert.Equal(["timeout client 30000ms", "timeout server 30000ms", "timeout tunnel 30000ms"], Limits(RoleStates.Door("debian-12", ("balancer.silence_max", "30s"))));
    }

    [Fact]
    public void Every_balancer_has_a_priority_of_its_own_however_many_there_are()
    {
        var fleet = FleetSamples.Of([("balancer.priority_gap", "100")], [.. Enumerable.Range(1, 9).Select(number => ($"n{number}", "balancer,web"))]);
        var priorities = fleet.Machines
            .Select(machine => RoleStates.State(fleet, machine.Name).Text(Keepalived).Split('\n').Single(line => line.Contains("priority", StringComparison.Ordinal)).Trim())
            .ToList();
        Assert.Equal(9, priorities.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal("priority 150", priorities[0]);
    }

    [Theory]
    [InlineData("balancer.weight", "2", "vrrp-weight")]
    [InlineData("balancer.weight", "-60", "vrrp-weight")]
    [InlineData("balancer.preempt", "true", "vrrp-preempt")]
    [InlineData("balancer.auth_pass", "longer-than-8", "vrrp-auth")]
    [InlineData("balancer.vrrp_version", "2", "vrrp-advert")]
    [InlineData("balancer.silence_max", "30s", "balancer-time-limit")]
    public void A_setting_that_breaks_the_door_is_found(string key, string value, string rule)
    {
        Assert.Equal([rule], RoleStates.Found(BalancerRole.Kind, RoleStates.Door("debian-12", (key, value))));
        Assert.Empty(RoleStates.Found(BalancerRole.Kind, RoleStates.Door("debian-12")));
    }

    [Fact]
    public void A_weight_that_bridges_the_gap_serves_where_balancers_preempt()
    {
        var fleet = RoleStates.Door("debian-12", ("balancer.weight", "-60"), ("balancer.preempt", "true"));
        Assert.Equal(["vrrp-preempt"], RoleStates.Found(BalancerRole.Kind, fleet));
    }

    [Fact]
    public void An_advert_that_is_too_slow_for_the_objective_is_found()
    {
        static FleetModel With(string advert) => RoleStates.Door("debian-12", ("balancer.advert", advert)) with
        {
            Objectives = [new Objective("vip", TimeSpan.FromSeconds(1), null, 0, new Place("dure.yaml", 1, 1))],
        };
        Assert.Equal(["vrrp-slow"], RoleStates.Found(BalancerRole.Kind, With("1s")));
        Assert.Empty(RoleStates.Found(BalancerRole.Kind, With("200ms")));
    }

    [Fact]
    public void A_door_that_cannot_open_is_found()
    {
        Assert.Equal(["balancer-single", "balancer-nothing-behind"], RoleStates.Found(BalancerRole.Kind, FleetSamples.Of([], ("n1", "balancer"))));
        var without = RoleStates.Door("debian-12");
        without = without with { Networks = [.. without.Networks.Select(network => network with { Vip = null })] };
        Assert.Equal(["balancer-no-vip"], RoleStates.Found(BalancerRole.Kind, without));
        var elsewhere = RoleStates.Door("debian-12");
        elsewhere = elsewhere with
        {
            Networks = [.. elsewhere.Networks.Select(network => network with { Vip = null }), new Network("public", System.Net.IPNetwork.Parse("192.0.2.0/24"), System.Net.IPAddress.Parse("192.0.2.9"), new Place("dure.yaml", 1, 1))],
        };
        Assert.Equal(["balancer-network"], RoleStates.Found(BalancerRole.Kind, elsewhere));
    }

    [Fact]
    public void Databases_stand_on_the_virtual_address_only_where_the_fleet_has_them()
    {
        Assert.Contains("bind 10.77.5.100:3306", RoleStates.State(RoleStates.Door("debian-12"), "n1").Text(Haproxy), StringComparison.Ordinal);
        var bare = FleetSamples.Of([], ("n1", "balancer,web"), ("n2", "balancer,web"));
        Assert.DoesNotContain("mode tcp", RoleStates.State(bare, "n1").Text(Haproxy), StringComparison.Ordinal);
        Assert.DoesNotContain(BalancerRole.Kind.Ports(bare), port => port.Number is 3306 or 5432);
    }

    private static Task<(int Code, string Text)> CheckAsync(string check, string text, string address) => Validators.Traffic.RunAsync(
        $"mkdir -p /run; ip link add front0 type veth peer name back0 && ip addr add {address}/24 dev front0 && ip link set front0 up\nnew={Keepalived}.dure-new\n{check}",
        Cancel,
        (Keepalived + ".dure-new", text));
}
